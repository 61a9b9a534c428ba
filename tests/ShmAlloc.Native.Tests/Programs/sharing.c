/* A cache that processes, leases and signal handlers share. */
#include "caches.h"

#include <sys/time.h>

CASE("F15: what was scribbled over is not leased")
{
    open_heap();
    struct shm_cache_options checked = { .struct_size = sizeof checked, .flags = SHM_CACHE_CHECKSUMS };
    int cache = shm_cache_open("checked", &checked);
    CHECK(set_text(cache, "key", "value"));
    struct shm_cache_lease lease;
    CHECK(shm_cache_lease(cache, "key", 3, &lease));
    *(char *) lease.value ^= 1;
    shm_cache_release(&lease);
    CHECK(!shm_cache_lease(cache, "key", 3, &lease));
    CHECK_EQUAL(SHM_E_DAMAGED, shm_last_error());
    CHECK(lease.value == NULL);
    check_sound();
}

CASE("F15: of many who set one key at once none is told to try again")
{
    enum { CHILDREN = 4, TIMES = 3000 };
    open_heap();
    int cache = open_cache();
    pid_t children[CHILDREN];
    for (int child = 0; child < CHILDREN; child++) {
        children[child] = fork();
        if (children[child] == 0) {
            for (int time = 0; time < effort(TIMES); time++) {
                CHECK(shm_cache_set(cache, "key", 3, &time, sizeof time, 0, 0));
                CHECK(shm_cache_remove(cache, "key", 3) || shm_last_error() == SHM_E_MISSING);
            }
            _exit(0);
        }
    }
    for (int child = 0; child < CHILDREN; child++) {
        CHECK_EQUAL(0, end_of(children[child]));
    }
    check_sound();
}

CASE("a child that was forked uses the cache of its parent")
{
    open_heap();
    int cache = open_cache();
    CHECK(set_text(cache, "from", "the parent"));
    pid_t child = fork();
    if (child == 0) {
        check_text(cache, "from", "the parent");
        CHECK(set_text(cache, "from", "the child"));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    check_text(cache, "from", "the child");
}

CASE("a lease stays readable when the value is gone")
{
    open_heap();
    int cache = open_cache();
    CHECK(set_text(cache, "key", "still here"));
    struct shm_cache_lease lease;
    CHECK(shm_cache_lease(cache, "key", 3, &lease));
    CHECK(shm_cache_remove(cache, "key", 3));
    for (int round = 0; round < 2000; round++) {
        CHECK(shm_cache_set(cache, &round, sizeof round, "##########", 10, 0, 0));
    }
    CHECK_EQUAL(10, lease.value_size);
    CHECK(memcmp("still here", lease.value, 10) == 0);
    struct shm_cache_lease copy = lease;
    shm_cache_release(&lease);
    shm_cache_release(&lease);
    shm_cache_release(&copy);
    CHECK(!shm_cache_lease(cache, "key", 3, &lease));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    check_sound();
}

static volatile sig_atomic_t interruptions;
static int cache_of_handler;

/* Also while the one who was interrupted leads the same flight, or has just begun it. */
static void fly(int cache, int key)
{
    int64_t name = key + 100;
    char value[64];
    struct shm_cache_flight flight;
    struct shm_cache_mark mark;
    struct shm_cache_flight_options options = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    const char *tag = "t";
    options.flags = SHM_CACHE_DONT_WAIT;
    options.tags = &tag;
    options.tag_count = 1;
    int state = shm_cache_begin_flight(cache, &name, sizeof name, value, sizeof value, NULL, &options, &flight);
    CHECK(state >= 0);
    if (state == SHM_CACHE_LEAD) {
        memset(value, key, sizeof value);
        shm_cache_complete_flight(cache, &name, sizeof name, value, sizeof value, NULL, &flight);
    }
    if (shm_cache_get_marked(cache, &name, sizeof name, value, sizeof value, NULL, &mark)) {
        CHECK(value[0] == key && value[63] == key);
        shm_cache_is_current(cache, &mark);
    }
    shm_cache_remove_by_tag(cache, "t");
}

static void use_cache(int signal)
{
    (void) signal;
    int error = errno;
    int key = interruptions % 8;
    char value[64];
    size_t size;
    memset(value, key, sizeof value);
    shm_cache_set(cache_of_handler, &key, sizeof key, value, sizeof value, 0, 0);
    if (shm_cache_get(cache_of_handler, &key, sizeof key, value, sizeof value, &size)) {
        CHECK_EQUAL(sizeof value, size);
        CHECK_EQUAL(key, value[0]);
        CHECK_EQUAL(key, value[63]);
    }
    fly(cache_of_handler, key);
    interruptions++;
    errno = error;
}

CASE("a signal handler may use the cache in the middle of a call")
{
    open_heap();
    cache_of_handler = open_cache();
    struct sigaction action = { .sa_handler = use_cache };
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval often = { { 0, 200 }, { 0, 200 } };
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int round = 0; interruptions < 300; round++) {
        int key = round % 8;
        char value[64];
        size_t size;
        memset(value, key, sizeof value);
        shm_cache_set(cache_of_handler, &key, sizeof key, value, sizeof value, 0, 0);
        if (shm_cache_get(cache_of_handler, &key, sizeof key, value, sizeof value, &size)) {
            CHECK_EQUAL(key, value[0]);
            CHECK_EQUAL(key, value[63]);
        }
        fly(cache_of_handler, key);
    }
    struct itimerval never = { { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &never, NULL);
    check_sound();
}
