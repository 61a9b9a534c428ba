// The native driver: runs the workloads of the benchmark on an allocator, without .NET. Its twin in C# is benchmarks/ShmAlloc.Benchmarks/Driving;
// both draw the same random numbers and do the same in the same order.
#ifndef DRIVER_H
#define DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What to do, from the command line: words of the form name=value.
struct parameters {
    const char *subject;
    const char *pattern;
    const char *path;         // of the heap
    const char *coordination; // of the file in which the processes of one measurement meet
    const char *library;      // libshm_alloc.so
    uint64_t heap_bytes;
    uint64_t smallest, largest; // sizes are uniform between the two,
    double median;              // or log-normal around this if it is not 0
    uint64_t request;           // what a full heap is asked for
    uint64_t live;              // objects of each worker
    unsigned percent;           // how full a heap is kept
    unsigned threads, process, processes;
    bool touch; // write the first word of each object
};

// An allocator. A handle is whatever it gives for an allocation; 0 is none.
struct subject {
    const char *name;
    // Creates the heap or attaches it; says why not if it cannot. Allocators of private memory have nothing to open.
    const char *(*open)(const struct parameters *parameters);
    void (*close)(void);
    uint64_t (*allocate)(size_t bytes);
    void (*release)(uint64_t handle);
    void *(*address)(uint64_t handle);
    // A handle as another process can understand it, and back; null where it already is.
    uint64_t (*to_wire)(uint64_t handle);
    uint64_t (*from_wire)(uint64_t wire);
    const char *(*version)(void);
};

extern struct subject system_malloc, shm_alloc, naive, boost_interprocess, nothing;

// coordination.c: the file that the workers of all processes share.
void coordination_open(const char *path, unsigned workers);
void coordination_meet(void);
uint64_t *coordination_array(unsigned index);
enum { ARRAY_LENGTH = 4096 };

// random.c
uint64_t random_next(uint64_t *state);
uint64_t random_seed(unsigned worker);
void sizes_fill(const struct parameters *parameters);
enum { SIZE_CHOICES = 1024 };
extern uint32_t size_choices[SIZE_CHOICES];

// patterns.c
struct worker {
    unsigned id; // among the workers of all processes
    unsigned count;
    uint64_t random;
    uint64_t *live;
    uint64_t live_count;
    uint64_t failures;
    int64_t wall, cpu; // nanoseconds
    int64_t wall_start, cpu_start;
};
struct pattern {
    const char *name;
    void (*prepare)(struct worker *worker);
    void (*run)(struct worker *worker, uint64_t operations);
    unsigned share; // a worker does so much of each operation: 1 all of it, 2 half of it
};
extern const struct subject *the_subject;
extern const struct parameters *the_parameters;
const struct pattern *pattern_find(const char *name);
void fill_until_full(struct worker *worker, uint64_t *count, uint64_t *bytes, uint64_t *rounded);

#ifdef __cplusplus
}
#endif

#endif
