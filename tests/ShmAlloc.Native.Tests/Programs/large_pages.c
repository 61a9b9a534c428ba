/* A kernel with pages of 64 KiB, as far as a library can tell. It is preloaded, or loaded by a .NET process as its C library: what does not begin at
   the start of such a page is refused, and what is asked for is done for whole ones. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define PAGE ((uintptr_t) 65536)

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static uintptr_t whole(uintptr_t length)
{
    return (length + PAGE - 1) & ~(PAGE - 1);
}

static int is_refused(uintptr_t address)
{
    errno = address % PAGE != 0 ? EINVAL : errno;
    return address % PAGE != 0;
}

unsigned long getauxval(unsigned long entry)
{
    unsigned long (*real)(unsigned long) = (unsigned long (*)(unsigned long)) next("getauxval");
    return entry == AT_PAGESZ ? PAGE : real(entry);
}

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    void *(*real)(void *, size_t, int, int, int, off_t) = (void *(*)(void *, size_t, int, int, int, off_t)) next("mmap");
    if (is_refused((uintptr_t) offset) || ((flags & MAP_FIXED) && is_refused((uintptr_t) address))) {
        return MAP_FAILED;
    }
    if (!(flags & MAP_FIXED)) {
        char *room = real(NULL, whole(length) + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED) {
            return MAP_FAILED;
        }
        char *start = (char *) whole((uintptr_t) room);
        int (*real_munmap)(void *, size_t) = (int (*)(void *, size_t)) next("munmap");
        if (start != room) {
            real_munmap(room, (size_t) (start - room));
        }
        if (start != room + PAGE) {
            real_munmap(start + whole(length), (size_t) (room + PAGE - start));
        }
        address = start;
    }
    return real(address, whole(length), protection, flags | MAP_FIXED, descriptor, offset);
}

int munmap(void *address, size_t length)
{
    int (*real)(void *, size_t) = (int (*)(void *, size_t)) next("munmap");
    return is_refused((uintptr_t) address) ? -1 : real(address, whole(length));
}

int mprotect(void *address, size_t length, int protection)
{
    int (*real)(void *, size_t, int) = (int (*)(void *, size_t, int)) next("mprotect");
    return is_refused((uintptr_t) address) ? -1 : real(address, whole(length), protection);
}

int madvise(void *address, size_t length, int advice)
{
    int (*real)(void *, size_t, int) = (int (*)(void *, size_t, int)) next("madvise");
    /* What reads pages would fail behind the end of the file, where a kernel with large pages has a page. */
    bool populates = advice == 22;
    return is_refused((uintptr_t) address) ? -1 : real(address, populates ? length : whole(length), advice);
}
