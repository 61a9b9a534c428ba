/* What several programs do with a heap, and who they are. What only root can try ends with exit code 77 for others. */
#ifndef PARTICIPANTS_H
#define PARTICIPANTS_H

#include "cases.h"

enum { NOBODY = 65534, SKIPPED = 77 };

static inline void need_root(void)
{
    if (geteuid() != 0) {
        printf("only root can try this\n");
        exit(SKIPPED);
    }
}

/* Everything that a participant can do, in a heap that has room. */
static inline void use_everything(void)
{
    struct shm_reservation reservation;
    shm_offt places[64];
    for (int index = 0; index < 64; index++) {
        places[index] = shm_malloc((size_t) index * 64);
        CHECK(places[index] != SHM_NULL);
    }
    for (int index = 0; index < 64; index++) {
        CHECK_EQUAL(SHM_OK, shm_try_free(places[index]));
    }
    shm_offt zeros = shm_calloc(3, 1000);
    CHECK(zeros != SHM_NULL && shm_usable_size(zeros) >= 3000);
    shm_free(zeros);
    CHECK(shm_reserve(3000, &reservation) && shm_abandon(&reservation));
    CHECK(shm_reserve(100, &reservation) && shm_publish(&reservation));
    CHECK_EQUAL(SHM_OK, shm_try_free(reservation.offset));
    int cache = shm_cache_open("values", NULL);
    CHECK(cache >= 0 && shm_cache_set(cache, "key", 3, "value", 5, 0, 0));
    check_sound();
}

static inline void die_with_a_reservation(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct shm_reservation reservation;
        CHECK(shm_reserve(3000, &reservation));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

#endif
