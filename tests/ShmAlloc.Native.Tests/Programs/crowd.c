/*
 * Crowds of threads, in one process and in several, that allocate, fill, check and free, and hand each other what they allocated. No call may fail while
 * there is room. Prints one line: "well" or "failed", how many calls there were and how long the longest took, which nobody judges.
 *
 *   crowd mix    PROCESSES THREADS SMALLEST LARGEST LIVE_BYTES CALLS MILLISECONDS SIZE MAXIMUM
 *   crowd calloc PROCESSES THREADS SMALL    LARGE   0          CALLS MILLISECONDS SIZE MAXIMUM   half of the threads clear large memory
 *   crowd set    PROCESSES THREADS BYTES    0       KEYS       CALLS MILLISECONDS SIZE MAXIMUM   values of a cache
 *
 * The heap is the file in TEST_HEAP, which is not there yet. CALLS and LIVE_BYTES are those of a thread; it makes so many calls and goes on for so long.
 */
#include "shm_alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 256, HELD = 4096, TEXT = 512 };

static struct {
    const char *mode;
    int processes, threads;
    long smallest, largest, live, calls, milliseconds;
} shape;

/* Of all processes. */
static struct {
    atomic_long calls, failures, longest;
    atomic_int told, clearing;
    char first[TEXT];
} *tally;

/* One word is a piece, or nothing: 32 bits of the offset, 16 of the size less one, 8 of the pattern. */
static _Atomic uint64_t *exchange;

struct thread {
    uint64_t seed;
    pthread_t id;
    int number;
    uint64_t held[HELD];
    int count;
    long live;
};

static pthread_barrier_t barrier;

static int cache;

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static uint64_t next(struct thread *self)
{
    self->seed ^= self->seed << 13;
    self->seed ^= self->seed >> 7;
    self->seed ^= self->seed << 17;
    return self->seed;
}

static void ended(long began)
{
    long took = now() - began, longest = atomic_load(&tally->longest);
    while (took > longest && !atomic_compare_exchange_weak(&tally->longest, &longest, took)) {
    }
    atomic_fetch_add(&tally->calls, 1);
}

/* Counts a failure; the first one is told, with what the heap looks like. */
static void failed(const char *what, long bytes, long live)
{
    int error = shm_last_error();
    atomic_fetch_add(&tally->failures, 1);
    if (atomic_exchange(&tally->told, 1) == 0) {
        struct shm_statistics figures = { .struct_size = sizeof figures };
        shm_get_statistics(&figures);
        snprintf(tally->first, TEXT, "%s of %ld bytes: %s (%d), %ld bytes live in this thread; used %llu, private %llu, free %llu, committed %llu of %llu",
                 what, bytes, shm_strerror(error), error, live, (unsigned long long) figures.used_bytes, (unsigned long long) figures.private_bytes,
                 (unsigned long long) figures.free_bytes, (unsigned long long) figures.committed_bytes, (unsigned long long) figures.capacity_bytes);
    }
}

