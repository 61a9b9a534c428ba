/* Values that one works out while others wait. */
#include "caches.h"

#include <pthread.h>
#include <sys/prctl.h>

/* A limit that no wait comes to which ends as it should. */
enum { LONG_LIMIT = 2 * PATIENCE };

static char buffer[100];
static size_t size;
static struct shm_cache_flight flight;

static int begin(int cache, const char *key, uint32_t flags, uint64_t wait_limit)
{
    struct shm_cache_flight_options options = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    options.flags = flags;
    options.wait_limit = wait_limit;
    options.retry_after = 100;
    return shm_cache_begin_flight(cache, key, strlen(key), buffer, sizeof buffer, &size, &options, &flight);
}

static bool complete(int cache, const char *key, const char *value)
{
    return shm_cache_complete_flight(cache, key, strlen(key), value, strlen(value), NULL, &flight);
}

static void check_buffer(const char *expected)
{
    CHECK_EQUAL(strlen(expected), size);
    CHECK(memcmp(expected, buffer, size) == 0);
}

/* A value that has expired, and is stale for an hour. */
static void set_stale(int cache, const char *key, const char *value)
{
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.lifetime = 1;
    options.stale_for = 3600 * 1000;
    CHECK(shm_cache_set_with(cache, key, strlen(key), value, strlen(value), &options));
    await_expiry(cache, key);
}

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

CASE("of many processes one works the value out, and the others wait for it")
{
    enum { CHILDREN = 8, ROUNDS = 20 };
    open_heap();
    int cache = open_cache();
    pid_t children[CHILDREN];
    for (int child = 0; child < CHILDREN; child++) {
        children[child] = fork();
        for (int round = 0; children[child] == 0 && round < effort(ROUNDS); round++) {
            char key[20];
            snprintf(key, sizeof key, "key %d", round);
            int answer = begin(cache, key, 0, 0);
            if (answer == SHM_CACHE_LEAD) {
                CHECK(shm_cache_increment(cache, "worked", 6, 1, NULL));
                usleep(2000);
                CHECK(complete(cache, key, key));
            } else {
                CHECK_EQUAL(SHM_CACHE_FOUND, answer);
                check_buffer(key);
            }
        }
        if (children[child] == 0) {
            _exit(0);
        }
    }
    for (int child = 0; child < CHILDREN; child++) {
        CHECK_EQUAL(0, end_of(children[child]));
    }
    int64_t worked = 0;
    CHECK(shm_cache_increment(cache, "worked", 6, 0, &worked));
    CHECK_EQUAL(effort(ROUNDS), worked);
    check_sound();
}

/* A process that leads, and says so. */
static pid_t start_leader(int cache, const char *key, uint32_t flags)
{
    int ready[2];
    char byte = 0;
    CHECK(pipe(ready) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        CHECK_EQUAL(0, prctl(PR_SET_PDEATHSIG, SIGKILL));
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, key, flags, 0));
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    close(ready[0]);
    return leader;
}

CASE("when a leader is killed, one who waits takes over, long before the limit")
{
    open_heap();
    int cache = open_cache();
    pid_t leader = start_leader(cache, "key", 0);
    CHECK_EQUAL(SHM_CACHE_BUSY, begin(cache, "key", SHM_CACHE_DONT_WAIT, 0));
    int go[2];
    char byte = 0;
    CHECK(pipe(go) == 0);
    pid_t waiter = fork();
    if (waiter == 0) {
        CHECK_EQUAL(1, write(go[1], &byte, 1));
        uint64_t begun = awake();
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, LONG_LIMIT));
        CHECK(awake() - begun < PATIENCE);
        CHECK(complete(cache, "key", "taken over"));
        _exit(0);
    }
    close(go[1]);
    CHECK_EQUAL(1, read(go[0], &byte, 1));
    usleep(50 * 1000);
    kill(leader, SIGKILL);
    CHECK_EQUAL(1000 + SIGKILL, end_of(leader));
    CHECK_EQUAL(0, end_of(waiter));
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", 0, 0));
    check_buffer("taken over");
    shm_recover_dead();
    CHECK_EQUAL(1, statistics().participants);
    check_sound();
}

