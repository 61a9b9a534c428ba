/* Threads that come and go, and initialise at once. */
#include "cases.h"

#include <pthread.h>
#include <sys/mman.h>

static void *fixed_address;

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

CASE("threads come and go")
{
    open_heap();
    for (int round = 0; round < effort(25); round++) {
        pthread_t threads[4];
        for (size_t index = 0; index < 4; index++) {
            CHECK_EQUAL(0, pthread_create(&threads[index], NULL, work, (void *) (index + (size_t) round * 4 + 1)));
        }
        for (int index = 0; index < 4; index++) {
            pthread_join(threads[index], NULL);
        }
    }
    check_sound();
    CHECK_EQUAL(0, statistics().allocations);
    CHECK_EQUAL(1, statistics().participants);
}

static pthread_barrier_t barrier;

static void *initialise(void *argument)
{
    pthread_barrier_wait(&barrier);
    CHECK(shm_init(fixed_address, heap_path()));
    shm_offt place = shm_malloc(3000);
    CHECK(place != SHM_NULL);
    CHECK_EQUAL(SHM_OK, shm_try_free(place));
    return argument;
}

static void race(void)
{
    enum { COUNT = 8 };
    for (int round = 0; round < effort(30); round++) {
        pthread_t threads[COUNT];
        pthread_barrier_init(&barrier, NULL, COUNT);
        for (int index = 0; index < COUNT; index++) {
            CHECK_EQUAL(0, pthread_create(&threads[index], NULL, initialise, NULL));
        }
        for (int index = 0; index < COUNT; index++) {
            pthread_join(threads[index], NULL);
        }
        CHECK_EQUAL(1, statistics().participants);
        check_sound();
        shm_deinit();
        if (fixed_address != NULL) {
            /* The room stays taken, or the stacks of the next threads come to lie there. */
            CHECK(mmap(fixed_address, get_mapping_size_needed_by_shm(), PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == fixed_address);
        }
    }
}

CASE("any number of threads initialise at once, and one attachment is made")
{
    race();
}

CASE("any number of threads initialise at once at a fixed address")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    fixed_address = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int round = 0; round < effort(10); round++) {
        pid_t child = fork();
        if (child == 0) {
            race();
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
    }
}

CASE("any number of processes initialise at once")
{
    enum { COUNT = 12 };
    for (int round = 0; round < effort(10); round++) {
        pid_t children[COUNT];
        for (int index = 0; index < COUNT; index++) {
            children[index] = fork();
            if (children[index] == 0) {
                open_heap();
                CHECK(shm_malloc(100) != SHM_NULL);
                _exit(0);
            }
        }
        for (int index = 0; index < COUNT; index++) {
            CHECK_EQUAL(0, end_of(children[index]));
        }
        open_heap();
        CHECK_EQUAL(COUNT, statistics().allocations);
        check_sound();
        shm_deinit();
        unlink(heap_path());
    }
}

static void *work_until_closed(void *argument)
{
    pthread_barrier_wait(&barrier);
    while (shm_malloc(100) != SHM_NULL) {
    }
    return argument;
}

CASE("a thread that is in the middle of a call when another leaves the heap does not fault")
{
    for (int round = 0; round < effort(20); round++) {
        pthread_t thread;
        open_heap();
        pthread_barrier_init(&barrier, NULL, 2);
        CHECK_EQUAL(0, pthread_create(&thread, NULL, work_until_closed, NULL));
        pthread_barrier_wait(&barrier);
        shm_deinit();
        pthread_join(thread, NULL);
        unlink(heap_path());
    }
}
