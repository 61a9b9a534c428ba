// Usage: driver name=value ...
// Prints "ready VERSION", or "missing REASON". Then, for each line of its input:
//   run N      N operations by each thread: "wall NS cpu NS failures N compiled N", nanoseconds for one operation, the mean of the threads;
//              the last figure counts what a just-in-time compiler has done so far
//   fill       allocates until the heap is full, and frees it again: "count N bytes N rounded N"
//   sequence   a checksum of the random choices, which the twin in C# must make, too: "sequence N"
// and ends at the end of its input.
#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64 };

static struct parameters given = {.subject = "malloc", .pattern = "pair", .smallest = 100, .largest = 100, .live = 8192, .threads = 1, .processes = 1};
static struct worker workers[MAX_THREADS];
static const struct pattern *pattern;
static pthread_barrier_t begin, end;
static uint64_t operations;

static const struct subject *const subjects[] = {
    &system_malloc, &shm_alloc, &naive, &nothing,
#ifdef HAVE_BOOST
    &boost_interprocess,
#endif
};

static void read_parameter(const char *word) {
    const char *value = strchr(word, '=');
    if (!value) {
        fprintf(stderr, "Not of the form name=value: %s\n", word);
        exit(2);
    }
    size_t length = (size_t)(value++ - word);
#define IS(name) (length == strlen(name) && strncmp(word, name, length) == 0)
    uint64_t number = strtoull(value, NULL, 10);
    if (IS("subject")) given.subject = value;
    else if (IS("pattern")) given.pattern = value;
    else if (IS("path")) given.path = value;
    else if (IS("coordination")) given.coordination = value;
    else if (IS("library")) given.library = value;
    else if (IS("heap")) given.heap_bytes = number;
    else if (IS("smallest")) given.smallest = number;
    else if (IS("largest")) given.largest = number;
    else if (IS("median")) given.median = (double)number;
    else if (IS("request")) given.request = number;
    else if (IS("live")) given.live = number;
    else if (IS("percent")) given.percent = (unsigned)number;
    else if (IS("threads")) given.threads = (unsigned)number;
    else if (IS("process")) given.process = (unsigned)number;
    else if (IS("processes")) given.processes = (unsigned)number;
    else if (IS("touch")) given.touch = number != 0;
    else {
        fprintf(stderr, "Unknown parameter: %s\n", word);
        exit(2);
    }
#undef IS
}

static void work(struct worker *w) {
    w->wall = w->cpu = 0;
    w->failures = 0;
    pattern->run(w, operations);
}

static void *worker_thread(void *argument) {
    struct worker *w = argument;
    pattern->prepare(w);
    coordination_meet();
    while (true) {
        pthread_barrier_wait(&begin);
        work(w);
        pthread_barrier_wait(&end);
    }
    return NULL;
}

static void run(void) {
    pthread_barrier_wait(&begin);
    work(&workers[0]);
    pthread_barrier_wait(&end);
    double wall = 0, cpu = 0;
    uint64_t failures = 0;
    for (unsigned i = 0; i < given.threads; i++) {
        wall += (double)workers[i].wall;
        cpu += (double)workers[i].cpu;
        failures += workers[i].failures;
    }
    double per = (double)pattern->share / ((double)operations * given.threads);
    printf("wall %.4f cpu %.4f failures %llu compiled 0\n", wall * per, cpu * per, (unsigned long long)failures);
}

static void print_sequence(void) {
    uint64_t state = random_seed(0), sum = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t random = random_next(&state);
        sum = sum * 31 + size_choices[random & (SIZE_CHOICES - 1)] + ((random >> 32) * given.live >> 32);
    }
    printf("sequence %llu\n", (unsigned long long)sum);
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < count; i++) {
        read_parameter(words[i]);
    }
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        if (strcmp(subjects[i]->name, given.subject) == 0) {
            the_subject = subjects[i];
        }
    }
    pattern = pattern_find(given.pattern);
    if (!the_subject || !pattern || given.threads < 1 || given.threads > MAX_THREADS) {
        printf("missing it is not built into the driver\n");
        return 0;
    }
    the_parameters = &given;
    sizes_fill(&given);
    const char *reason = the_subject->open(&given);
    if (reason) {
        printf("missing %s\n", reason);
        return 0;
    }
    unsigned all = given.threads * given.processes;
    coordination_open(given.coordination, all);
    printf("ready %s\n", the_subject->version());

    // Whoever shares a heap begins when all have attached: the parent says so.
    char line[64];
    if (!fgets(line, sizeof(line), stdin)) {
        return 0;
    }
    pthread_barrier_init(&begin, NULL, given.threads);
    pthread_barrier_init(&end, NULL, given.threads);
    for (unsigned i = 0; i < given.threads; i++) {
        unsigned id = given.process * given.threads + i;
        workers[i] = (struct worker){.id = id, .count = all, .random = random_seed(id)};
        pthread_t thread;
        if (i > 0 && pthread_create(&thread, NULL, worker_thread, &workers[i]) != 0) {
            perror("pthread_create");
            return 1;
        }
    }
    pattern->prepare(&workers[0]);
    coordination_meet();
    printf("prepared\n");
    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "run %lu", &operations) == 1) {
            run();
        } else if (strcmp(line, "fill\n") == 0) {
            uint64_t objects, bytes, rounded;
            fill_until_full(&workers[0], &objects, &bytes, &rounded);
            printf("count %lu bytes %lu rounded %lu\n", objects, bytes, rounded);
        } else if (strcmp(line, "sequence\n") == 0) {
            print_sequence();
        } else {
            fprintf(stderr, "Unknown command: %s", line);
            return 2;
        }
    }
    return 0;
}
