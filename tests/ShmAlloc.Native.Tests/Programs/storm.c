/* Works in the heap in SHM_FILE until it is killed; says "ready" first. What is wrong ends it with 9. */
#include "shm_alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words)
{
    unsigned seed = count > 1 ? (unsigned) atoi(words[1]) : 1;
    if (get_shm_user_base() == NULL) {
        return 8;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct shm_reservation reservation;
        size_t size = (seed = seed * 1103515245u + 12345u) % 4096 + 1;
        shm_offt place = SHM_NULL;
        if (seed >> 16 & 1) {
            place = shm_malloc(size);
        } else if (shm_reserve(size, &reservation) && shm_publish(&reservation)) {
            place = reservation.offset;
        }
        if (place == SHM_NULL) {
            continue;
        }
        unsigned char *bytes = SHM_OFFT_TO_ADDR(place);
        memset(bytes, (int) (seed & 0xFF), size);
        for (size_t at = 0; at < size; at++) {
            if (bytes[at] != (seed & 0xFF)) {
                return 9;
            }
        }
        if (shm_try_free(place) != SHM_OK) {
            return 9;
        }
    }
}
