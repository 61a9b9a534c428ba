/*
 * Counts the visits of all processes in one shared heap: run it several times, also at once.
 *
 *     cc visits.c $(pkg-config --cflags --libs shm_alloc) -o visits
 *     SHM_FILE=/dev/shm/visits ./visits
 */
#include <shm_alloc.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct board {
    _Atomic unsigned long visits;
    _Atomic shm_offt last; /* a text that the last visitor left */
};

static struct board *find_board(void)
{
    /* Whoever is first makes it; if two are first at once, one of them gives its own back. */
    uint64_t place = shm_read_root(0);
    if (place == SHM_NULL) {
        shm_offt made = shm_calloc(1, sizeof(struct board));
        if (made == SHM_NULL) {
            return NULL;
        }
        if (shm_compare_exchange_root(0, &place, made)) {
            place = made;
        } else {
            shm_free(made);
        }
    }
    return SHM_OFFT_TO_ADDR(place);
}

int main(void)
{
    struct board *board = find_board(); /* SHM_FILE was mapped before main */
    if (board == NULL) {
        fprintf(stderr, "visits: %s\n", shm_last_error_text());
        return 1;
    }

    unsigned long visit = atomic_fetch_add(&board->visits, 1) + 1;

    /* If we die before the text is whole, it is taken back. */
    struct shm_reservation text;
    if (!shm_reserve(100, &text)) {
        fprintf(stderr, "visits: %s\n", shm_last_error_text());
        return 1;
    }
    snprintf(SHM_OFFT_TO_ADDR(text.offset), 100, "visit %lu was by process %ld", visit, (long) getpid());
    shm_publish(&text);

    shm_offt before = atomic_exchange(&board->last, text.offset);
    printf("%s\n", before == SHM_NULL ? "nobody was here before" : (char *) SHM_OFFT_TO_ADDR(before));
    shm_free(before); /* whoever takes it away may free it, whichever process made it */
    return 0;
}
