/* Values that have expired, or are due, while the next one is worked out. */
#include "flights.h"

/* A value that has expired, and is stale for an hour. */
static void set_stale(int cache, const char *key, const char *value)
{
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.lifetime = 1;
    options.stale_for = 3600 * 1000;
    CHECK(shm_cache_set_with(cache, key, strlen(key), value, strlen(value), &options));
    await_expiry(cache, key);
}

CASE("a stale value will do while another works, and after one has failed")
{
    open_heap();
    int cache = open_cache();
    set_stale(cache, "key", "stale");
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", SHM_CACHE_ALLOW_STALE, 0));
    struct shm_cache_flight first = flight;
    CHECK_EQUAL(SHM_CACHE_STALE, begin(cache, "key", SHM_CACHE_ALLOW_STALE, 0));
    check_buffer("stale");
    CHECK_EQUAL(SHM_CACHE_BUSY, begin(cache, "key", SHM_CACHE_DONT_WAIT, 0));
    CHECK_EQUAL(0, size);
    CHECK_EQUAL(-1, shm_cache_begin_flight(cache, "key", 3, NULL, 0, &size,
        &(struct shm_cache_flight_options) { .struct_size = sizeof(struct shm_cache_flight_options), .flags = SHM_CACHE_ALLOW_STALE }, &flight));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, shm_last_error());
    CHECK_EQUAL(5, size);

    uint64_t failed = awake();
    CHECK(shm_cache_end_flight(cache, "key", 3, true, &first));
    int answer = begin(cache, "key", SHM_CACHE_ALLOW_STALE, 0);
    while (answer == SHM_CACHE_STALE) {
        CHECK(awake() - failed < PATIENCE);
        check_buffer("stale");
        answer = begin(cache, "key", SHM_CACHE_ALLOW_STALE, 0);
    }
    CHECK_EQUAL(SHM_CACHE_LEAD, answer);
    CHECK(awake() - failed >= 80);
    CHECK(shm_cache_end_flight(cache, "key", 3, true, &flight));
    /* Who does not take it tries at once. */
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", SHM_CACHE_DONT_WAIT, 0));
    CHECK(complete(cache, "key", "fresh"));
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", SHM_CACHE_ALLOW_STALE, 0));
    check_buffer("fresh");
    check_sound();
}

CASE("a stale value is worked on in place only by who has all its tags")
{
    open_heap();
    int cache = open_cache_with(SHM_CACHE_ALLOWS_REMOVE_ALL);
    const char *names[] = { "t", "u" };
    struct shm_cache_tag tag;
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    struct shm_cache_flight_options tagged = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    CHECK(shm_cache_capture_tags(cache, names, 1, &tag));
    options.lifetime = 1;
    options.stale_for = 3600 * 1000;
    options.tags = &tag;
    options.tag_count = 1;
    tagged.tags = names;
    tagged.tag_count = 2;
    CHECK(shm_cache_set_with(cache, "key", 3, "stale", 5, &options));
    await_expiry(cache, "key");
    CHECK_EQUAL(SHM_CACHE_LEAD, shm_cache_begin_flight(cache, "key", 3, NULL, 0, NULL, &tagged, &flight));
    struct shm_cache_flight first = flight;
    CHECK_EQUAL(SHM_CACHE_STALE, begin(cache, "key", SHM_CACHE_ALLOW_STALE, 0));
    CHECK(shm_cache_end_flight(cache, "key", 3, false, &first));
    /* Nobody would notice that its tag was removed: so the stale value goes. */
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    first = flight;
    CHECK_EQUAL(SHM_CACHE_BUSY, begin(cache, "key", SHM_CACHE_ALLOW_STALE | SHM_CACHE_DONT_WAIT, 0));
    CHECK(shm_cache_remove_by_tag(cache, "t"));
    CHECK(shm_cache_complete_flight(cache, "key", 3, "untagged", 8, NULL, &first));
    check_text(cache, "key", "untagged");
}

CASE("those who take a stale value find out that its leader is dead, or hangs")
{
    open_heap();
    int cache = open_cache();
    set_stale(cache, "killed", "stale");
    pid_t leader = start_leader(cache, "killed", 0);
    CHECK_EQUAL(SHM_CACHE_STALE, begin(cache, "killed", SHM_CACHE_ALLOW_STALE, LONG_LIMIT));
    kill(leader, SIGKILL);
    CHECK_EQUAL(1000 + SIGKILL, end_of(leader));
    uint64_t begun = awake();
    int answer;
    do {
        answer = begin(cache, "killed", SHM_CACHE_ALLOW_STALE, LONG_LIMIT);
        CHECK(awake() - begun < PATIENCE);
    } while (answer == SHM_CACHE_STALE);
    CHECK_EQUAL(SHM_CACHE_LEAD, answer);

    set_stale(cache, "hung", "stale");
    leader = start_leader(cache, "hung", 0);
    begun = awake();
    do {
        answer = begin(cache, "hung", SHM_CACHE_ALLOW_STALE, 100);
        CHECK(awake() - begun < PATIENCE);
    } while (answer == SHM_CACHE_STALE);
    CHECK_EQUAL(SHM_CACHE_LEAD, answer);
    CHECK(awake() - begun >= 80);
    CHECK(complete(cache, "hung", "fresh"));
    kill(leader, SIGKILL);
    end_of(leader);
    check_text(cache, "hung", "fresh");
}

CASE("a value that is due is worked out ahead by one, and is good meanwhile")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.refresh_after = 3600 * 1000;
    CHECK(shm_cache_set_with(cache, "key", 3, "not due", 7, &options));
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", SHM_CACHE_REFRESH, 0));
    check_buffer("not due");
    options.refresh_after = 1;
    CHECK(shm_cache_set_with(cache, "key", 3, "due", 3, &options));
    usleep(20 * 1000);
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", 0, 0));
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", SHM_CACHE_REFRESH, 0));
    check_buffer("due");
    struct shm_cache_flight first = flight;
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", SHM_CACHE_REFRESH, 0));
    check_buffer("due");
    CHECK(shm_cache_complete_flight(cache, "key", 3, "next", 4, &options, &first));
    check_text(cache, "key", "next");
}
