/* A program is a list of cases. Each is run in a process of its own; what is wrong ends it with a message. */
#ifndef CASES_H
#define CASES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "shm_alloc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*case_function)(void);

static struct {
    const char *sentence;
    case_function run;
} cases[64];

static int case_count;

#define CASE_JOIN_(a, b) a##b
#define CASE_JOIN(a, b) CASE_JOIN_(a, b)

#define CASE(text)                                                             \
    static void CASE_JOIN(case_, __LINE__)(void);                              \
    __attribute__((constructor)) static void CASE_JOIN(add_case_, __LINE__)(void) \
    {                                                                          \
        cases[case_count].sentence = (text);                                   \
        cases[case_count++].run = CASE_JOIN(case_, __LINE__);                  \
    }                                                                          \
    static void CASE_JOIN(case_, __LINE__)(void)

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            int error_ = errno;                                                \
            fprintf(stderr, "%s:%d: not true: %s\n  errno %d, last error %d: %s\n", \
                    __FILE__, __LINE__, #condition, error_, shm_last_error(),  \
                    shm_strerror(shm_last_error()));                           \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

#define CHECK_EQUAL(expected, actual)                                          \
    do {                                                                       \
        long long expected_ = (long long) (expected), actual_ = (long long) (actual); \
        if (expected_ != actual_) {                                            \
            fprintf(stderr, "%s:%d: %s is %lld and not %lld\n  last error %d: %s\n", \
                    __FILE__, __LINE__, #actual, actual_, expected_, shm_last_error(), \
                    shm_strerror(shm_last_error()));                           \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

/* The path that this case may use. */
static inline const char *heap_path(void)
{
    const char *path = getenv("TEST_HEAP");
    return path != NULL ? path : "/dev/shm/none";
}

/* How often: CASE_EFFORT multiplies. */
static inline int effort(int times)
{
    const char *factor = getenv("CASE_EFFORT");
    return factor != NULL ? times * atoi(factor) : times;
}

static inline void open_heap(void)
{
    CHECK(shm_init(NULL, heap_path()));
}

static inline void check_sound(void)
{
    struct shm_verification found = { .struct_size = sizeof found };
    if (!shm_verify(&found)) {
        fprintf(stderr, "%llu violations, the first of kind %u at %llu, index %u, word %llx\n",
                (unsigned long long) found.violations, found.first_kind, (unsigned long long) found.first_place,
                found.first_index, (unsigned long long) found.first_word);
        _exit(1);
    }
}

static inline struct shm_statistics statistics(void)
{
    struct shm_statistics figures = { .struct_size = sizeof figures };
    CHECK(shm_get_statistics(&figures));
    return figures;
}

/* Waits for a child and returns its exit code, or 1000 + the signal that ended it. */
static inline int end_of(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int main(int count, char **words)
{
    int failed = 0;
    for (int index = 0; index < case_count; index++) {
        if (count == 2 && strcmp(words[1], cases[index].sentence) == 0) {
            cases[index].run();
            return 0;
        }
        if (count == 2 && strcmp(words[1], "--all") == 0) {
            /* One after the other, each with a file of its own, which it leaves clean. */
            fflush(NULL);
            pid_t child = fork();
            if (child == 0) {
                cases[index].run();
                exit(0);
            }
            int code = end_of(child);
            unlink(heap_path());
            if (code != 0) {
                fprintf(stderr, "\"%s\" ended with %d\n", cases[index].sentence, code);
                failed++;
            }
        }
    }
    if (count == 2 && strcmp(words[1], "--all") == 0) {
        return failed != 0;
    }
    fprintf(stderr, "no such case\n");
    return 2;
}

#endif
