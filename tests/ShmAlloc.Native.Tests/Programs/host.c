/* What a host notices of the library: nothing. */
#include "cases.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static int count_entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static void use_everything(void)
{
    struct shm_reservation reservation;
    shm_offt places[64];
    for (int index = 0; index < 64; index++) {
        places[index] = shm_malloc((size_t) index * 64);
    }
    for (int index = 0; index < 64; index++) {
        shm_free(places[index]);
    }
    CHECK(shm_reserve(2000, &reservation) && shm_abandon(&reservation));
    CHECK(shm_grow(1 << 20));
    shm_recover_dead();
    shm_trim();
    (void) statistics();
    check_sound();
}

CASE("no descriptor stays open")
{
    int before = count_entries("/proc/self/fd");
    open_heap();
    CHECK_EQUAL(before, count_entries("/proc/self/fd"));
    use_everything();
    CHECK_EQUAL(before, count_entries("/proc/self/fd"));
    shm_deinit();
    CHECK_EQUAL(before, count_entries("/proc/self/fd"));
}

CASE("no thread is started, and no signal disposition or mask changed")
{
    struct sigaction before[65], after;
    sigset_t mask_before, mask_after;
    for (int number = 1; number < 65; number++) {
        sigaction(number, NULL, &before[number]);
    }
    sigprocmask(SIG_SETMASK, NULL, &mask_before);
    open_heap();
    use_everything();
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    CHECK(memcmp(&mask_before, &mask_after, 8) == 0);
    for (int number = 1; number < 65; number++) {
        if (sigaction(number, NULL, &after) == 0) {
            CHECK(after.sa_handler == before[number].sa_handler && after.sa_flags == before[number].sa_flags);
        }
    }
    CHECK_EQUAL(3, count_entries("/proc/self/task"));
}

CASE("it survives a host that closes every descriptor it does not know")
{
    open_heap();
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        close(descriptor);
    }
    use_everything();
    pid_t child = fork();
    if (child == 0) {
        use_everything();
        CHECK_EQUAL(2, statistics().participants);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(1, shm_recover_dead());
    shm_offt place = shm_malloc(100);
    CHECK_EQUAL(SHM_OK, shm_try_free(place));
}

CASE("it works in a host that has closed its standard streams, and leaves them closed")
{
    int errors = dup(2);
    close(0);
    close(1);
    close(2);
    bool is_open = shm_init(NULL, heap_path());
    bool is_grown = shm_grow(1 << 20);
    bool is_closed = write(0, "x", 1) < 0 && write(1, "x", 1) < 0 && write(2, "x", 1) < 0;
    dup2(errors, 2);
    CHECK(is_open && is_grown && is_closed);
    check_sound();
}

CASE("nothing is written to the standard streams")
{
    int pipe_ends[2];
    char byte;
    CHECK_EQUAL(0, pipe(pipe_ends));
    int errors = dup(2);
    dup2(pipe_ends[1], 1);
    dup2(pipe_ends[1], 2);
    CHECK(!shm_init(NULL, "/dev/null/none"));
    CHECK(shm_init(NULL, heap_path()));
    use_everything();
    shm_free(12345);
    shm_deinit();
    dup2(errors, 1);
    dup2(errors, 2);
    close(pipe_ends[1]);
    CHECK_EQUAL(0, read(pipe_ends[0], &byte, 1));
}

CASE("errno is left alone by what succeeds, and says something after what fails")
{
    errno = 99;
    open_heap();
    CHECK_EQUAL(99, errno);
    use_everything();
    CHECK_EQUAL(99, errno);
    CHECK(shm_calloc(10, 100) != SHM_NULL && ptr_malloc(4096) != NULL && get_shm_user_base() != NULL);
    CHECK_EQUAL(99, errno);
    pid_t child = fork();
    if (child == 0) {
        CHECK(shm_malloc(4000) != SHM_NULL);
        CHECK_EQUAL(99, errno);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    shm_free(1);
    ptr_free(&child);
    CHECK_EQUAL(99, errno);
    shm_deinit();
    CHECK_EQUAL(99, errno);
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(ENOENT, errno);
}

CASE("the reason of a failure belongs to the thread")
{
    open_heap();
    CHECK(shm_malloc(SIZE_MAX) == SHM_NULL);
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    shm_free(shm_malloc(1));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
}

static shm_offt kept;

static void at_exit(void)
{
    shm_offt place = shm_malloc(3000);
    CHECK(place != SHM_NULL);
    strcpy(SHM_OFFT_TO_ADDR(place), "at exit");
    CHECK_EQUAL(SHM_OK, shm_try_free(place));
    CHECK_EQUAL(SHM_OK, shm_try_free(kept));
}

__attribute__((destructor)) static void at_the_very_end(void)
{
    if (kept != SHM_NULL) {
        shm_offt place = shm_malloc(100);
        CHECK(place != SHM_NULL);
        CHECK_EQUAL(SHM_OK, shm_try_free(place));
        check_sound();
    }
}

CASE("exit handlers and destructors still allocate")
{
    atexit(at_exit);
    open_heap();
    kept = shm_malloc(10);
}