CASE("a leader that takes too long is not waited for, and may complete all the same")
{
    open_heap();
    int cache = open_cache();
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    struct shm_cache_flight slow = flight;
    uint64_t begun = awake();
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 100));
    CHECK(awake() - begun >= 80);
    CHECK(shm_cache_complete_flight(cache, "key", 3, "slow", 4, NULL, &slow));
    CHECK(!complete(cache, "key", "quick"));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
    check_text(cache, "key", "slow");
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

static int cache_of_threads;

static void *wait_for_value(void *argument)
{
    char value[100];
    size_t length;
    struct shm_cache_flight mine;
    (void) argument;
    CHECK_EQUAL(SHM_CACHE_FOUND, shm_cache_begin_flight(cache_of_threads, "key", 3, value, sizeof value, &length, NULL, &mine));
    CHECK_EQUAL(10, length);
    return NULL;
}

CASE("threads of one process wait for each other's values")
{
    pthread_t threads[8];
    open_heap();
    cache_of_threads = open_cache();
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache_of_threads, "key", 0, 0));
    for (int index = 0; index < 8; index++) {
        CHECK(pthread_create(&threads[index], NULL, wait_for_value, NULL) == 0);
    }
    usleep(30 * 1000);
    CHECK(complete(cache_of_threads, "key", "worked out"));
    for (int index = 0; index < 8; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
    }
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

CASE("who may only read leads, and stores nothing; but waits for those who may")
{
    open_heap();
    int cache = open_cache();
    shm_deinit();
    int go[2];
    char byte = 0;
    CHECK(pipe(go) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        open_heap();
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
        CHECK_EQUAL(1, write(go[1], &byte, 1));
        usleep(50 * 1000);
        CHECK(complete(cache, "key", "worked out"));
        _exit(0);
    }
    close(go[1]);
    CHECK_EQUAL(1, read(go[0], &byte, 1));
    struct shm_options options = SHM_OPTIONS_INIT;
    options.flags = SHM_READ_ONLY;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", 0, 0));
    check_buffer("worked out");
    CHECK_EQUAL(0, end_of(leader));
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "other", 0, 0));
    CHECK(!complete(cache, "other", "x"));
    CHECK_EQUAL(SHM_E_READ_ONLY, shm_last_error());
    shm_deinit();

    /* One that is killed is not waited for, although this process cannot say so to others. */
    leader = fork();
    if (leader == 0) {
        open_heap();
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "killed", 0, 0));
        kill(getpid(), SIGKILL);
    }
    CHECK_EQUAL(1000 + SIGKILL, end_of(leader));
    CHECK(shm_init_with(NULL, heap_path(), &options));
    uint64_t begun = awake();
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "killed", 0, LONG_LIMIT));
    CHECK(awake() - begun < PATIENCE);
}

CASE("a child that was forked cannot complete its parent's flight, and waits for it")
{
    open_heap();
    int cache = open_cache();
    int go[2];
    char byte = 0;
    CHECK(pipe(go) == 0);
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "key", 0, 0));
    pid_t child = fork();
    if (child == 0) {
        CHECK(!complete(cache, "key", "mine"));
        CHECK_EQUAL(SHM_E_STALE_FLIGHT, shm_last_error());
        CHECK(!shm_cache_end_flight(cache, "key", 3, false, &flight));
        CHECK_EQUAL(1, write(go[1], &byte, 1));
        CHECK_EQUAL(SHM_CACHE_FOUND, begin(cache, "key", 0, 0));
        check_buffer("the parent's");
        _exit(0);
    }
    close(go[1]);
    CHECK_EQUAL(1, read(go[0], &byte, 1));
    CHECK(complete(cache, "key", "the parent's"));
    CHECK_EQUAL(0, end_of(child));
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
