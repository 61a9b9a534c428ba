/*
 * Limits of the process: each has a clear answer, nothing is lost, and no signal ends it. What only root can try ends with exit code 77 for others.
 */
#include "participants.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

static void make_heap(void)
{
    pid_t child = fork();
    if (child == 0) {
        open_heap();
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

static void drop_rights(void)
{
    CHECK_EQUAL(0, setgid(NOBODY));
    CHECK_EQUAL(0, setuid(NOBODY));
}

CASE("F47: a worker that is forked and drops its rights before it calls is told that permission is missing")
{
    need_root();
    open_heap();
    pid_t child = fork();
    if (child == 0) {
        drop_rights();
        CHECK(shm_malloc(100) == SHM_NULL);
        CHECK_EQUAL(SHM_E_ACCESS_DENIED, shm_last_error());
        CHECK_EQUAL(EACCES, errno);
        CHECK(strstr(shm_strerror(shm_last_error()), "permission") != NULL);
        CHECK(shm_malloc(3000) == SHM_NULL);
        CHECK_EQUAL(SHM_E_ACCESS_DENIED, shm_last_error());
        check_sound();
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    use_everything();
}

CASE("F47: in the documented order, the file given away first, the worker has everything")
{
    need_root();
    open_heap();
    CHECK_EQUAL(0, chown(heap_path(), NOBODY, NOBODY));
    pid_t child = fork();
    if (child == 0) {
        drop_rights();
        use_everything();
        CHECK(shm_grow(1 << 20));
        CHECK_EQUAL(2, statistics().participants);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(1, shm_recover_dead());
    use_everything();
}

static void check_cannot_grow(void)
{
    CHECK(shm_last_error() >= SHM_E_CANNOT_GROW && shm_last_error() < SHM_E_SYSTEM_CALL);
}

/* What a process that lost its way to the file still can: all but to create room, and it sees the room that others create. */
static void go_on_without_the_file(void (*lose)(void))
{
    int go_on[2], ready[2];
    char byte = 0;
    CHECK(pipe(go_on) == 0 && pipe(ready) == 0);
    open_heap();
    pid_t child = fork();
    if (child == 0) {
        CHECK(shm_malloc(3000) != SHM_NULL);
        lose();
        use_everything();
        CHECK(!shm_grow(1 << 20));
        check_cannot_grow();
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        CHECK_EQUAL(1, read(go_on[0], &byte, 1));
        CHECK(statistics().committed_bytes >= 24 << 20);
        for (int index = 0; index < 4000; index++) {
            CHECK(shm_malloc(4000) != SHM_NULL);
        }
        use_everything();
        _exit(0);
    }
    close(ready[1]);
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    CHECK(shm_grow(8 << 20));
    CHECK_EQUAL(1, write(go_on[1], &byte, 1));
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(1, shm_recover_dead());
    check_sound();
}

CASE("F47: a process that drops its rights where it has a slot goes on, and sees what others make room for")
{
    need_root();
    go_on_without_the_file(drop_rights);
}

static void change_root(void)
{
    char directory[4200];
    snprintf(directory, sizeof directory, "%s-root", heap_path());
    CHECK_EQUAL(0, mkdir(directory, 0700));
    CHECK_EQUAL(0, chroot(directory));
    CHECK_EQUAL(0, chdir("/"));
}

CASE("after chroot a process goes on where it has a slot")
{
    need_root();
    go_on_without_the_file(change_root);
    char directory[4200];
    snprintf(directory, sizeof directory, "%s-root", heap_path());
    CHECK_EQUAL(0, rmdir(directory));
}

static void hide_proc(void)
{
    if (unshare(CLONE_NEWNS) != 0) {
        printf("not permitted: %s\n", strerror(errno));
        exit(SKIPPED);
    }
    CHECK_EQUAL(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    CHECK_EQUAL(0, mount("none", "/proc", "tmpfs", 0, NULL));
}

static void *use(void *argument)
{
    use_everything();
    return argument;
}

CASE("without /proc a heap is made, grown, shared and left")
{
    need_root();
    hide_proc();
    open_heap();
    use_everything();
    CHECK(shm_grow(1 << 20));
    die_with_a_reservation();
    CHECK_EQUAL(1, shm_recover_dead());
    pthread_t thread;
    CHECK_EQUAL(0, pthread_create(&thread, NULL, use, NULL));
    pthread_join(thread, NULL);
    shm_deinit();
    /* Free room can be had at a fixed address; whether somebody reserved it cannot be known. */
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(!shm_init(room, heap_path()));
    CHECK_EQUAL(SHM_E_ADDRESS_IN_USE, shm_last_error());
    munmap(room, bytes);
    CHECK(shm_init(room, heap_path()));
    use_everything();
    CHECK_EQUAL(1, statistics().participants);
}

/* System calls fail with an error, as sandboxes have them do. */
static void forbid(int error, unsigned open_flags)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, open_flags, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    CHECK_EQUAL(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_EQUAL(0, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

CASE("in a sandbox without unnamed files a heap is made all the same")
{
    static const int errors[] = { EPERM, ENOSYS, EOPNOTSUPP, EINVAL };
    for (size_t index = 0; index < sizeof errors / sizeof *errors; index++) {
        pid_t child = fork();
        if (child == 0) {
            /* The bit of O_TMPFILE that is its own. */
            forbid(errors[index], O_TMPFILE & ~O_DIRECTORY);
            CHECK(syscall(SYS_openat, AT_FDCWD, "/dev/shm", O_TMPFILE | O_RDWR, 0600) < 0);
            open_heap();
            use_everything();
            CHECK(shm_grow(1 << 20));
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
        unlink(heap_path());
    }
}

static volatile sig_atomic_t ticks;

static void tick(int number)
{
    (void) number;
    ticks++;
}

CASE("with a timer of 1 ms, whose signals interrupt system calls, every slow call ends and succeeds")
{
    struct sigaction action = { .sa_handler = tick };
    struct itimerval timer = { { 0, 1000 }, { 0, 1000 } }, none = { { 0, 0 }, { 0, 0 } };
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = 256 << 20;
    options.maximum_bytes = 512 << 20;
    options.largest_bytes = SHM_NO_LIMIT;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    CHECK(ticks > 0);
    use_everything();
    CHECK(shm_grow(64 << 20));
    shm_offt zeros = shm_calloc(1, 100 << 20);
    CHECK(zeros != SHM_NULL && ((char *) SHM_OFFT_TO_ADDR(zeros))[(100 << 20) - 1] == 0);
    for (int round = 0; round < 50; round++) {
        pid_t child = fork();
        if (child == 0) {
            setitimer(ITIMER_REAL, &timer, NULL);
            struct shm_reservation reservation;
            CHECK(shm_reserve(3000, &reservation));
            use_everything();
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
        CHECK_EQUAL(1, shm_recover_dead());
    }
    check_sound();
    shm_deinit();
    CHECK(shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_OK, shm_try_free(zeros));
    setitimer(ITIMER_REAL, &none, NULL);
}

CASE("without a descriptor to be had, calls that need one say so, and the others go on")
{
    struct rlimit limit, none = { 0, 0 };
    make_heap();
    open_heap();
    use_everything();
    CHECK_EQUAL(0, getrlimit(RLIMIT_NOFILE, &limit));
    none.rlim_max = limit.rlim_max;
    CHECK_EQUAL(0, setrlimit(RLIMIT_NOFILE, &none));
    use_everything();
    CHECK(!shm_grow(1 << 20));
    check_cannot_grow();
    CHECK_EQUAL(0, shm_recover_dead());
    shm_deinit();
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_SYSTEM_CALL, shm_last_error());
    CHECK_EQUAL(EMFILE, errno);
    CHECK_EQUAL(0, setrlimit(RLIMIT_NOFILE, &limit));
    open_heap();
    CHECK(shm_grow(1 << 20));
    use_everything();
}

CASE("without address space for the maximum size, opening says so")
{
    struct rlimit limit, little;
    CHECK_EQUAL(0, getrlimit(RLIMIT_AS, &limit));
    little = limit;
    little.rlim_cur = 200 << 20;
    CHECK_EQUAL(0, setrlimit(RLIMIT_AS, &little));
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_SYSTEM_CALL, shm_last_error());
    CHECK_EQUAL(ENOMEM, errno);
    CHECK_EQUAL(-1, access(heap_path(), F_OK));
    CHECK_EQUAL(0, setrlimit(RLIMIT_AS, &limit));
    open_heap();
    use_everything();
}
