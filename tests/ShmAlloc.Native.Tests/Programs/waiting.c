/* Who waits for a value that another one works out, and for how long. */
#include "flights.h"

#include <pthread.h>

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
