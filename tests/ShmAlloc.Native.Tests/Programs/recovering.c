/*
 * Who recovers the dead, grows the heap, or finds no slot, beside others who fork, die, or lock the file: the calls that the library makes of the C library
 * come to this program first.
 */
#include "participants.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

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
