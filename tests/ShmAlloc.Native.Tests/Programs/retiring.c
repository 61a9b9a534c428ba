/* Leaving the heap beside other threads where the kernel refuses the zeros that are to lie where the file was mapped. */
#include "cases.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The library's calls of the C library come here. */
static bool (*is_refused)(int protection, int flags);

void *mmap(void *address, size_t bytes, int protection, int flags, int descriptor, off_t offset)
{
    if (is_refused != NULL && (flags & MAP_ANONYMOUS) != 0 && is_refused(protection, flags)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *) syscall(SYS_mmap, address, bytes, protection, flags, descriptor, offset);
}

static void *stay(void *argument)
{
    pause();
    return argument;
}

/* With another thread, which might be in a call, what was mapped is replaced and not unmapped. */
static volatile char *leave_beside_a_thread(void *room)
{
    pthread_t thread;
    CHECK_EQUAL(0, pthread_create(&thread, NULL, stay, NULL));
    CHECK(shm_init(room, heap_path()));
    volatile char *place = ptr_malloc(100);
    CHECK(place != NULL);
    *place = 1;
    return place;
}

static void check_file_is_as_it_was(void)
{
    is_refused = NULL;
    open_heap();
    CHECK_EQUAL(1, statistics().participants);
    CHECK_EQUAL(1, statistics().allocations);
    check_sound();
}

CASE("a limit on the private memory of the process does not keep the file mapped after leaving")
{
    struct rlimit limit, little;
    volatile char *place = leave_beside_a_thread(NULL);
    CHECK_EQUAL(0, getrlimit(RLIMIT_DATA, &limit));
    little = limit;
    /* 0 would mean the hard limit. */
    little.rlim_cur = 4096;
    CHECK_EQUAL(0, setrlimit(RLIMIT_DATA, &little));
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    shm_deinit();
    CHECK_EQUAL(0, *place);
    /* A thread that comes late may still write, and changes nothing. */
    *place = 2;
    CHECK_EQUAL(0, setrlimit(RLIMIT_DATA, &limit));
    check_file_is_as_it_was();
}

static bool is_writable(int protection, int flags)
{
    (void) flags;
    return (protection & PROT_WRITE) != 0;
}

CASE("where nothing that can be written is granted, calls that come late still find a closed heap")
{
    volatile char *place = leave_beside_a_thread(NULL);
    is_refused = is_writable;
    shm_deinit();
    CHECK_EQUAL(0, *place);
    check_file_is_as_it_was();
}

static bool is_over_something(int protection, int flags)
{
    (void) protection;
    return (flags & MAP_FIXED) != 0;
}

CASE("where the kernel replaces nothing, the file stays mapped, and its address is not taken for free")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(room != MAP_FAILED);
    volatile char *place = leave_beside_a_thread(room);
    is_refused = is_over_something;
    shm_deinit();
    CHECK_EQUAL(1, *place);
    is_refused = NULL;
    CHECK(!shm_init(room, heap_path()));
    CHECK_EQUAL(SHM_E_ADDRESS_IN_USE, shm_last_error());
    check_file_is_as_it_was();
}
