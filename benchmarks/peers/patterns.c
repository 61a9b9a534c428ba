#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LARSON_SLOTS = 1024, LARSON_EPOCHS = 16, THREADTEST_OBJECTS = 10000 };

const struct subject *the_subject;
const struct parameters *the_parameters;

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void clock_start(struct worker *w) {
    w->cpu_start = now(CLOCK_THREAD_CPUTIME_ID);
    w->wall_start = now(CLOCK_MONOTONIC);
}

static void clock_stop(struct worker *w) {
    w->wall += now(CLOCK_MONOTONIC) - w->wall_start;
    w->cpu += now(CLOCK_THREAD_CPUTIME_ID) - w->cpu_start;
}

static uint64_t export_handle(uint64_t handle) { return the_subject->to_wire ? the_subject->to_wire(handle) : handle; }
static uint64_t import_handle(uint64_t wire) { return the_subject->from_wire ? the_subject->from_wire(wire) : wire; }

static size_t next_size(uint64_t random) { return size_choices[random & (SIZE_CHOICES - 1)]; }
static uint64_t next_victim(uint64_t random, uint64_t count) { return (random >> 32) * count >> 32; }

static uint64_t *new_array(uint64_t length) {
    uint64_t *array = malloc(length * sizeof(uint64_t));
    if (!array) {
        perror("malloc");
        exit(1);
    }
    memset(array, 0, length * sizeof(uint64_t));
    return array;
}

static void prepare_nothing(struct worker *w) { (void)w; }

// One object at a time.
static void run_pair(struct worker *w, uint64_t operations) {
    uint64_t (*allocate)(size_t) = the_subject->allocate;
    void (*release)(uint64_t) = the_subject->release;
    size_t size = the_parameters->largest;
    coordination_meet();
    clock_start(w);
    for (uint64_t i = 0; i < operations; i++) {
        uint64_t handle = allocate(size);
        if (handle == 0) {
            w->failures++;
            continue;
        }
        release(handle);
    }
    clock_stop(w);
}

// A random one of many live objects is replaced by one of a random size.
static void prepare_churn(struct worker *w) {
    w->live_count = the_parameters->live;
    w->live = new_array(w->live_count);
    for (uint64_t i = 0; i < w->live_count; i++) {
        w->live[i] = the_subject->allocate(next_size(random_next(&w->random)));
    }
}

static void run_churn(struct worker *w, uint64_t operations) {
    uint64_t (*allocate)(size_t) = the_subject->allocate;
    void (*release)(uint64_t) = the_subject->release;
    uint64_t state = w->random, count = w->live_count, *live = w->live, failures = 0;
    coordination_meet();
    clock_start(w);
    if (the_parameters->touch) {
        for (uint64_t i = 0; i < operations; i++) {
            uint64_t random = random_next(&state);
            uint64_t *victim = &live[next_victim(random, count)];
            if (*victim != 0) {
                release(*victim);
            }
            uint64_t handle = allocate(next_size(random));
            *victim = handle;
            if (handle == 0) {
                failures++;
                continue;
            }
            *(volatile uint64_t *)the_subject->address(handle) = random;
        }
    } else {
        for (uint64_t i = 0; i < operations; i++) {
            uint64_t random = random_next(&state);
            uint64_t *victim = &live[next_victim(random, count)];
            if (*victim != 0) {
                release(*victim);
            }
            uint64_t handle = allocate(next_size(random));
            *victim = handle;
            failures += handle == 0;
        }
    }
    clock_stop(w);
    w->random = state;
    w->failures += failures;
}

// Fills the heap, and frees at random until so many percent of the objects are left; then churns.
static void fill(struct worker *w) {
    uint64_t capacity = 1 << 16;
    w->live = new_array(capacity);
    w->live_count = 0;
    uint64_t handle;
    while ((handle = the_subject->allocate(next_size(random_next(&w->random)))) != 0) {
        if (w->live_count == capacity) {
            capacity *= 2;
            w->live = realloc(w->live, capacity * sizeof(uint64_t));
        }
        w->live[w->live_count++] = handle;
    }
}

static void prepare_full(struct worker *w) {
    fill(w);
    coordination_meet();
    uint64_t remaining = w->live_count * the_parameters->percent / 100;
    while (w->live_count > remaining) {
        uint64_t *victim = &w->live[next_victim(random_next(&w->random), w->live_count)];
        the_subject->release(*victim);
        *victim = w->live[--w->live_count];
    }
}

// A full heap is asked for what it does not have.
static void run_refused(struct worker *w, uint64_t operations) {
    coordination_meet();
    clock_start(w);
    for (uint64_t i = 0; i < operations; i++) {
        w->failures += the_subject->allocate(the_parameters->request) != 0;
    }
    clock_stop(w);
}

