// What one writes in an afternoon: a free list in shared memory under one lock that processes share. First fit, newest first, neighbours are joined
// at once (boundary tags). A process that is killed inside stops all others.
#include "driver.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

// In front of each chunk and behind it: its length in bytes, all included, plus 1 if it is in use. Offsets are from the start of the file.
typedef uint64_t tag;
enum { TAG = sizeof(tag), SMALLEST = 4 * TAG, FIRST = 4096, USED = 1 };

struct heap {
    pthread_mutex_t lock;
    uint64_t bytes;
    uint64_t first_free; // 0 is none
};
// A free chunk, after its front tag.
struct links {
    uint64_t next, previous;
};

static struct heap *heap;

static tag *tag_at(uint64_t offset) { return (tag *)((char *)heap + offset); }
static struct links *links_of(uint64_t chunk) { return (struct links *)tag_at(chunk + TAG); }

static void set_tags(uint64_t chunk, uint64_t bytes, uint64_t used) {
    *tag_at(chunk) = bytes | used;
    *tag_at(chunk + bytes - TAG) = bytes | used;
}

static void push(uint64_t chunk) {
    *links_of(chunk) = (struct links){.next = heap->first_free};
    if (heap->first_free) {
        links_of(heap->first_free)->previous = chunk;
    }
    heap->first_free = chunk;
}

static void take_out(uint64_t chunk) {
    struct links *links = links_of(chunk);
    if (links->previous) {
        links_of(links->previous)->next = links->next;
    } else {
        heap->first_free = links->next;
    }
    if (links->next) {
        links_of(links->next)->previous = links->previous;
    }
}

static uint64_t allocate(size_t bytes) {
    uint64_t wanted = (bytes + 2 * TAG + 15) & ~15ull;
    wanted = wanted < SMALLEST ? SMALLEST : wanted;
    pthread_mutex_lock(&heap->lock);
    uint64_t chunk = heap->first_free;
    while (chunk && *tag_at(chunk) < wanted) {
        chunk = links_of(chunk)->next;
    }
    if (chunk) {
        uint64_t length = *tag_at(chunk);
        take_out(chunk);
        if (length - wanted >= SMALLEST) {
            set_tags(chunk + wanted, length - wanted, 0);
            push(chunk + wanted);
            length = wanted;
        }
        set_tags(chunk, length, USED);
    }
    pthread_mutex_unlock(&heap->lock);
    return chunk ? chunk + TAG : 0;
}

static void release(uint64_t handle) {
    uint64_t chunk = handle - TAG;
    pthread_mutex_lock(&heap->lock);
    uint64_t length = *tag_at(chunk) & ~(uint64_t)USED;
    tag after = *tag_at(chunk + length);
    if (!(after & USED)) {
        take_out(chunk + length);
        length += after;
    }
    tag before = *tag_at(chunk - TAG);
    if (!(before & USED)) {
        chunk -= before;
        take_out(chunk);
        length += before;
    }
    set_tags(chunk, length, 0);
    push(chunk);
    pthread_mutex_unlock(&heap->lock);
}

static const char *open_heap(const struct parameters *p) {
    bool create = p->process == 0;
    int descriptor = open(p->path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0600);
    if (descriptor < 0 || (create && posix_fallocate(descriptor, 0, (off_t)p->heap_bytes) != 0)) {
        return "its heap could not be created";
    }
    heap = mmap(NULL, p->heap_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (heap == MAP_FAILED) {
        return "its heap could not be mapped";
    }
    if (create) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutex_init(&heap->lock, &attributes);
        heap->bytes = p->heap_bytes;
        // Tags that say "in use" bound the region, so that nothing is joined beyond it.
        *tag_at(FIRST - TAG) = USED;
        *tag_at(p->heap_bytes - TAG) = USED;
        set_tags(FIRST, p->heap_bytes - FIRST - TAG, 0);
        push(FIRST);
    }
    return NULL;
}

static void close_heap(void) { munmap(heap, heap->bytes); }
static void *address(uint64_t handle) { return (char *)heap + handle; }
static const char *version(void) { return "one lock, one free list"; }

struct subject naive = {
    .name = "naive", .open = open_heap, .close = close_heap, .allocate = allocate, .release = release, .address = address, .version = version};
