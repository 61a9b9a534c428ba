/*
 * What the library is for: preloaded into every process of a build, it answers stat() by path from one shared heap, so
 * that of all the processes that ask for the same path only the first asks the kernel.
 *
 *     cc -shared -fPIC stat_cache.c $(pkg-config --cflags --libs shm_alloc) -o stat_cache.so
 *     STAT_CACHE=/dev/shm/stats STAT_CACHE_BELOW=/usr/ LD_PRELOAD=$PWD/stat_cache.so make -j8
 *
 * Only paths below STAT_CACHE_BELOW are cached, successes and failures alike: name a tree that the build does not change.
 * Entries are immutable and stay: delete the file of the heap when that tree has changed.
 */
#define _GNU_SOURCE
#include <shm_alloc.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BUCKETS = 1 << 16, PROBES = 8 };

struct answer {
    uint64_t hash;
    int error;         /* errno, or 0 */
    int flags;         /* AT_SYMLINK_NOFOLLOW or 0 */
    struct stat status;
    char path[];
};

struct table {
    _Atomic uint64_t hits, misses, stored;
    _Atomic shm_offt answer[BUCKETS];
};

static struct table *table;
static const char *below;

static struct table *find_table(void)
{
    uint64_t place = shm_read_root(0);
    if (place == SHM_NULL) {
        shm_offt made = shm_calloc(1, sizeof(struct table));
        if (made == SHM_NULL) {
            return NULL;
        }
        if (shm_compare_exchange_root(0, &place, made)) {
            place = made;
        } else {
            shm_free(made);
        }
    }
    return SHM_OFFT_TO_ADDR(place);
}

__attribute__((constructor)) static void open_cache(void)
{
    const char *path = secure_getenv("STAT_CACHE");
    struct shm_options options = SHM_OPTIONS_INIT;
    options.largest_bytes = SHM_NO_LIMIT;
    below = secure_getenv("STAT_CACHE_BELOW");
    if (path != NULL && below != NULL && shm_init_with(NULL, path, &options)) {
        table = find_table();
    }
}

/* FNV-1a. */
static uint64_t hash_of(const char *path, int flags)
{
    uint64_t hash = 0xCBF29CE484222325u ^ (unsigned) flags;
    for (; *path != 0; path++) {
        hash = (hash ^ (unsigned char) *path) * 0x100000001B3u;
    }
    return hash;
}

static const struct answer *answer_at(shm_offt place, uint64_t hash, const char *path, int flags)
{
    const struct answer *answer = SHM_OFFT_TO_ADDR(place);
    return answer->hash == hash && answer->flags == flags && strcmp(answer->path, path) == 0 ? answer : NULL;
}

static int ask_kernel(int directory, const char *path, struct stat *status, int flags)
{
    static int (*next)(int, const char *, struct stat *, int);
    if (next == NULL) {
        next = (int (*)(int, const char *, struct stat *, int)) dlsym(RTLD_NEXT, "fstatat");
    }
    return next(directory, path, status, flags);
}

static int ask(int directory, const char *path, struct stat *status, int flags)
{
    if (table == NULL || path == NULL || (flags & ~AT_SYMLINK_NOFOLLOW) != 0 || strncmp(path, below, strlen(below)) != 0
        || strstr(path, "/../") != NULL) {
        return ask_kernel(directory, path, status, flags);
    }

    uint64_t hash = hash_of(path, flags);
    _Atomic shm_offt *room = NULL;
    for (unsigned probe = 0; probe < PROBES; probe++) {
        _Atomic shm_offt *bucket = &table->answer[(hash + probe) % BUCKETS];
        shm_offt place = atomic_load(bucket);
        if (place == SHM_NULL) {
            room = bucket;
            break;
        }
        const struct answer *known = answer_at(place, hash, path, flags);
        if (known != NULL) {
            atomic_fetch_add(&table->hits, 1);
            if (known->error != 0) {
                errno = known->error;
                return -1;
            }
            *status = known->status;
            return 0;
        }
    }

    int before = errno;
    int result = ask_kernel(directory, path, status, flags);
    int error = result == 0 ? 0 : errno;
    atomic_fetch_add(&table->misses, 1);

    /* If this process dies before the answer is whole, it is taken back. */
    struct shm_reservation reservation;
    bool is_lasting = error == 0 || error == ENOENT || error == ENOTDIR;
    if (room != NULL && is_lasting && shm_reserve(sizeof(struct answer) + strlen(path) + 1, &reservation)) {
        struct answer *answer = SHM_OFFT_TO_ADDR(reservation.offset);
        *answer = (struct answer) { .hash = hash, .error = error, .flags = flags };
        if (error == 0) {
            answer->status = *status;
        }
        strcpy(answer->path, path);
        shm_publish(&reservation);
        shm_offt empty = SHM_NULL;
        if (atomic_compare_exchange_strong(room, &empty, reservation.offset)) {
            atomic_fetch_add(&table->stored, 1);
        } else {
            shm_free(reservation.offset);
        }
    }
    errno = error == 0 ? before : error;
    return result;
}

int stat(const char *path, struct stat *status)
{
    return ask(AT_FDCWD, path, status, 0);
}

int lstat(const char *path, struct stat *status)
{
    return ask(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

int fstatat(int directory, const char *path, struct stat *status, int flags)
{
    return ask(directory, path, status, flags);
}

#ifdef __LP64__
/* The same structures there. */
int stat64(const char *, struct stat64 *) __attribute__((alias("stat")));
int lstat64(const char *, struct stat64 *) __attribute__((alias("lstat")));
int fstatat64(int, const char *, struct stat64 *, int) __attribute__((alias("fstatat")));
#endif