// Every even worker allocates, the odd one beside it frees what was allocated before. Waiting for each other is not counted.
static void run_producer_consumer(struct worker *w, uint64_t operations) {
    bool produces = w->id % 2 == 0;
    uint64_t batches = (operations + ARRAY_LENGTH - 1) / ARRAY_LENGTH;
    for (uint64_t batch = 0; batch <= batches; batch++) {
        coordination_meet();
        if (produces && batch < batches) {
            uint64_t *array = coordination_array(w->id + batch % 2);
            clock_start(w);
            for (unsigned i = 0; i < ARRAY_LENGTH; i++) {
                uint64_t handle = the_subject->allocate(next_size(random_next(&w->random)));
                array[i] = handle == 0 ? 0 : export_handle(handle);
                w->failures += handle == 0;
            }
            clock_stop(w);
        } else if (!produces && batch > 0) {
            uint64_t *array = coordination_array(w->id - 1 + (batch - 1) % 2);
            clock_start(w);
            for (unsigned i = 0; i < ARRAY_LENGTH; i++) {
                if (array[i] != 0) {
                    the_subject->release(import_handle(array[i]));
                }
            }
            clock_stop(w);
        }
    }
}

// Larson and Krishnan: churn on few objects, which go to another worker again and again.
static void prepare_larson(struct worker *w) {
    uint64_t *array = coordination_array(w->id);
    for (unsigned i = 0; i < LARSON_SLOTS; i++) {
        uint64_t handle = the_subject->allocate(next_size(random_next(&w->random)));
        array[i] = handle == 0 ? 0 : export_handle(handle);
    }
}

static void run_larson(struct worker *w, uint64_t operations) {
    for (unsigned epoch = 0; epoch < LARSON_EPOCHS; epoch++) {
        coordination_meet();
        uint64_t *array = coordination_array((w->id + epoch) % w->count);
        clock_start(w);
        for (uint64_t i = 0; i < operations / LARSON_EPOCHS; i++) {
            uint64_t random = random_next(&w->random);
            uint64_t *victim = &array[next_victim(random, LARSON_SLOTS)];
            if (*victim != 0) {
                the_subject->release(import_handle(*victim));
            }
            uint64_t handle = the_subject->allocate(next_size(random));
            *victim = handle == 0 ? 0 : export_handle(handle);
            w->failures += handle == 0;
        }
        clock_stop(w);
    }
}

// Berger: many objects are allocated, then all of them are freed.
static void prepare_threadtest(struct worker *w) { w->live = new_array(THREADTEST_OBJECTS); }

static void run_threadtest(struct worker *w, uint64_t operations) {
    size_t size = the_parameters->largest;
    coordination_meet();
    clock_start(w);
    for (uint64_t done = 0; done < operations; done += THREADTEST_OBJECTS) {
        for (unsigned i = 0; i < THREADTEST_OBJECTS; i++) {
            w->live[i] = the_subject->allocate(size);
        }
        for (unsigned i = 0; i < THREADTEST_OBJECTS; i++) {
            if (w->live[i] == 0) {
                w->failures++;
                continue;
            }
            the_subject->release(w->live[i]);
        }
    }
    clock_stop(w);
}

static void reopen(struct worker *w, const struct parameters *where, bool remove) {
    clock_start(w);
    const char *reason = the_subject->open(where);
    clock_stop(w);
    if (reason) {
        fprintf(stderr, "%s\n", reason);
        exit(1);
    }
    if (remove) {
        the_subject->close();
        unlink(where->path);
    }
}

static void run_attach(struct worker *w, uint64_t operations) {
    struct parameters where = *the_parameters;
    where.process = 1;
    for (uint64_t i = 0; i < operations; i++) {
        the_subject->close();
        reopen(w, &where, false);
    }
}

static void run_create(struct worker *w, uint64_t operations) {
    char path[4096];
    struct parameters where = *the_parameters;
    snprintf(path, sizeof(path), "%s-new", the_parameters->path);
    where.path = path;
    where.process = 0;
    the_subject->close();
    for (uint64_t i = 0; i < operations; i++) {
        reopen(w, &where, true);
    }
    where = *the_parameters;
    where.process = 1;
    the_subject->open(&where);
}

// Answers how much a heap still has to give, and gives it back.
void fill_until_full(struct worker *w, uint64_t *count, uint64_t *bytes, uint64_t *rounded) {
    uint64_t capacity = 1 << 16, *handles = new_array(capacity);
    *count = *bytes = *rounded = 0;
    while (true) {
        size_t size = next_size(random_next(&w->random));
        uint64_t handle = the_subject->allocate(size);
        if (handle == 0) {
            break;
        }
        if (*count == capacity) {
            capacity *= 2;
            handles = realloc(handles, capacity * sizeof(uint64_t));
        }
        handles[(*count)++] = handle;
        *bytes += size;
        *rounded += (size + 31) / 32 * 32;
    }
    for (uint64_t i = 0; i < *count; i++) {
        the_subject->release(handles[i]);
    }
    free(handles);
}

static const struct pattern patterns[] = {
    {"pair", prepare_nothing, run_pair, 1},
    {"churn", prepare_churn, run_churn, 1},
    {"full", prepare_full, run_churn, 1},
    {"refused", fill, run_refused, 1},
    {"handover", prepare_nothing, run_producer_consumer, 2},
    {"larson", prepare_larson, run_larson, 1},
    {"threadtest", prepare_threadtest, run_threadtest, 1},
    {"attach", prepare_nothing, run_attach, 1},
    {"create", prepare_nothing, run_create, 1},
    {"idle", prepare_nothing, run_pair, 1},
};

const struct pattern *pattern_find(const char *name) {
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (strcmp(patterns[i].name, name) == 0) {
            return &patterns[i];
        }
    }
    return NULL;
}
