/*
 * Limits of the process: each has a clear answer, nothing is lost, and no signal ends it. What only root can try ends with exit code 77 for others.
 */
#include "cases.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { NOBODY = 65534, SKIPPED = 77 };

static void need_root(void)
{
    if (geteuid() != 0) {
        printf("only root can try this\n");
        exit(SKIPPED);
    }
}

/* Everything that a participant can do, in a heap that has room. */
static void use_everything(void)
{
    struct shm_reservation reservation;
    shm_offt places[64];
    for (int index = 0; index < 64; index++) {
        places[index] = shm_malloc((size_t) index * 64);
        CHECK(places[index] != SHM_NULL);
    }
    for (int index = 0; index < 64; index++) {
        CHECK_EQUAL(SHM_OK, shm_try_free(places[index]));
    }
    shm_offt zeros = shm_calloc(3, 1000);
    CHECK(zeros != SHM_NULL && shm_usable_size(zeros) >= 3000);
    shm_free(zeros);
    CHECK(shm_reserve(3000, &reservation) && shm_abandon(&reservation));
    CHECK(shm_reserve(100, &reservation) && shm_publish(&reservation));
    CHECK_EQUAL(SHM_OK, shm_try_free(reservation.offset));
    int cache = shm_cache_open("values", NULL);
    CHECK(cache >= 0 && shm_cache_set(cache, "key", 3, "value", 5, 0, 0));
    check_sound();
}

