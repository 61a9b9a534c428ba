/* Takes texts from a C# process, turns them round, and sends them back; an empty one ends it. See Program.cs. */
#include <shm_alloc.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    for (;;) {
        uint64_t question = shm_read_root(0);
        if (question == SHM_NULL) {
            if (get_shm_user_base() == NULL) {
                fprintf(stderr, "worker: %s\n", shm_last_error_text());
                return 1;
            }
            sched_yield();
            continue;
        }

        /* Another worker may be quicker: then the question is his. */
        uint64_t taken = question;
        if (!shm_compare_exchange_root(0, &taken, 0)) {
            continue;
        }
        const char *text = SHM_OFFT_TO_ADDR(question);
        size_t length = strlen(text);
        if (length == 0) {
            shm_free(question);
            return 0;
        }

        /* If we died here, the room for the answer would be taken back. */
        struct shm_reservation answer;
        if (!shm_reserve(length + 1, &answer)) {
            fprintf(stderr, "worker: %s\n", shm_last_error_text());
            return 1;
        }
        char *to = SHM_OFFT_TO_ADDR(answer.offset);
        for (size_t at = 0; at < length; at++) {
            to[at] = text[length - 1 - at];
        }
        to[length] = 0;
        shm_publish(&answer);
        shm_free(question);
        uint64_t none = 0;
        while (!shm_compare_exchange_root(1, &none, answer.offset)) {
            none = 0;
            sched_yield();
        }
    }
}
