/* The heap's clock, as processes see it that cannot open the files of /proc by which the kernel tells what its clock means. */
#include "cases.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { ANCHOR_AT = 2432, HOUR = 3600 * 1000, MINUTE = 60 * 1000 };

/* Moves the clock of all processes that have not used it yet: nobody but root can set the kernel's. */
static uint64_t move_anchor(int64_t milliseconds)
{
    uint64_t anchor;
    int file = open(heap_path(), O_RDWR);
    CHECK_EQUAL(sizeof anchor, pread(file, &anchor, sizeof anchor, ANCHOR_AT));
    anchor += (uint64_t) milliseconds;
    CHECK(milliseconds == 0 || pwrite(file, &anchor, sizeof anchor, ANCHOR_AT) == sizeof anchor);
    close(file);
    return anchor;
}

static void set(const char *key)
{
    int cache = shm_cache_open("values", NULL);
    CHECK(cache >= 0 && shm_cache_set(cache, key, strlen(key), "value", 5, MINUTE, 0));
}

static void get(const char *key)
{
    char value[8];
    size_t bytes;
    int cache = shm_cache_open("values", NULL);
    CHECK(cache >= 0 && shm_cache_get(cache, key, strlen(key), value, sizeof value, &bytes));
    CHECK_EQUAL(5, bytes);
}

static void in_a_new_process(void (*use)(const char *), const char *key)
{
    pid_t child = fork();
    if (child == 0) {
        use(key);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

/* The slot needs one: so it is taken first. */
static void lose_descriptors(void)
{
    struct rlimit limit;
    CHECK(shm_malloc(3000) != SHM_NULL);
    CHECK_EQUAL(0, getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 0;
    CHECK_EQUAL(0, setrlimit(RLIMIT_NOFILE, &limit));
    CHECK(open("/proc/sys/kernel/random/boot_id", O_RDONLY) < 0);
}

CASE("a process without descriptors goes by the clock that the heap has, and changes it for nobody")
{
    open_heap();
    in_a_new_process(set, "first");
    uint64_t anchor = move_anchor(-HOUR);
    in_a_new_process(set, "old");
    pid_t child = fork();
    if (child == 0) {
        lose_descriptors();
        set("new");
        CHECK_EQUAL(EMFILE, errno);
        get("old");
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(anchor, move_anchor(0));
    in_a_new_process(get, "old");
    in_a_new_process(get, "new");
}

CASE("where the heap has no clock yet, a process without descriptors sets it until one comes that knows better")
{
    int ready[2], go_on[2];
    char byte = 0;
    CHECK(pipe(ready) == 0 && pipe(go_on) == 0);
    open_heap();
    pid_t child = fork();
    if (child == 0) {
        close(go_on[1]);
        lose_descriptors();
        set("first");
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        CHECK_EQUAL(1, read(go_on[0], &byte, 1));
        get("first");
        get("second");
        _exit(0);
    }
    close(ready[1]);
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    uint64_t preliminary = move_anchor(0);
    CHECK_EQUAL(2, preliminary >> 48);
    in_a_new_process(get, "first");
    uint64_t anchor = move_anchor(-HOUR);
    CHECK((anchor >> 48) % 2 == 1);
    in_a_new_process(set, "second");
    CHECK_EQUAL(1, write(go_on[1], &byte, 1));
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(anchor, move_anchor(0));
    in_a_new_process(get, "second");
}
