/* What programs do with a cache. */
#ifndef CACHES_H
#define CACHES_H

#include "cases.h"

#include <time.h>

/* Much longer than anything takes here that ends by itself. */
enum { PATIENCE = 20000 };

/* Milliseconds. */
static inline uint64_t awake(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

static inline int open_cache(void)
{
    int cache = shm_cache_open("test", NULL);
    CHECK(cache >= 0);
    return cache;
}

static inline bool set_text(int cache, const char *key, const char *value)
{
    return shm_cache_set(cache, key, strlen(key), value, strlen(value), 0, 0);
}

static inline void check_text(int cache, const char *key, const char *expected)
{
    char buffer[100];
    size_t size = 0;
    CHECK(shm_cache_get(cache, key, strlen(key), buffer, sizeof buffer, &size));
    CHECK_EQUAL(strlen(expected), size);
    CHECK(memcmp(expected, buffer, size) == 0);
}

/* With options, and with so many places for tags that two of a test hardly ever share one. */
static inline int open_cache_with(uint32_t flags)
{
    struct shm_cache_options options = { .struct_size = sizeof options, .tag_slots = 1 << 18, .flags = flags };
    int cache = shm_cache_open("test", &options);
    CHECK(cache >= 0);
    return cache;
}

static inline void check_missing(int cache, const char *key)
{
    CHECK(!shm_cache_get(cache, key, strlen(key), NULL, 0, NULL));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
}

/* Until a value has expired: as long as it is there, it does not fit into no buffer. */
static inline void await_expiry(int cache, const char *key)
{
    uint64_t begun = awake();
    do {
        CHECK(awake() - begun < PATIENCE);
        CHECK(!shm_cache_get(cache, key, strlen(key), NULL, 0, NULL));
    } while (shm_last_error() == SHM_E_BUFFER_TOO_SMALL);
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
}

/* The last error, and that its sentence names something. */
static inline void check_refused(int error, const char *word)
{
    CHECK_EQUAL(error, shm_last_error());
    if (strstr(shm_last_error_text(), word) == NULL) {
        fprintf(stderr, "\"%s\" does not name %s\n", shm_last_error_text(), word);
        _exit(1);
    }
}

/* A cache in a heap of 1 MiB, and five times as many values as it has room for. */
static inline int open_small_cache(void)
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = options.maximum_bytes = 1 << 20;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    struct shm_cache_options small = { .struct_size = sizeof small, .capacity = 4000 };
    int cache = shm_cache_open("test", &small);
    CHECK(cache >= 0);
    return cache;
}

static inline void overfill(int cache)
{
    char value[1000];
    memset(value, 7, sizeof value);
    for (int key = 0; key < 5000; key++) {
        CHECK(shm_cache_set(cache, &key, sizeof key, value, sizeof value, 0, 0));
        /* Used as well, so that the hand comes by which drops what was used and is not any more. */
        CHECK(shm_cache_get(cache, &key, sizeof key, value, sizeof value, NULL));
    }
}

#endif
