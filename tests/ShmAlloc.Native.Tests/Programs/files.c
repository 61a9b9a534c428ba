/* The file of a heap: why it was not opened, whether it is the one under its path, and copies of it. */
#include "cases.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char other[4200];

static const char *beside(const char *suffix)
{
    snprintf(other, sizeof other, "%s%s", heap_path(), suffix);
    return other;
}

static void copy_heap_to(const char *to)
{
    char command[9000];
    snprintf(command, sizeof command, "cp '%s' '%s'", heap_path(), to);
    CHECK_EQUAL(0, system(command));
}

CASE("F7 why a heap was not opened is told by code, errno and a sentence")
{
    CHECK(!shm_init(NULL, beside("/x/heap")));
    CHECK_EQUAL(ENOENT, errno);
    CHECK_EQUAL(SHM_E_NOT_FOUND, shm_last_error());
    CHECK(strstr(shm_last_error_text(), "no such directory") != NULL);

    char name[300];
    memset(name, 'n', sizeof name);
    name[0] = '.';
    name[sizeof name - 1] = 0;
    CHECK(!shm_init(NULL, beside(name)));
    CHECK_EQUAL(ENAMETOOLONG, errno);
    CHECK_EQUAL(SHM_E_SYSTEM_CALL, shm_last_error());
    CHECK(strstr(shm_last_error_text(), "shorter name") != NULL);

    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(ENAMETOOLONG, errno);
    CHECK(strstr(shm_last_error_text(), "shorter name") != NULL);

    open_heap();
    CHECK_EQUAL(SHM_E_INVALID_OFFSET, shm_try_free(3));
    CHECK(strcmp(shm_last_error_text(), shm_strerror(SHM_E_INVALID_OFFSET)) == 0);
}

CASE("F7 a process without descriptors is told so")
{
    struct rlimit limit;
    CHECK_EQUAL(0, getrlimit(RLIMIT_NOFILE, &limit));
    open_heap();
    limit.rlim_cur = 3;
    CHECK_EQUAL(0, setrlimit(RLIMIT_NOFILE, &limit));
    CHECK(!shm_grow(64 << 20));
    CHECK_EQUAL(SHM_E_NO_DESCRIPTOR, shm_last_error());
    shm_deinit();
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(EMFILE, errno);
    CHECK(strstr(shm_last_error_text(), "RLIMIT_NOFILE") != NULL);
}

CASE("F6 a limit on the size of files is an answer and no signal")
{
    struct rlimit limit;
    CHECK_EQUAL(0, getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = 20 << 20;
    open_heap();
    CHECK_EQUAL(0, setrlimit(RLIMIT_FSIZE, &limit));
    CHECK(!shm_grow(64 << 20));
    CHECK_EQUAL(SHM_E_CANNOT_GROW, shm_last_error());
    shm_deinit();
    limit.rlim_cur = 1 << 20;
    CHECK_EQUAL(0, setrlimit(RLIMIT_FSIZE, &limit));
    CHECK(!shm_init(NULL, beside("-2")));
    CHECK_EQUAL(EFBIG, errno);
    CHECK_EQUAL(SHM_E_FILE_SYSTEM_FULL, shm_last_error());
    CHECK(strstr(shm_last_error_text(), "RLIMIT_FSIZE") != NULL);
}

CASE("F9 a heap says whether its file is the one under its path")
{
    CHECK(!shm_is_file_current());
    CHECK_EQUAL(SHM_E_NO_HEAP, shm_last_error());
    open_heap();
    CHECK(shm_is_file_current());
    CHECK_EQUAL(1, statistics().file_is_current);
    CHECK_EQUAL(0, rename(heap_path(), beside("-2")));
    CHECK(!shm_is_file_current());
    CHECK_EQUAL(SHM_E_FILE_NOT_CURRENT, shm_last_error());
    CHECK_EQUAL(0, statistics().file_is_current);
    CHECK_EQUAL(0, rename(beside("-2"), heap_path()));
    CHECK(shm_is_file_current());
}

CASE("F67 a copy of a heap in use is refused, and one that nobody used is a heap of its own")
{
    open_heap();
    copy_heap_to(beside("-2"));
    shm_deinit();
    CHECK(!shm_init(NULL, beside("-2")));
    CHECK_EQUAL(SHM_E_COPY_OF_LIVE_HEAP, shm_last_error());
    CHECK(strstr(shm_last_error_text(), "SHM_ALLOW_COPY") != NULL);

    struct shm_options options = SHM_OPTIONS_INIT;
    options.flags = SHM_ALLOW_COPY;
    CHECK(shm_init_with(NULL, beside("-2"), &options));
    CHECK_EQUAL(1, statistics().participants);
    shm_deinit();

    copy_heap_to(beside("-3"));
    CHECK(shm_init(NULL, beside("-3")));
    CHECK(shm_verify(NULL));
}
