/* A program that the tests give to root with the setuid bit: whether it has a heap, before main and after it asked for one (F43). */
#include "shm_alloc.h"

#include <unistd.h>

int main(void)
{
    bool at_load = get_shm_user_base() != NULL;
    bool asked = shm_init(NULL, NULL);
    printf("user %d: %s at load, %s when asked for, error %d\n", (int) geteuid(), at_load ? "a heap" : "no heap",
           asked ? "a heap" : "no heap", shm_last_error());
    return 0;
}
