/* Leaving the heap while others use it, come to it or fork (F42, F48, F50). */
#include "cases.h"

#include <pthread.h>
#include <semaphore.h>

static pthread_barrier_t start;

static void *leave(void *argument)
{
    pthread_barrier_wait(&start);
    shm_deinit();
    return argument;
}

static void *come(void *argument)
{
    pthread_barrier_wait(&start);
    for (int time = 0; time < 5; time++) {
        CHECK(shm_init(NULL, heap_path()));
    }
    return argument;
}

static void *leave_often(void *argument)
{
    pthread_barrier_wait(&start);
    for (int time = 0; time < 20; time++) {
        shm_deinit();
    }
    return argument;
}

CASE("F42: the first call of a forked child beside another of its threads that leaves the heap")
{
    open_heap();
    shm_offt from_parent = shm_malloc(3000);
    for (int round = 0; round < effort(700); round++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            pthread_barrier_init(&start, NULL, 2);
            CHECK_EQUAL(0, pthread_create(&thread, NULL, leave, NULL));
            pthread_barrier_wait(&start);
            for (int delay = round % 50 * 20; delay > 0; delay--) {
                __asm__ volatile("");
            }
            shm_offt place = shm_malloc(round % 2 ? 3000 : 100);
            CHECK(place == SHM_NULL || shm_try_free(place) != SHM_E_INVALID_SIZE);
            pthread_join(thread, NULL);
            CHECK(shm_malloc(1) == SHM_NULL);
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
    }
    shm_recover_dead();
    CHECK_EQUAL(1, statistics().participants);
    CHECK_EQUAL(SHM_OK, shm_try_free(from_parent));
    check_sound();
}

CASE("F48: opening beside leaving ends with an open heap, or without one, never with a closed one")
{
    pthread_barrier_init(&start, NULL, 4);
    for (int round = 0; round < effort(500); round++) {
        pthread_t threads[4];
        for (int index = 0; index < 4; index++) {
            CHECK_EQUAL(0, pthread_create(&threads[index], NULL, index < 3 ? come : leave_often, NULL));
        }
        for (int index = 0; index < 4; index++) {
            pthread_join(threads[index], NULL);
        }
        bool is_open = get_shm_user_base() != NULL;
        shm_offt place = shm_malloc(100);
        CHECK_EQUAL(is_open, place != SHM_NULL);
        CHECK(is_open || shm_last_error() == SHM_E_NO_HEAP);
        shm_free(place);
        /* Whatever came of it, children have what their parent has. */
        pid_t child = round % 10 == 0 ? fork() : -1;
        if (child == 0) {
            _exit((shm_malloc(100) != SHM_NULL) == is_open ? 0 : 1);
        }
        CHECK(child < 0 || end_of(child) == 0);
        open_heap();
        CHECK(shm_malloc(100) != SHM_NULL);
        if (round % 2) {
            shm_deinit();
        }
    }
}

static volatile bool is_over;
static char paths[2][4200];

static void *move_between_heaps(void *argument)
{
    int rounds = effort(1000);
    for (int round = 0; round < rounds; round++) {
        shm_deinit();
        CHECK(shm_init(NULL, paths[round & 1]));
    }
    is_over = true;
    return argument;
}

CASE("F50: what ptr_malloc allocates it also returns, whatever heap the process has meanwhile")
{
    pthread_t thread;
    uint64_t given = 0;
    setenv("SHM_MAX_ALLOCATABLE_SHM_SIZE", "16M", 1);
    setenv("SHM_INITIAL_SIZE", "16M", 1);
    for (int index = 0; index < 2; index++) {
        snprintf(paths[index], sizeof paths[index], "%s-%d", heap_path(), index);
        CHECK(shm_init(NULL, paths[index]));
        shm_deinit();
    }
    CHECK(shm_init(NULL, paths[0]));
    CHECK_EQUAL(0, pthread_create(&thread, NULL, move_between_heaps, NULL));
    while (!is_over) {
        given += ptr_malloc(32) != NULL;
    }
    pthread_join(thread, NULL);
    uint64_t allocated = 0;
    for (int index = 0; index < 2; index++) {
        shm_deinit();
        CHECK(shm_init(NULL, paths[index]));
        unlink(paths[index]);
        check_sound();
        allocated += statistics().allocations;
    }
    CHECK_EQUAL(given, allocated);
}

static sem_t go_on;

static void *idle(void *argument)
{
    sem_wait(&go_on);
    return argument;
}

CASE("what was reserved or leased when the heap was left is given back, also beside other threads")
{
    pthread_t thread;
    struct shm_reservation reservation;
    struct shm_cache_lease lease;
    CHECK_EQUAL(0, sem_init(&go_on, 0, 0));
    CHECK_EQUAL(0, pthread_create(&thread, NULL, idle, NULL));
    for (int round = 0; round < 20; round++) {
        open_heap();
        int cache = shm_cache_open("values", NULL);
        CHECK(cache >= 0 && shm_cache_set(cache, "key", 3, "value", 5, 0, 0));
        CHECK(shm_reserve(3000, &reservation));
        CHECK(shm_cache_lease(cache, "key", 3, &lease));
        shm_deinit();
        CHECK(!shm_publish(&reservation));
        open_heap();
        CHECK_EQUAL(1, statistics().participants);
        CHECK(!shm_publish(&reservation));
        CHECK_EQUAL(SHM_E_STALE_RESERVATION, shm_last_error());
        shm_cache_release(&lease);
        shm_deinit();
    }
    sem_post(&go_on);
    pthread_join(thread, NULL);
}
