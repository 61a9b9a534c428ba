/* A signal handler may call everything, whatever it interrupts. */
#include "cases.h"

#include <sys/time.h>

static volatile sig_atomic_t signals, refused;

static void allocate_in_handler(int number)
{
    (void) number;
    int error = errno;
    static unsigned seed = 1;
    shm_offt places[6];
    for (int index = 0; index < 6; index++) {
        size_t size = (seed = seed * 1103515245u + 12345u) % 4096 + 1;
        places[index] = index % 2 ? shm_malloc(size) : shm_calloc(1, size);
        if (places[index] == SHM_NULL) {
            refused++;
        } else {
            memset(SHM_OFFT_TO_ADDR(places[index]), 0x5A, size);
        }
    }
    struct shm_reservation reservation;
    if (shm_reserve(700, &reservation)) {
        if (!(seed >> 16 & 1 ? shm_publish(&reservation) && shm_try_free(reservation.offset) == SHM_OK : shm_abandon(&reservation))) {
            _exit(3);
        }
    } else {
        refused++;
    }
    for (int index = 0; index < 6; index++) {
        if (shm_try_free(places[index]) != SHM_OK) {
            _exit(4);
        }
    }
    (void) shm_usable_size(4096);
    (void) get_shm_user_base();
    signals++;
    errno = error;
}

static void start_timer(int microseconds)
{
    struct sigaction action = { .sa_handler = allocate_in_handler, .sa_flags = SA_RESTART };
    struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void stop_timer(void)
{
    struct itimerval timer = { { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &timer, NULL);
}

CASE("handlers allocate and free in the middle of allocations")
{
    enum { LIVE = 200 };
    shm_offt held[LIVE] = { 0 };
    size_t sizes[LIVE];
    unsigned seed = 99;
    open_heap();
    start_timer(50);
    while (signals < effort(20000)) {
        unsigned which = (seed = seed * 1103515245u + 12345u) >> 8 & 127;
        if (held[which] != SHM_NULL) {
            unsigned char *bytes = SHM_OFFT_TO_ADDR(held[which]);
            CHECK_EQUAL(which, bytes[0]);
            CHECK_EQUAL(which, bytes[sizes[which] - 1]);
            CHECK_EQUAL(SHM_OK, shm_try_free(held[which]));
            held[which] = SHM_NULL;
        } else {
            sizes[which] = seed % 4096 + 1;
            held[which] = shm_malloc(sizes[which]);
            CHECK(held[which] != SHM_NULL);
            memset(SHM_OFFT_TO_ADDR(held[which]), (int) which, sizes[which]);
        }
    }
    stop_timer();
    for (int index = 0; index < LIVE; index++) {
        shm_free(held[index]);
    }
    check_sound();
    CHECK_EQUAL(0, statistics().allocations);
    CHECK_EQUAL(0, refused);
}

CASE("handlers allocate while the heap is opened, left and opened again")
{
    int opened = 0;
    open_heap();
    start_timer(70);
    while (signals < effort(2000)) {
        /* Leaving is not for handlers, and not to be interrupted by calls; opening is. */
        sigset_t all, before;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before);
        shm_deinit();
        sigprocmask(SIG_SETMASK, &before, NULL);
        refused = 0;
        open_heap();
        opened++;
    }
    stop_timer();
    CHECK(opened > 0);
    check_sound();
    CHECK_EQUAL(0, statistics().allocations);
}

CASE("handlers allocate in children that have just been forked")
{
    open_heap();
    for (int round = 0; round < effort(50); round++) {
        signals = 0;
        pid_t child = fork();
        if (child == 0) {
            start_timer(60);
            for (int index = 0; signals < 20; index++) {
                CHECK_EQUAL(SHM_OK, shm_try_free(shm_malloc((size_t) (index % 4096) + 1)));
            }
            stop_timer();
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
    }
    CHECK(shm_recover_dead() > 0);
    check_sound();
    CHECK_EQUAL(0, statistics().allocations);
}
