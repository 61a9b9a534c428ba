/* Fixed addresses: over nothing that is not ours, and what was there before is there again (F40, F41). */
#include "cases.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* What one gets for MAP_FIXED_NOREPLACE where the C library is older than that. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { NEIGHBOUR = 1 << 16 };

static char *reserve(size_t bytes)
{
    char *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(room != MAP_FAILED);
    return room;
}

/* How many bytes of a range are mapped with these permissions. */
static size_t mapped(const char *from, size_t bytes, const char *permissions)
{
    char line[4400], found[5];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        CHECK_EQUAL(3, sscanf(line, "%lx-%lx %4s", &start, &end, found));
        start = start > (unsigned long) from ? start : (unsigned long) from;
        end = end < (unsigned long) from + bytes ? end : (unsigned long) from + bytes;
        if (start < end && (permissions == NULL || strcmp(found, permissions) == 0)) {
            count += end - start;
        }
    }
    fclose(maps);
    return count;
}

static void check_refused(void *address)
{
    CHECK(!shm_init(address, heap_path()));
    CHECK_EQUAL(SHM_E_ADDRESS_IN_USE, shm_last_error());
    CHECK_EQUAL(EEXIST, errno);
    CHECK(get_shm_user_base() == NULL);
}

/* In a process of its own, so that this one does not have it. */
static void make_heap(const char *maximum)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("SHM_MAX_ALLOCATABLE_SHM_SIZE", maximum, 1);
        open_heap();
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

CASE("F41: what is mapped at the address, or a part of it, stays as it was")
{
    static const int protections[] = { PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE };
    size_t bytes = get_mapping_size_needed_by_shm();
    size_t places[] = { 0, bytes / 2 & ~(size_t) 4095, bytes - 4096 };
    for (int kind = 0; kind < 3; kind++) {
        for (int place = 0; place < 3; place++) {
            char *room = reserve(bytes);
            char *page = room + places[place];
            CHECK(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
            memset(page, 'x', 4096);
            mprotect(page, 4096, protections[kind]);
            check_refused(room);
            mprotect(page, 4096, PROT_READ);
            for (int index = 0; index < 4096; index++) {
                CHECK_EQUAL('x', page[index]);
            }
            CHECK_EQUAL(bytes - 4096, mapped(room, bytes, "---p"));
            munmap(room, bytes);
        }
    }
    CHECK_EQUAL(-1, access(heap_path(), F_OK));
}

CASE("F41: a hole in the reservation is refused")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = reserve(bytes);
    munmap(room + bytes - 8192, 4096);
    check_refused(room);
    CHECK_EQUAL(bytes - 4096, mapped(room, bytes, "---p"));
}

CASE("F41: a heap that is larger than the room that was reserved for it is refused")
{
    make_heap("512M");
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = reserve(bytes + NEIGHBOUR);
    mprotect(room + bytes, NEIGHBOUR, PROT_READ | PROT_WRITE);
    memset(room + bytes, 'y', NEIGHBOUR);
    check_refused(room);
    for (int index = 0; index < NEIGHBOUR; index++) {
        CHECK_EQUAL('y', room[bytes + index]);
    }
    CHECK_EQUAL(bytes, mapped(room, bytes, "---p"));
    setenv("SHM_MAX_ALLOCATABLE_SHM_SIZE", "512M", 1);
    CHECK(get_mapping_size_needed_by_shm() > bytes + NEIGHBOUR);
    munmap(room, bytes + NEIGHBOUR);
    room = reserve(get_mapping_size_needed_by_shm());
    CHECK(shm_init(room, heap_path()));
    check_sound();
}

CASE("a heap that is smaller than the room leaves the rest of the reservation")
{
    make_heap("16M");
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = reserve(bytes);
    CHECK(shm_init(room, heap_path()));
    size_t taken = get_mapping_size_needed_by_shm();
    CHECK(taken < bytes);
    CHECK_EQUAL(bytes - taken, mapped(room + taken, bytes - taken, "---p"));
    shm_deinit();
    CHECK_EQUAL(bytes, mapped(room, bytes, "---p"));
}

CASE("F41: whatever fails leaves a reservation reserved, and free room free")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *reserved = reserve(bytes);
    char *unused = reserve(bytes);
    munmap(unused, bytes);
    FILE *file = fopen(heap_path(), "w");
    fputs("this is no heap", file);
    fclose(file);
    static const char *paths[] = { NULL, "/dev/null/none", "/dev/shm", "" };
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        CHECK(!shm_init(reserved, paths[index] != NULL ? paths[index] : heap_path()));
        CHECK(shm_last_error() != SHM_E_ADDRESS_IN_USE);
        CHECK_EQUAL(bytes, mapped(reserved, bytes, "---p"));
        CHECK(!shm_init(unused, paths[index] != NULL ? paths[index] : heap_path()));
        CHECK(shm_last_error() != SHM_E_ADDRESS_IN_USE);
        CHECK_EQUAL(0, mapped(unused, bytes, NULL));
    }
    unlink(heap_path());
}

CASE("what was reserved is reserved again when the heap was left, and what was free is free")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *reserved = reserve(bytes);
    char *unused = reserve(bytes);
    munmap(unused, bytes);
    for (int round = 0; round < 3; round++) {
        CHECK(shm_init(reserved, heap_path()));
        CHECK((char *) get_shm_user_base() > reserved && (char *) get_shm_user_base() < reserved + bytes);
        CHECK(shm_malloc(3000) != SHM_NULL);
        shm_deinit();
        CHECK_EQUAL(bytes, mapped(reserved, bytes, "---p"));
        CHECK(shm_init(unused, heap_path()));
        CHECK((char *) get_shm_user_base() > unused && (char *) get_shm_user_base() < unused + bytes);
        CHECK(shm_malloc(3000) != SHM_NULL);
        shm_deinit();
        CHECK_EQUAL(0, mapped(unused, bytes, NULL));
    }
}

