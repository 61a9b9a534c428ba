/*
 * Threads that fork while others are in the middle of calls. Not for address sanitisers, which hold locks of their own that
 * a child then waits for (seen with that of gcc 12: the quarantine's, at the end of a thread of the child).
 */
#include "cases.h"

#include <pthread.h>

static void *work(void *argument)
{
    unsigned seed = (unsigned) (size_t) argument;
    shm_offt held[32] = { 0 };
    for (int step = 0; step < 2000; step++) {
        unsigned which = (seed = seed * 1103515245u + 12345u) >> 16 & 31;
        if (held[which] != SHM_NULL) {
            CHECK_EQUAL(which, *(unsigned char *) SHM_OFFT_TO_ADDR(held[which]));
            CHECK_EQUAL(SHM_OK, shm_try_free(held[which]));
            held[which] = SHM_NULL;
        } else {
            held[which] = shm_malloc(seed % 4096 + 1);
            CHECK(held[which] != SHM_NULL);
            *(unsigned char *) SHM_OFFT_TO_ADDR(held[which]) = (unsigned char) which;
        }
    }
    for (int index = 0; index < 32; index++) {
        shm_free(held[index]);
    }
    return NULL;
}

static void *children_of_a_thread(void *argument)
{
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            CHECK_EQUAL(0, pthread_create(&thread, NULL, work, (void *) 77));
            work((void *) 78);
            pthread_join(thread, NULL);
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
    }
    return argument;
}

CASE("threads fork while others allocate, and the children start threads")
{
    pthread_t threads[2], worker;
    open_heap();
    for (int index = 0; index < 2; index++) {
        CHECK_EQUAL(0, pthread_create(&threads[index], NULL, children_of_a_thread, NULL));
    }
    for (size_t round = 1; round < 20; round++) {
        CHECK_EQUAL(0, pthread_create(&worker, NULL, work, (void *) round));
        pthread_join(worker, NULL);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    shm_recover_dead();
    check_sound();
    CHECK_EQUAL(0, statistics().allocations);
    CHECK_EQUAL(1, statistics().participants);
}
