#include "driver.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// The first word counts arrivals; the arrays begin after the first page.
enum { ARRAYS = 8, FIRST_ARRAY = 4096, SPINS = 2000 };

static char *file;
static uint64_t workers;

void coordination_open(const char *path, unsigned count) {
    size_t bytes = FIRST_ARRAY + (size_t)ARRAYS * ARRAY_LENGTH * sizeof(uint64_t);
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    file = descriptor < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (file == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(descriptor);
    workers = count;
}

// Returns once all workers have come.
void coordination_meet(void) {
    uint64_t *arrivals = (uint64_t *)file;
    uint64_t ticket = __atomic_fetch_add(arrivals, 1, __ATOMIC_SEQ_CST);
    uint64_t target = (ticket / workers + 1) * workers;
    for (int spins = 0; __atomic_load_n(arrivals, __ATOMIC_ACQUIRE) < target; spins++) {
        if (spins > SPINS) {
            sched_yield();
        }
    }
}

uint64_t *coordination_array(unsigned index) { return (uint64_t *)(file + FIRST_ARRAY) + (size_t)index * ARRAY_LENGTH; }
