/* After fork a child is a participant of its own, and nothing that its parent held is touched. */
#include "cases.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

CASE("a child allocates and frees at once, without calling shm_init")
{
    open_heap();
    shm_offt from_parent = shm_malloc(100);
    shm_offt *from_child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQUAL(SHM_OK, shm_try_free(from_parent));
        *from_child = shm_malloc(3000);
        strcpy(SHM_OFFT_TO_ADDR(*from_child), "from the child");
        CHECK(shm_init(NULL, NULL));
        CHECK_EQUAL(2, statistics().participants);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK(strcmp(SHM_OFFT_TO_ADDR(*from_child), "from the child") == 0);
    CHECK_EQUAL(SHM_OK, shm_try_free(*from_child));
    CHECK_EQUAL(1, shm_recover_dead());
    CHECK_EQUAL(0, statistics().allocations);
}

CASE("a reservation of the parent is the parent's")
{
    struct shm_reservation reservation, own;
    open_heap();
    CHECK(shm_reserve(1000, &reservation));
    pid_t child = fork();
    if (child == 0) {
        CHECK(!shm_publish(&reservation));
        CHECK_EQUAL(SHM_E_STALE_RESERVATION, shm_last_error());
        CHECK(!shm_abandon(&reservation));
        CHECK(shm_reserve(1000, &own) && own.offset != reservation.offset);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(1, shm_recover_dead());
    CHECK(shm_publish(&reservation));
    check_sound();
}

/* Runs a parent that reserves, forks a child which lives on, and is killed; the child calls the library or does not. */
static void parent_dies(bool child_calls)
{
    int ready[2], go[2];
    char byte = 0;
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    open_heap();
    pid_t parent = fork();
    if (parent == 0) {
        struct shm_reservation reservation;
        CHECK(shm_reserve(1000, &reservation));
        if (fork() == 0) {
            if (child_calls) {
                CHECK(shm_malloc(3000) != SHM_NULL);
            }
            CHECK_EQUAL(1, write(ready[1], &byte, 1));
            CHECK_EQUAL(1, read(go[0], &byte, 1));
            _exit(0);
        }
        pause();
    }
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    CHECK_EQUAL(child_calls ? 3 : 2, statistics().participants);
    kill(parent, SIGKILL);
    CHECK_EQUAL(1000 + SIGKILL, end_of(parent));
    CHECK_EQUAL(1, shm_recover_dead());
    CHECK_EQUAL(child_calls ? 2 : 1, statistics().participants);
    CHECK_EQUAL(1, write(go[1], &byte, 1));
    check_sound();
}

CASE("a parent that dies is found dead although its child lives")
{
    parent_dies(true);
}

CASE("a parent that dies is found dead although its child lives and never calls")
{
    parent_dies(false);
}

CASE("exec in a child takes its slot away and leaves the parent's")
{
    open_heap();
    pid_t child = fork();
    if (child == 0) {
        CHECK(shm_malloc(3000) != SHM_NULL);
        execl("/bin/true", "true", (char *) NULL);
        _exit(1);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK_EQUAL(1, shm_recover_dead());
    CHECK_EQUAL(0, shm_recover_dead());
    shm_offt place = shm_malloc(3000);
    CHECK_EQUAL(SHM_OK, shm_try_free(place));
}

CASE("after vfork the parent goes on as it was")
{
    open_heap();
    for (int round = 0; round < 20; round++) {
        shm_offt place = shm_malloc(3000);
        pid_t child = vfork();
        if (child == 0) {
            execl("/bin/true", "true", (char *) NULL);
            _exit(1);
        }
        CHECK_EQUAL(0, end_of(child));
        CHECK_EQUAL(SHM_OK, shm_try_free(place));
    }
    CHECK_EQUAL(1, statistics().participants);
}

CASE("a chain of children, each forked by the one before")
{
    open_heap();
    for (int depth = 0; depth < 30; depth++) {
        shm_offt place = shm_malloc(3000);
        pid_t child = fork();
        if (child != 0) {
            int code = end_of(child);
            CHECK_EQUAL(SHM_OK, shm_try_free(place));
            CHECK_EQUAL(0, code);
            if (depth == 0) {
                shm_recover_dead();
                CHECK_EQUAL(1, statistics().participants);
                CHECK_EQUAL(0, statistics().allocations);
                check_sound();
                return;
            }
            _exit(0);
        }
    }
    _exit(0);
}

CASE("a child that leaves the heap leaves the parent's alone")
{
    open_heap();
    char *text = ptr_malloc(3000);
    strcpy(text, "still here");
    for (int calls = 0; calls < 2; calls++) {
        pid_t child = fork();
        if (child == 0) {
            if (calls) {
                CHECK(shm_malloc(3000) != SHM_NULL);
            }
            shm_deinit();
            CHECK(shm_malloc(1) == SHM_NULL);
            open_heap();
            CHECK(shm_malloc(1) != SHM_NULL);
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
    }
    CHECK(strcmp(text, "still here") == 0);
    ptr_free(text);
    shm_recover_dead();
    CHECK_EQUAL(1, statistics().participants);
    check_sound();
}

/* Allocates, frees, reserves and forks until it is killed. */
__attribute__((noreturn)) static void live(unsigned seed, int depth)
{
    shm_offt held[16] = { 0 };
    for (;;) {
        unsigned which = (seed = seed * 1103515245u + 12345u) >> 16 & 15;
        struct shm_reservation reservation;
        if (held[which] != SHM_NULL) {
            unsigned char *bytes = SHM_OFFT_TO_ADDR(held[which]);
            CHECK_EQUAL(which, bytes[0]);
            CHECK_EQUAL(SHM_OK, shm_try_free(held[which]));
            held[which] = SHM_NULL;
        } else {
            size_t size = seed % 4000 + 1;
            held[which] = seed >> 20 & 1 ? shm_malloc(size) : shm_reserve(size, &reservation) && shm_publish(&reservation) ? reservation.offset : SHM_NULL;
            if (held[which] != SHM_NULL) {
                memset(SHM_OFFT_TO_ADDR(held[which]), (int) which, size);
            }
        }
        if (depth > 0 && (seed >> 8 & 1023) == 0) {
            pid_t child = fork();
            if (child == 0) {
                memset(held, 0, sizeof held);
                live(seed ^ (unsigned) getpid(), depth - 1);
            }
            nanosleep(&(struct timespec) { 0, (long) (seed % 3000000) }, NULL);
            if (seed & 1) {
                kill(child, SIGKILL);
                end_of(child);
            }
        }
    }
}

CASE("a storm of forks in which parents and children are killed damages nothing")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.participants = 128;
    options.size_bytes = options.maximum_bytes = 32 << 20;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    for (int round = 0; round < effort(40); round++) {
        pid_t group = fork();
        if (group == 0) {
            setpgid(0, 0);
            live((unsigned) round * 7919u + 1, 2);
        }
        setpgid(group, group);
        nanosleep(&(struct timespec) { 0, 5000000 + round % 7 * 3000000 }, NULL);
        if (round % 2 == 0) {
            /* The parent alone first: what it has forked goes on for a while. */
            kill(group, SIGKILL);
            nanosleep(&(struct timespec) { 0, 2000000 }, NULL);
            check_sound();
        }
        kill(-group, SIGKILL);
        int code = end_of(group);
        CHECK_EQUAL(1000 + SIGKILL, code);
        check_sound();
    }
    /* The killed are reaped by others; their locks go with them, whenever that is. */
    while (statistics().participants > 1) {
        shm_recover_dead();
        sched_yield();
    }
    check_sound();
    /* What the dead were building is taken back before memory runs out; what they had published is the users'. */
    while (shm_malloc(32) != SHM_NULL) {
    }
    CHECK_EQUAL(SHM_E_OUT_OF_MEMORY, shm_last_error());
    CHECK_EQUAL(0, statistics().private_bytes);
    CHECK_EQUAL(0, statistics().free_bytes);
    check_sound();
}
