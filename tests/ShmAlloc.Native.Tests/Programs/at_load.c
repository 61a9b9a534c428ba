/* SHM_FILE is set before these programs start. */
#include "cases.h"

static shm_offt before_main;
static void *base_before_main;

__attribute__((constructor)) static void constructor(void)
{
    base_before_main = get_shm_user_base();
    before_main = shm_malloc(50);
}

CASE("the heap is mapped before main")
{
    CHECK(base_before_main != NULL);
    CHECK(before_main != SHM_NULL);
    CHECK_EQUAL(SHM_OK, shm_try_free(before_main));
    CHECK(shm_init(NULL, NULL));
    CHECK(get_shm_user_base() == base_before_main);
}

CASE("a program that is started by another shares its heap")
{
    if (getenv("SECOND") != NULL) {
        CHECK(strcmp(SHM_OFFT_TO_ADDR((shm_offt) shm_read_root(0)), "for the other") == 0);
        exit(0);
    }
    uint64_t none = 0;
    shm_offt text = shm_malloc(100);
    strcpy(SHM_OFFT_TO_ADDR(text), "for the other");
    CHECK(shm_compare_exchange_root(0, &none, text));
    pid_t child = fork();
    if (child == 0) {
        setenv("SECOND", "yes", 1);
        execl("/proc/self/exe", "second", "a program that is started by another shares its heap", (char *) NULL);
        _exit(1);
    }
    CHECK_EQUAL(0, end_of(child));
}
