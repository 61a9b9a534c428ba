/* One operation under one limit of the process: `limits LIMIT OPERATION` prints the answer as one word. The heap is at TEST_HEAP. An operation that
   needs no heap is done under the limit from the beginning; before the others the heap is opened without it, and a child dies in the middle of
   something. */
#define _GNU_SOURCE
#include "shm_alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_PERMITTED 77
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void require(bool is_so)
{
    if (!is_so) {
        perror("the limit");
        exit(NOT_PERMITTED);
    }
}

/* ---- The limits ---- */

static void limit_to(int resource, rlim_t value)
{
    struct rlimit limit = { value, value };
    require(setrlimit(resource, &limit) == 0);
}

static void limit_nothing(void)
{
}

static void limit_file_size(void)
{
    limit_to(RLIMIT_FSIZE, 1000000);
}

static void limit_address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    require(file != NULL && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    limit_to(RLIMIT_AS, pages * (rlim_t) sysconf(_SC_PAGESIZE) + 8000000);
}

static void limit_descriptors(void)
{
    int lowest_free = dup(0);
    close(lowest_free);
    limit_to(RLIMIT_NOFILE, (rlim_t) lowest_free);
}

/* Pages that may be written beside others that may not, until the kernel refuses one more mapping. */
static void limit_mappings(void)
{
    size_t page = (size_t) sysconf(_SC_PAGESIZE), pages = 1 << 20, index = 1;
    char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(memory != MAP_FAILED);
    while (index < pages && mprotect(memory + index * page, page, PROT_NONE) == 0) {
        index += 2;
    }
    require(index < pages);
}

static void limit_proc(void)
{
    require(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && umount2("/proc", MNT_DETACH) == 0);
}

/* As a sandbox that does not know these calls: memfd_create fails, and so does open with the flag of O_TMPFILE. */
static void limit_calls(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog filter = { COUNT(program), program };
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

static void on_alarm(int number)
{
    (void) number;
}

static void limit_time(void)
{
    struct sigaction action = { .sa_handler = on_alarm };
    struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
    require(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
}

static void limit_user(void)
{
    require(setuid(65534) == 0);
}

static void limit_root(void)
{
    require(chroot("/sys") == 0 && chdir("/") == 0);
}

/* The child goes on; the parent only passes on how it ended. */
static void limit_to_child(void)
{
    fflush(NULL);
    pid_t child = fork();
    require(child >= 0);
    if (child > 0) {
        int status = 0;
        waitpid(child, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}

static const struct {
    const char *name;
    void (*impose)(void);
} limits[] = {
    { "none", limit_nothing },          { "file size", limit_file_size }, { "address space", limit_address_space },
    { "descriptors", limit_descriptors }, { "mappings", limit_mappings }, { "no /proc", limit_proc },
    { "no O_TMPFILE", limit_calls },    { "1 ms timer", limit_time },     { "another user", limit_user },
    { "another root", limit_root },     { "forked child", limit_to_child },
};

/* ---- The operations ---- */

static const char *heap_path;
static int cache;

static bool open_heap(const char *path)
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = 60000000;
    options.maximum_bytes = 64000000;
    options.largest_bytes = SHM_NO_LIMIT;
    return shm_init_with(NULL, path, &options);
}

static bool create(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s2", heap_path);
    return open_heap(path) && shm_malloc(1000) != SHM_NULL;
}

static bool attach(void)
{
    return shm_init(NULL, heap_path) && shm_malloc(1000) != SHM_NULL;
}

static bool grow(void)
{
    return shm_grow(60000000);
}

static bool allocate(void)
{
    shm_offt place = shm_malloc(100);
    memset(place == SHM_NULL ? (char[100]) { 0 } : SHM_OFFT_TO_ADDR(place), 1, 100);
    return place != SHM_NULL;
}

static bool allocate_run(void)
{
    shm_offt place = shm_malloc(200000);
    if (place != SHM_NULL) {
        memset(SHM_OFFT_TO_ADDR(place), 1, 200000);
    }
    return place != SHM_NULL;
}

static bool set_and_get(void)
{
    char value[8] = "";
    return shm_cache_set(cache, "key", 3, "value", 6, 0, 0) && shm_cache_get(cache, "key", 3, value, sizeof value, NULL)
        && strcmp(value, "value") == 0;
}

static bool leave(void)
{
    shm_deinit();
    return true;
}

static void leave_something_to_recover(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct shm_reservation reservation;
        require(shm_reserve(5000, &reservation));
        raise(SIGKILL);
    }
    int status = 0;
    require(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

static const struct {
    const char *name;
    bool needs_heap;
    bool (*run)(void);
} operations[] = {
    { "recover", true, NULL },     { "create", false, create },         { "attach", false, attach },          { "grow", true, grow },
    { "malloc", true, allocate },  { "run", true, allocate_run },       { "set and get", true, set_and_get }, { "dispose", true, leave },
};

/* What shm_last_error() names, by the names of the header. */
static const char *name_of(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
#define NAME(code) { code, #code }
        NAME(SHM_E_OUT_OF_MEMORY), NAME(SHM_E_CONTENDED), NAME(SHM_E_NO_PARTICIPANT_SLOT), NAME(SHM_E_CANNOT_GROW), NAME(SHM_E_NO_DESCRIPTOR),
        NAME(SHM_E_FILE_DENIED), NAME(SHM_E_FILE_NOT_CURRENT), NAME(SHM_E_SYSTEM_FAILURE), NAME(SHM_E_SYSTEM_CALL),
        NAME(SHM_E_NOT_FOUND), NAME(SHM_E_FILE_SYSTEM_FULL), NAME(SHM_E_CANNOT_PREALLOCATE), NAME(SHM_E_ACCESS_DENIED), NAME(SHM_E_FOREIGN_OWNER),
        NAME(SHM_E_NO_HEAP), NAME(SHM_E_INITIALISING), NAME(SHM_E_MISSING), NAME(SHM_E_NO_CACHE),
    };
    for (size_t index = 0; index < COUNT(names); index++) {
        if (names[index].error == error) {
            return names[index].name;
        }
    }
    return "another error";
}

int main(int count, char **words)
{
    heap_path = getenv("TEST_HEAP");
    for (size_t limit = 0; count == 3 && heap_path != NULL && limit < COUNT(limits); limit++) {
        for (size_t at = 0; at < COUNT(operations); at++) {
            if (strcmp(words[1], limits[limit].name) != 0 || strcmp(words[2], operations[at].name) != 0) {
                continue;
            }
            if (operations[at].needs_heap) {
                require(shm_init(NULL, heap_path));
                cache = shm_cache_open("default", NULL);
                leave_something_to_recover();
            }
            limits[limit].impose();
            if (operations[at].run == NULL) {
                printf("%d", shm_recover_dead());
            } else {
                printf("%s", operations[at].run() ? "SHM_OK" : name_of(shm_last_error()));
            }
            fflush(stdout);
            return 0;
        }
    }
    return 2;
}
