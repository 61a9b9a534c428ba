/* Flights: who leads, what becomes of the value, and what is refused. */
#include "flights.h"

CASE("one leads, and those after it find the value")
{
    open_heap();
    int cache = open_cache();
    errno = 0;
    CHECK_EQUAL(SHM_CACHE_LEAD, shm_cache_begin_flight(cache, "key", 3, buffer, sizeof buffer, &size, NULL, &flight));
    CHECK_EQUAL(0, size);
    check_missing(cache, "key");
    CHECK_EQUAL(SHM_CACHE_BUSY, shm_cache_begin_flight(cache, "key", 3, buffer, sizeof buffer, &size,
        &(struct shm_cache_flight_options) { .struct_size = sizeof(struct shm_cache_flight_options), .flags = SHM_CACHE_DONT_WAIT },
        &(struct shm_cache_flight) { { 0 } }));
    errno = 0;
    CHECK(complete(cache, "key", "worked out"));
    CHECK_EQUAL(0, errno);
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", 0, 0));
    check_buffer("worked out");
    CHECK_EQUAL(0, errno);
    CHECK(!complete(cache, "key", "again"));
    CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());
    char small[4];
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, small, sizeof small, &size, NULL, &flight));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, shm_last_error());
    CHECK_EQUAL(10, size);
    struct shm_cache_statistics statistics = { .struct_size = sizeof statistics };
    CHECK(shm_cache_get_statistics(cache, &statistics));
    CHECK_EQUAL(2, statistics.hits);
    CHECK_EQUAL(3, statistics.misses);
    CHECK_EQUAL(1, statistics.sets);
    check_sound();
}

CASE("a value is not stored if its key was set or removed, or a tag was, while it was worked out")
{
    open_heap();
    int cache = open_cache_with(SHM_CACHE_ALLOWS_REMOVE_ALL);
    const char *names[] = { "t", "u" };
    struct shm_cache_flight_options tagged = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    tagged.tags = names;
    tagged.tag_count = 2;
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(set_text(cache, "key", "set meanwhile"));
    CHECK(!complete(cache, "key", "worked out"));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
    check_text(cache, "key", "set meanwhile");
    CHECK(shm_cache_remove(cache, "key", 3));

    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(!shm_cache_remove(cache, "key", 3));
    CHECK(!complete(cache, "key", "worked out"));
    check_missing(cache, "key");

    CHECK(shm_cache_remove_by_tag(cache, "u"));
    CHECK_EQUAL(SHM_CACHE_LEAD, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &tagged, &flight));
    CHECK(complete(cache, "key", "tagged"));
    check_text(cache, "key", "tagged");
    CHECK(shm_cache_remove_by_tag(cache, "u"));
    check_missing(cache, "key");
    CHECK_EQUAL(SHM_CACHE_LEAD, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &tagged, &flight));
    CHECK(shm_cache_remove_by_tag(cache, "t"));
    CHECK(!complete(cache, "key", "worked out"));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
    check_missing(cache, "key");

    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(shm_cache_remove_all(cache));
    CHECK(!complete(cache, "key", "worked out"));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(complete(cache, "key", "worked out"));
    check_text(cache, "key", "worked out");
    check_sound();
}

CASE("a flight that has failed is counted, and one that has ended otherwise is not")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_statistics statistics = { .struct_size = sizeof statistics };
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(shm_cache_end_flight(cache, "key", 3, false, &flight));
    CHECK(shm_cache_get_statistics(cache, &statistics));
    CHECK_EQUAL(0, statistics.failed_flights);
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(shm_cache_end_flight(cache, "key", 3, true, &flight));
    CHECK(!shm_cache_end_flight(cache, "key", 3, true, &flight));
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    CHECK(complete(cache, "key", "value"));
    CHECK(shm_cache_get_statistics(cache, &statistics));
    CHECK_EQUAL(1, statistics.failed_flights);
}

CASE("what cannot be stored is waited for by nobody, and is said why")
{
    static char large[2 << 20];
    struct shm_cache_entry_options late = SHM_CACHE_ENTRY_OPTIONS_INIT;
    int cache = open_small_cache();
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "large", 0, 0));
    CHECK(!shm_cache_complete_flight(cache, "large", 5, large, sizeof large, NULL, &flight));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "large", SHM_CACHE_DONT_WAIT, 0));
    struct shm_cache_flight first = flight;
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "large", SHM_CACHE_DONT_WAIT, 0));
    CHECK(complete(cache, "large", "small"));
    CHECK(!shm_cache_complete_flight(cache, "large", 5, "other", 5, NULL, &first));
    check_text(cache, "large", "small");

    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "huge", 0, 0));
    CHECK(!shm_cache_complete_flight(cache, "huge", 4, large, SIZE_MAX, NULL, &flight));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK(!complete(cache, "huge", "x"));
    CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());

    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "late", 0, 0));
    late.expires_at = 1;
    CHECK(!shm_cache_complete_flight(cache, "late", 4, "x", 1, &late, &flight));
    CHECK_EQUAL(SHM_E_EXPIRED, shm_last_error());
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "late", SHM_CACHE_DONT_WAIT, 0));
    check_sound();
}