/* The library's calls of the C library come here, so that something can happen just then. */
static void (*before_naming)(void);
static char *watched;
static size_t watched_bytes;
static int unmapped;

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    void (*act)(void) = before_naming;
    before_naming = NULL;
    if (act != NULL) {
        act();
    }
    return (int) syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
}

int munmap(void *address, size_t bytes)
{
    if (watched != NULL && (char *) address < watched + watched_bytes && watched < (char *) address + bytes) {
        unmapped++;
    }
    return (int) syscall(SYS_munmap, address, bytes);
}

static void make_a_small_one_first(void)
{
    make_heap("16M");
}

CASE("F41: who loses the race to create the heap keeps the room, and gets the heap")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    watched = reserve(bytes);
    watched_bytes = bytes;
    before_naming = make_a_small_one_first;
    CHECK(shm_init(watched, heap_path()));
    CHECK(before_naming == NULL);
    CHECK((char *) get_shm_user_base() > watched && (char *) get_shm_user_base() < watched + bytes);
    CHECK_EQUAL(16 << 20, statistics().capacity_bytes);
    shm_deinit();
    CHECK_EQUAL(0, unmapped);
    CHECK_EQUAL(bytes, mapped(watched, bytes, "---p"));
}

/* A call that stops in the middle, in a thread that wants it. */
static __thread bool is_stopped_here;
static sem_t in_the_middle, go_on;

void *memset(void *to, int value, size_t bytes)
{
    if (is_stopped_here) {
        is_stopped_here = false;
        sem_post(&in_the_middle);
        while (sem_wait(&go_on) != 0) {
        }
    }
    volatile char *at = to;
    for (size_t index = 0; index < bytes; index++) {
        at[index] = (char) value;
    }
    return to;
}

static void *long_call(void *argument)
{
    is_stopped_here = true;
    CHECK(shm_calloc(1, 4096) != SHM_NULL);
    return argument;
}

CASE("F40: while a call in the heap that was left still runs, nothing is mapped over it")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = reserve(bytes);
    pthread_t thread;
    CHECK(sem_init(&in_the_middle, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    CHECK(shm_init(room, heap_path()));
    CHECK_EQUAL(0, pthread_create(&thread, NULL, long_call, NULL));
    sem_wait(&in_the_middle);
    shm_deinit();
    check_refused(room);
    CHECK(shm_init(NULL, heap_path()));
    char *text = ptr_malloc(100);
    strcpy(text, "elsewhere");
    shm_offt offset = SHM_ADDR_TO_OFFT(text);
    sem_post(&go_on);
    pthread_join(thread, NULL);
    CHECK(strcmp(text, "elsewhere") == 0);
    check_sound();
    shm_deinit();
    CHECK(shm_init(room, heap_path()));
    CHECK(strcmp(SHM_OFFT_TO_ADDR(offset), "elsewhere") == 0);
    CHECK_EQUAL(SHM_OK, shm_try_free(offset));
    check_sound();
    CHECK_EQUAL(1, statistics().participants);
}

static void *idle(void *argument)
{
    sem_wait(&go_on);
    return argument;
}

CASE("beside other threads the same heap comes back to its address, and another one does not")
{
    char other[4200];
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = reserve(bytes);
    pthread_t thread;
    snprintf(other, sizeof other, "%s-other", heap_path());
    CHECK_EQUAL(0, sem_init(&go_on, 0, 0));
    CHECK_EQUAL(0, pthread_create(&thread, NULL, idle, NULL));
    CHECK(shm_init(room, heap_path()));
    char *text = ptr_malloc(3000);
    for (int round = 0; round < 100; round++) {
        snprintf(text, 100, "round %d", round);
        shm_deinit();
        CHECK(shm_init(room, heap_path()));
        CHECK_EQUAL(round, atoi(text + 6));
        CHECK_EQUAL(1, statistics().participants);
    }
    shm_deinit();
    CHECK(!shm_init(room, other));
    int reason = shm_last_error();
    unlink(other);
    CHECK_EQUAL(SHM_E_ADDRESS_IN_USE, reason);
    CHECK_EQUAL(bytes, mapped(room, bytes, "rw-p"));
    /* Alone again, it may. */
    sem_post(&go_on);
    pthread_join(thread, NULL);
    shm_deinit();
    CHECK_EQUAL(bytes, mapped(room, bytes, "---p"));
    bool is_open = shm_init(room, other);
    unlink(other);
    CHECK(is_open);
}

CASE("a forked child leaves the heap and comes back at the same address")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = reserve(bytes);
    CHECK(shm_init(room, heap_path()));
    char *text = ptr_malloc(100);
    strcpy(text, "here");
    for (int calls = 0; calls < 2; calls++) {
        pid_t child = fork();
        if (child == 0) {
            if (calls) {
                CHECK(shm_malloc(3000) != SHM_NULL);
            }
            shm_deinit();
            CHECK_EQUAL(bytes, mapped(room, bytes, "---p"));
            CHECK(shm_init(room, heap_path()));
            CHECK(strcmp(text, "here") == 0);
            _exit(0);
        }
        CHECK_EQUAL(0, end_of(child));
    }
    check_sound();
}