static void make_heap(void)
{
    pid_t child = fork();
    if (child == 0) {
        open_heap();
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

static void die_with_a_reservation(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct shm_reservation reservation;
        CHECK(shm_reserve(3000, &reservation));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

/* The library's calls of the C library come here. */
static int opens, opens_in_recovery, asked;
static void (*in_recovery)(void);

static void act(void)
{
    void (*what)(void) = in_recovery;
    in_recovery = NULL;
    if (what != NULL) {
        what();
    }
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    opens++;
    if (in_recovery != NULL && ++opens_in_recovery == 2) {
        act();
    }
    return (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fcntl(int descriptor, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int result = (int) syscall(SYS_fcntl, descriptor, command, argument);
    asked++;
    if (command == F_OFD_SETLK && result == 0 && ((struct flock *) argument)->l_type == F_WRLCK) {
        act();
    }
    return result;
}

int madvise(void *address, size_t bytes, int advice)
{
    enum { POPULATE_READ = 22 };
    if (advice == POPULATE_READ) {
        act();
    }
    return (int) syscall(SYS_madvise, address, bytes, advice);
}

static int go_on[2];

/* A thread of a host forks while another one recovers; then the recoverer dies, and the child lives. */
static void fork_and_die(void)
{
    if (fork() == 0) {
        char byte;
        close(go_on[1]);
        _exit(read(go_on[0], &byte, 1) == 0 ? 0 : 1);
    }
    kill(getpid(), SIGKILL);
}

CASE("F45: a recoverer that dies is recovered, and whom it was about to recover, although a child lives that was forked meanwhile")
{
    int ready[2], recover[2];
    char byte = 0;
    CHECK(pipe(go_on) == 0 && pipe(ready) == 0 && pipe(recover) == 0);
    open_heap();
    pid_t recoverer = fork();
    if (recoverer == 0) {
        CHECK(shm_malloc(3000) != SHM_NULL);
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        CHECK_EQUAL(1, read(recover[0], &byte, 1));
        in_recovery = fork_and_die;
        shm_recover_dead();
        _exit(1);
    }
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    die_with_a_reservation();
    /* So that it has to find out how long the file is, in the middle of the recovery. */
    CHECK(shm_grow(1 << 20));
    CHECK_EQUAL(1, write(recover[1], &byte, 1));
    CHECK_EQUAL(1000 + SIGKILL, end_of(recoverer));
    CHECK_EQUAL(2, shm_recover_dead());
    CHECK_EQUAL(1, statistics().participants);
    close(go_on[1]);
    check_sound();
}

/* From 0 on it counts: the second of a growth's steps fails, and where the library takes back what the first one got, a thread forks, and the grower dies. */
static int preallocations = -1;

int fallocate(int descriptor, int mode, off_t offset, off_t bytes)
{
    enum { PUNCH_HOLE = 2 };
    if (preallocations >= 0 && (mode & PUNCH_HOLE) != 0) {
        preallocations = -1;
        fork_and_die();
    }
    if (preallocations >= 0 && ++preallocations == 2) {
        errno = ENOSPC;
        return -1;
    }
    return (int) syscall(SYS_fallocate, descriptor, mode, offset, bytes);
}

CASE("F45: a grower that dies while it gives back keeps nobody from growing, although a child lives that was forked meanwhile")
{
    CHECK(pipe(go_on) == 0);
    open_heap();
    pid_t grower = fork();
    if (grower == 0) {
        CHECK(shm_malloc(3000) != SHM_NULL);
        preallocations = 0;
        shm_grow(20 << 20);
        _exit(1);
    }
    CHECK_EQUAL(1000 + SIGKILL, end_of(grower));
    CHECK(shm_grow(2 << 20));
    close(go_on[1]);
    check_sound();
}

CASE("F44: who may only read the file cannot keep the dead from being recovered")
{
    int ready[2];
    char byte = 0;
    need_root();
    setenv("SHM_FILE_MODE", "644", 1);
    CHECK(pipe(go_on) == 0 && pipe(ready) == 0);
    open_heap();
    pid_t reader = fork();
    if (reader == 0) {
        CHECK_EQUAL(0, setuid(NOBODY));
        int file = open(heap_path(), O_RDONLY);
        struct flock all = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
        CHECK(file >= 0);
        all.l_start = (off_t) 1 << 62;
        /* The byte of the living is held for writing; all others are his. */
        all.l_start++;
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        CHECK_EQUAL(1, read(go_on[0], &byte, 1));
        CHECK_EQUAL(0, fcntl(file, F_OFD_SETLK, &all));
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        CHECK_EQUAL(0, read(go_on[0], &byte, 1));
        _exit(0);
    }
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    die_with_a_reservation();
    CHECK_EQUAL(1, write(go_on[1], &byte, 1));
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    CHECK_EQUAL(1, shm_recover_dead());
    CHECK_EQUAL(1, statistics().participants);
    use_everything();
    kill(reader, SIGKILL);
    end_of(reader);
}

CASE("F49: without a slot to be had a call asks the kernel now and then, and not each time for each slot")
{
    enum { SLOTS = 24, CALLS = 320 };
    int ready[2], died[2];
    char byte = 0;
    pid_t others[SLOTS];
    struct shm_options options = SHM_OPTIONS_INIT;
    options.participants = SLOTS;
    CHECK(pipe(go_on) == 0 && pipe(ready) == 0 && pipe(died) == 0);
    CHECK(shm_init_with(NULL, heap_path(), &options));
    for (int index = 1; index < SLOTS; index++) {
        others[index] = fork();
        if (others[index] == 0) {
            CHECK(shm_malloc(3000) != SHM_NULL);
            CHECK_EQUAL(1, write(ready[1], &byte, 1));
            close(go_on[1]);
            _exit(read(go_on[0], &byte, 1) == 0 ? 0 : 1);
        }
    }
    for (int index = 1; index < SLOTS; index++) {
        CHECK_EQUAL(1, read(ready[0], &byte, 1));
    }
    pid_t child = fork();
    if (child == 0) {
        CHECK(shm_malloc(3000) == SHM_NULL);
        CHECK_EQUAL(SHM_E_NO_PARTICIPANT_SLOT, shm_last_error());
        opens = asked = 0;
        for (int call = 0; call < CALLS; call++) {
            CHECK(shm_malloc(3000) == SHM_NULL);
        }
        CHECK(opens <= CALLS / 16 + 1);
        CHECK(asked <= (CALLS / 16 + 1) * SLOTS);
        /* One that dies makes room, for whoever asks often enough. */
        shm_offt place = SHM_NULL;
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        CHECK_EQUAL(1, read(died[0], &byte, 1));
        for (int call = 0; call < 16 && place == SHM_NULL; call++) {
            place = shm_malloc(3000);
        }
        CHECK(place != SHM_NULL);
        _exit(0);
    }
    close(ready[1]);
    bool is_asked = read(ready[0], &byte, 1) == 1;
    kill(others[1], SIGKILL);
    end_of(others[1]);
    CHECK_EQUAL(1, write(died[1], &byte, 1));
    int code = end_of(child);
    close(go_on[1]);
    for (int index = 2; index < SLOTS; index++) {
        CHECK_EQUAL(0, end_of(others[index]));
    }
    CHECK(is_asked);
    CHECK_EQUAL(0, code);
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
    int ready[2];
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