CASE("one who gives up lets the next one work at once")
{
    open_heap();
    int cache = open_cache();
    for (int round = 0; round < 40000; round++) {
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", SHM_CACHE_DONT_WAIT, 0));
        CHECK(shm_cache_end_flight(cache, "key", 3, round % 2 == 0, &flight));
    }
    CHECK(!shm_cache_end_flight(cache, "key", 3, false, &flight));
    CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());
    check_missing(cache, "key");
    check_sound();
}

CASE("what somebody wrote over is worked out anew")
{
    open_heap();
    int cache = open_cache_with(SHM_CACHE_CHECKSUMS);
    CHECK(set_text(cache, "key", "value"));
    struct shm_cache_lease lease;
    CHECK(shm_cache_lease(cache, "key", 3, &lease));
    *(char *) lease.value ^= 1;
    shm_cache_release(&lease);
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", SHM_CACHE_DONT_WAIT, 0));
    CHECK(complete(cache, "key", "anew"));
    check_text(cache, "key", "anew");
}

CASE("what makes no sense is refused, and the flight goes on")
{
    open_heap();
    int cache = open_cache();
    int other = shm_cache_open("other", NULL);
    struct shm_cache_flight_options options = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    struct shm_cache_entry_options entry = SHM_CACHE_ENTRY_OPTIONS_INIT;
    struct shm_cache_flight none = { { 0 } };
    const char *names[64] = { "t", NULL };
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, NULL, NULL));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK_EQUAL(-1, shm_cache_begin_flight(15, "key", 3, NULL, 0, NULL, NULL, &flight));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 70000, NULL, 0, NULL, NULL, &flight));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    options.struct_size = 8;
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &options, &flight));
    check_refused(SHM_E_INVALID_OPTION, "struct_size");
    options.struct_size = sizeof options;
    options.flags = 8;
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &options, &flight));
    check_refused(SHM_E_INVALID_OPTION, "flags");
    options.flags = 0;
    options.tag_count = 1;
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &options, &flight));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    options.tags = names;
    options.tag_count = 2;
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &options, &flight));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    options.tag_count = 64;
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &options, &flight));
    check_refused(SHM_E_INVALID_OPTION, "63");
    options.tag_count = 1;

    CHECK_EQUAL(SHM_CACHE_LEAD, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &options, &flight));
    CHECK(!shm_cache_complete_flight(cache, "yek", 3, "x", 1, NULL, &flight));
    check_refused(SHM_E_INVALID_OPTION, "key");
    CHECK(!shm_cache_complete_flight(other, "key", 3, "x", 1, NULL, &flight));
    CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());
    CHECK(!shm_cache_complete_flight(cache, "key", 3, "x", 1, NULL, NULL));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK(!shm_cache_complete_flight(cache, "key", 3, "x", 1, NULL, &none));
    CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());
    CHECK(!shm_cache_complete_flight(cache, "key", 3, NULL, 1, NULL, &flight));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    entry.version = 1;
    CHECK(!shm_cache_complete_flight(cache, "key", 3, "x", 1, &entry, &flight));
    check_refused(SHM_E_INVALID_OPTION, "version");
    entry.version = 0;
    entry.tags = &(struct shm_cache_tag) { { 0 } };
    entry.tag_count = 1;
    CHECK(!shm_cache_complete_flight(cache, "key", 3, "x", 1, &entry, &flight));
    check_refused(SHM_E_INVALID_OPTION, "tags");
    entry.tag_count = 0;
    entry.flags = SHM_CACHE_ADD;
    CHECK(!shm_cache_complete_flight(cache, "key", 3, "x", 1, &entry, &flight));
    check_refused(SHM_E_INVALID_OPTION, "flags");
    CHECK(!shm_cache_end_flight(cache, "yek", 3, false, &flight));
    check_refused(SHM_E_INVALID_OPTION, "key");
    CHECK(!shm_cache_end_flight(cache, "key", 3, false, NULL));
    CHECK(complete(cache, "key", "in the end"));
    check_text(cache, "key", "in the end");

    /* Whatever is written over, a flight leads to nothing else than the value of its key. */
    CHECK(shm_cache_remove(cache, "key", 3));
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    struct shm_cache_flight kept = flight;
    for (unsigned word = 0; word < sizeof flight / 8; word++) {
        flight = kept;
        flight.opaque[word] ^= UINT64_MAX;
        complete(cache, "key", "x");
    }
    check_sound();
}

CASE("a flight outlives the heap of another thread, and is refused by the next one")
{
    open_heap();
    int cache = open_cache();
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    shm_deinit();
    CHECK(!complete(cache, "key", "x"));
    CHECK_EQUAL(SHM_E_NO_HEAP, shm_last_error());
    open_heap();
    CHECK(!complete(cache, "key", "x"));
    CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());
    /* Its process has left, so others need not wait. */
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", SHM_CACHE_DONT_WAIT, 0));
}
