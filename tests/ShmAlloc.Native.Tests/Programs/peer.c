/* Reads and frees what root 0 names, and leaves an answer under root 1. The heap is that in SHM_FILE. */
#include "shm_alloc.h"

#include <string.h>

int main(int count, char **words)
{
    uint64_t none = 0;
    shm_offt question = (shm_offt) shm_read_root(0);
    if (count != 3 || question == SHM_NULL || strcmp(SHM_OFFT_TO_ADDR(question), words[1]) != 0) {
        return 1;
    }

    struct shm_reservation answer;
    if (!shm_reserve(100, &answer)) {
        return 2;
    }

    strcpy(SHM_OFFT_TO_ADDR(answer.offset), words[2]);
    if (!shm_publish(&answer) || !shm_compare_exchange_root(1, &none, answer.offset)) {
        return 3;
    }

    return shm_try_free(question) == SHM_OK ? 0 : 4;
}
