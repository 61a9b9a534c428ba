/* What programs do that work values out. */
#ifndef FLIGHTS_H
#define FLIGHTS_H

#include "caches.h"

#include <sys/prctl.h>

/* A limit that no wait comes to which ends as it should. */
enum { LONG_LIMIT = 2 * PATIENCE };

static char buffer[100];
static size_t size;
static struct shm_cache_flight flight;

static inline int begin(int cache, const char *key, uint32_t flags, uint64_t wait_limit)
{
    struct shm_cache_flight_options options = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    options.flags = flags;
    options.wait_limit = wait_limit;
    options.retry_after = 100;
    return shm_cache_begin_flight(cache, key, strlen(key), buffer, sizeof buffer, &size, &options, &flight);
}

static inline bool complete(int cache, const char *key, const char *value)
{
    return shm_cache_complete_flight(cache, key, strlen(key), value, strlen(value), NULL, &flight);
}

static inline void check_buffer(const char *expected)
{
    CHECK_EQUAL(strlen(expected), size);
    CHECK(memcmp(expected, buffer, size) == 0);
}

/* A process that leads, and says so. */
static inline pid_t start_leader(int cache, const char *key, uint32_t flags)
{
    int ready[2];
    char byte = 0;
    CHECK(pipe(ready) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        CHECK_EQUAL(0, prctl(PR_SET_PDEATHSIG, SIGKILL));
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, key, flags, 0));
        CHECK_EQUAL(1, write(ready[1], &byte, 1));
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    CHECK_EQUAL(1, read(ready[0], &byte, 1));
    close(ready[0]);
    return leader;
}

#endif