static bool is_filled(const unsigned char *bytes, size_t size, unsigned char pattern)
{
    return bytes[0] == pattern && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static size_t size_of(uint64_t piece)
{
    return (piece >> 32 & 0xFFFF) + 1;
}

static void release(struct thread *self, uint64_t piece)
{
    if (piece == 0) {
        return;
    }
    shm_offt place = (uint32_t) piece;
    if (!is_filled(SHM_OFFT_TO_ADDR(place), size_of(piece), (unsigned char) (piece >> 48))) {
        failed("another's writing to an allocation", (long) size_of(piece), self->live);
    }
    long began = now();
    int status = shm_try_free(place);
    ended(began);
    if (status != SHM_OK) {
        failed("free", (long) size_of(piece), self->live);
    }
}

static uint64_t take(struct thread *self)
{
    int index = (int) (next(self) % (uint64_t) self->count);
    uint64_t piece = self->held[index];
    self->held[index] = self->held[--self->count];
    self->live -= (long) size_of(piece);
    return piece;
}

static void allocate(struct thread *self, long size)
{
    bool cleared = next(self) % 4 == 0;
    long began = now();
    shm_offt place = cleared ? shm_calloc(1, (size_t) size) : shm_malloc((size_t) size);
    ended(began);
    if (place == SHM_NULL) {
        failed(cleared ? "calloc" : "malloc", size, self->live);
        return;
    }
    unsigned char *bytes = SHM_OFFT_TO_ADDR(place);
    if (cleared && !is_filled(bytes, (size_t) size, 0)) {
        failed("clearing", size, self->live);
    }
    uint64_t pattern = next(self) % 255 + 1;
    memset(bytes, (int) pattern, (size_t) size);
    self->held[self->count++] = place | (uint64_t) (size - 1) << 32 | pattern << 48;
    self->live += size;
}

/* Sizes are spread evenly over their magnitudes. */
static long next_size(struct thread *self)
{
    int doublings = 0;
    while (shape.smallest << (doublings + 1) <= shape.largest) {
        doublings++;
    }
    long from = shape.smallest << next(self) % (uint64_t) (doublings + 1);
    long size = from + (long) (next(self) % (uint64_t) from);
    return size < shape.largest ? size : shape.largest;
}

/* Whether a thread has made so many calls and the time is up as well: time makes a run longer, and never shorter. */
static bool is_enough(long made, long began)
{
    return made >= shape.calls && now() - began >= shape.milliseconds * 1000000L;
}

static void mix(struct thread *self, long began)
{
    bool shrinks = false;
    for (long made = 0; !is_enough(made, began); made++) {
        long size = next_size(self);
        bool fits = self->live + size <= shape.live && self->count < HELD;
        shrinks = self->count != 0 && (shrinks || !fits);
        if (next(self) % 4 == 0 ? shrinks : !shrinks) {
            if (fits) {
                allocate(self, size);
            }
        } else if (self->count != 0) {
            uint64_t piece = take(self);
            release(self, next(self) % 8 == 0 ? atomic_exchange(&exchange[next(self) % WORDS], piece) : piece);
        }
    }
    while (self->count != 0) {
        release(self, take(self));
    }
}

static void allocate_and_free(long size, bool cleared)
{
    long began = now();
    shm_offt place = cleared ? shm_calloc(1, (size_t) size) : shm_malloc((size_t) size);
    ended(began);
    if (place == SHM_NULL) {
        failed(cleared ? "calloc" : "malloc", size, 0);
        return;
    }
    began = now();
    int status = shm_try_free(place);
    ended(began);
    if (status != SHM_OK) {
        failed("free", size, 0);
    }
}

static void clear_beside_others(struct thread *self, long began)
{
    if (self->number % 2 != 0) {
        /* As long as others clear. */
        while (atomic_load(&tally->clearing) != 0) {
            allocate_and_free(shape.smallest, false);
        }
        return;
    }
    for (long made = 0; !is_enough(made, began); made++) {
        allocate_and_free(shape.largest, true);
    }
    atomic_fetch_sub(&tally->clearing, 1);
}

static void set_values(struct thread *self, long began)
{
    size_t size = (size_t) shape.smallest, found;
    unsigned char *value = malloc(size), *copy = malloc(size);
    for (long made = 0; !is_enough(made, began); made++) {
        char key[64];
        size_t length = (size_t) snprintf(key, sizeof key, "%d.%d.%ld", (int) getpid(), self->number, made % shape.live);
        memset(value, (int) (made & 0xFF), size);
        long start = now();
        bool is_set = shm_cache_set(cache, key, length, value, size, 0, 0);
        ended(start);
        if (!is_set) {
            failed("cache_set", (long) size, 0);
        } else if (!shm_cache_get(cache, key, length, copy, size, &found) || found != size || memcmp(value, copy, size) != 0) {
            failed("finding what was set", (long) size, 0);
        }
    }
    free(value);
    free(copy);
}

static void *work(void *argument)
{
    struct thread *self = argument;
    pthread_barrier_wait(&barrier);
    long began = now();
    (strcmp(shape.mode, "mix") == 0 ? mix : strcmp(shape.mode, "calloc") == 0 ? clear_beside_others : set_values)(self, began);
    return NULL;
}

static int live(int process)
{
    if (!shm_init(NULL, getenv("TEST_HEAP"))) {
        fprintf(stderr, "no heap: %s\n", shm_strerror(shm_last_error()));
        return 2;
    }
    exchange = SHM_OFFT_TO_ADDR(shm_read_root(0));
    cache = strcmp(shape.mode, "set") == 0 ? shm_cache_open("crowd", NULL) : 0;
    if (cache < 0) {
        fprintf(stderr, "no cache: %s\n", shm_strerror(shm_last_error()));
        return 2;
    }
    struct thread *threads = calloc((size_t) shape.threads, sizeof *threads);
    pthread_barrier_init(&barrier, NULL, (unsigned) shape.threads);
    for (int index = 0; index < shape.threads; index++) {
        threads[index].seed = (uint64_t) (process * 1000 + index + 1) * 0x9E3779B97F4A7C15u;
        threads[index].number = index;
        if (pthread_create(&threads[index].id, NULL, work, &threads[index]) != 0) {
            return 2;
        }
    }
    for (int index = 0; index < shape.threads; index++) {
        pthread_join(threads[index].id, NULL);
    }
    return 0;
}

int main(int count, char **words)
{
    if (count != 11) {
        return 2;
    }
    shape.mode = words[1];
    shape.processes = atoi(words[2]);
    shape.threads = atoi(words[3]);
    long *numbers[] = { &shape.smallest, &shape.largest, &shape.live, &shape.calls, &shape.milliseconds };
    for (int index = 0; index < 5; index++) {
        *numbers[index] = atol(words[4 + index]);
    }
    struct shm_options options = SHM_OPTIONS_INIT;
    options.largest_bytes = SHM_NO_LIMIT;
    options.size_bytes = (uint64_t) atoll(words[9]);
    options.maximum_bytes = (uint64_t) atoll(words[10]);
    options.flags = SHM_CREATE;
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tally->clearing = shape.threads / 2 * shape.processes;
    uint64_t none = 0;
    shm_offt table;
    if (!shm_init_with(NULL, getenv("TEST_HEAP"), &options) || (table = shm_calloc(WORDS, 8)) == SHM_NULL || !shm_compare_exchange_root(0, &none, table)) {
        fprintf(stderr, "no heap: %s\n", shm_strerror(shm_last_error()));
        return 2;
    }
    pid_t children[64];
    for (int index = 0; index < shape.processes; index++) {
        children[index] = fork();
        if (children[index] == 0) {
            shm_deinit();
            _exit(live(index));
        }
    }
    int bad = 0;
    for (int index = 0; index < shape.processes; index++) {
        int status;
        waitpid(children[index], &status, 0);
        bad |= status != 0;
    }
    exchange = SHM_OFFT_TO_ADDR(table);
    struct thread self = { .seed = 1 };
    for (int index = 0; index < WORDS; index++) {
        release(&self, exchange[index]);
    }
    shm_free(table);
    shm_recover_dead();
    struct shm_statistics figures = { .struct_size = sizeof figures };
    bool sound = shm_verify(NULL) && shm_get_statistics(&figures);
    if (strcmp(shape.mode, "set") != 0 && figures.allocations != 0) {
        fprintf(stderr, "%llu allocations are left\n", (unsigned long long) figures.allocations);
        sound = false;
    }
    bad |= !sound || tally->failures != 0;
    printf("%s: %ld calls, %ld failures, the longest call %.2f ms%s%s\n", bad ? "failed" : "well", tally->calls, tally->failures,
           (double) tally->longest / 1e6, tally->failures != 0 ? "; the first failure: " : "", tally->first);
    return bad;
}
