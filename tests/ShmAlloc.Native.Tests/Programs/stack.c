/*
 * How much stack a call takes: a signal handler may have little (F46). Each function runs in a handler on a stack of 8 KiB below which nothing is
 * mapped, and what it touched is measured.
 */
#include "cases.h"

#include <sys/mman.h>

enum { STACK = 8192, PAGE = 4096, PATTERN = 0xA5 };

#ifndef MOST
#define MOST 4800
#endif

static char *stack;
static void (*function)(void);
static char *deepest_of_handler;

static void handle(int number)
{
    char here;
    (void) number;
    deepest_of_handler = &here;
    function();
}

/* Runs it, and returns how many bytes of the stack it took. */
static size_t run(void (*what)(void))
{
    if (stack == NULL) {
        char *memory = mmap(NULL, 3 * PAGE + STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        stack = memory + 2 * PAGE;
        CHECK_EQUAL(0, mprotect(stack, STACK, PROT_READ | PROT_WRITE));
        stack_t alternate = { .ss_sp = stack, .ss_size = STACK };
        CHECK_EQUAL(0, sigaltstack(&alternate, NULL));
        struct sigaction action = { .sa_handler = handle, .sa_flags = SA_ONSTACK };
        CHECK_EQUAL(0, sigaction(SIGUSR1, &action, NULL));
    }
    memset(stack, PATTERN, STACK);
    function = what;
    raise(SIGUSR1);
    char *touched = stack;
    while ((unsigned char) *touched == PATTERN) {
        touched++;
    }
    return (size_t) (deepest_of_handler - touched);
}

static size_t largest;

#define MEASURE(name)                                                            \
    do {                                                                              \
        size_t bytes_ = run(name);                                                    \
        largest = bytes_ > largest ? bytes_ : largest;                                \
        printf("%-32s %5zu\n", #name, bytes_);                                        \
        fflush(stdout);                                                               \
        CHECK(bytes_ <= MOST);                                                        \
    } while (0)

static bool succeeded;
static shm_offt places[8];
static int cache;
static struct shm_reservation reservation;
static struct shm_cache_lease lease;
static struct shm_statistics figures = { .struct_size = sizeof figures };
static struct shm_cache_statistics cache_figures = { .struct_size = sizeof cache_figures };
static struct shm_cache_key many[40];
static struct shm_cache_read reads[40];
static struct shm_verification verification = { .struct_size = sizeof verification };
static char buffer[1 << 16];
static int64_t number;

static void init(void) { succeeded = shm_init(NULL, heap_path()); }
static void init_at_an_address(void) { succeeded = shm_init((void *) ((uintptr_t) 1 << 45), heap_path()); }
static void fail_to_init(void) { succeeded = !shm_init(NULL, "/dev/null/none"); }
static void sizes(void) { succeeded = get_shm_max_allocatable_size() && get_shm_min_allocatable_size() && get_mapping_size_needed_by_shm() && !get_sizeof_block_header(); }
static void malloc_in_a_word(void) { succeeded = (places[0] = shm_malloc(100)) != SHM_NULL; }
static void malloc_across_words(void) { succeeded = (places[1] = shm_malloc(3000)) != SHM_NULL; }
static void malloc_of_a_run(void) { succeeded = (places[2] = shm_malloc(300000)) != SHM_NULL; }
static void calloc_of_a_run(void) { succeeded = (places[3] = shm_calloc(3, 100000)) != SHM_NULL; }
static void allocate_by_address(void) { ptr_free(ptr_malloc(500)); ptr_free(ptr_calloc(5, 500)); succeeded = true; }
static void usable_sizes(void) { succeeded = shm_usable_size(places[1]) && ptr_usable_size(SHM_OFFT_TO_ADDR(places[2])); }
static void free_all(void) { for (int index = 0; index < 4; index++) { shm_free(places[index]); } succeeded = shm_try_free(places[0]) == SHM_E_ALREADY_FREE; }
static void fill(void) { while (shm_malloc(50000) != SHM_NULL || shm_malloc(3000) != SHM_NULL || shm_malloc(32) != SHM_NULL) { } succeeded = shm_last_error() == SHM_E_OUT_OF_MEMORY; }
static void reserve(void) { succeeded = shm_reserve(3000, &reservation); }
static void publish(void) { succeeded = shm_publish(&reservation) && shm_try_free(reservation.offset) == 0 && shm_reserve(300000, &reservation) && shm_abandon(&reservation); }
static void roots(void) { uint64_t expected = 0; succeeded = shm_read_root(0) == 0 && shm_compare_exchange_root(0, &expected, 0); }
static void grow(void) { succeeded = shm_grow(1 << 20); }
static void recover(void) { succeeded = shm_recover_dead() == 1; }
static void count(void) { succeeded = shm_get_statistics(&figures); }
static void verify(void) { succeeded = shm_verify(&verification); }
static void errors(void) { succeeded = shm_strerror(shm_last_error()) != NULL; }
static void cache_open(void) { succeeded = (cache = shm_cache_open("values", NULL)) >= 0; }
static void cache_set(void) { succeeded = shm_cache_set(cache, "key", 3, buffer, 5000, 0, 0) && shm_cache_set(cache, "key", 3, buffer, 100, 1000, 0); }
static void cache_get(void) { size_t bytes; succeeded = shm_cache_get(cache, "key", 3, buffer, sizeof buffer, &bytes); }
static void cache_get_many(void) { succeeded = shm_cache_get_many(cache, many, 40, buffer, sizeof buffer, reads) && reads[0].error == SHM_OK; }
static void cache_touch(void) { succeeded = shm_cache_touch(cache, "key", 3, 1000); }
static void cache_lease_and_release(void) { succeeded = shm_cache_lease(cache, "key", 3, &lease); shm_cache_release(&lease); }
static void cache_increment(void) { succeeded = shm_cache_increment(cache, "number", 6, 1, &number) && shm_cache_increment(cache, "number", 6, 1, &number); }
static void cache_remove(void) { succeeded = shm_cache_remove(cache, "key", 3); }
static void cache_remove_all(void)
{
    struct shm_cache_options options = { .struct_size = sizeof options, .flags = SHM_CACHE_ALLOWS_REMOVE_ALL };
    int other = shm_cache_open("other", &options);
    succeeded = other >= 0 && shm_cache_remove_all(other);
}

enum { TAGS = 63 };
static const char *tag_names[TAGS];
static struct shm_cache_tag tags[TAGS];
static struct shm_cache_entry_options entry = SHM_CACHE_ENTRY_OPTIONS_INIT;
static struct shm_cache_flight_options wanted = SHM_CACHE_FLIGHT_OPTIONS_INIT;
static struct shm_cache_flight flight;
static struct shm_cache_mark mark;

static void cache_tags(void)
{
    for (int index = 0; index < TAGS; index++) {
        tag_names[index] = "tag";
    }
    succeeded = shm_cache_remove_by_tag(cache, "tag") && shm_cache_capture_tags(cache, tag_names, TAGS, tags) && shm_cache_tags_are_current(cache, tags, TAGS);
    entry.tags = tags;
    entry.tag_count = TAGS;
    wanted.tags = tag_names;
    wanted.tag_count = TAGS;
}

static void cache_set_with(void)
{
    entry.lifetime = entry.stale_for = 3600 * 1000;
    succeeded = shm_cache_set_with(cache, "tagged", 6, buffer, 100, &entry) && shm_cache_set_or_remove(cache, "tagged", 6, buffer, 100, &entry, NULL);
}

static void cache_increment_with(void)
{
    succeeded = shm_cache_increment_with(cache, "tagged number", 13, 1, &entry, &number) && shm_cache_increment_with(cache, "tagged number", 13, 1, &entry, &number);
}

static void cache_marks(void)
{
    succeeded = shm_cache_get_marked(cache, "tagged", 6, buffer, sizeof buffer, NULL, &mark) && shm_cache_is_current(cache, &mark);
}

static void cache_fly(void)
{
    succeeded = shm_cache_begin_flight(cache, "flown", 5, buffer, sizeof buffer, NULL, &wanted, &flight) == SHM_CACHE_LEAD
        && shm_cache_end_flight(cache, "flown", 5, true, &flight)
        && shm_cache_begin_flight(cache, "flown", 5, buffer, sizeof buffer, NULL, &wanted, &flight) == SHM_CACHE_LEAD
        && shm_cache_complete_flight(cache, "flown", 5, buffer, 100, NULL, &flight)
        && shm_cache_begin_flight(cache, "flown", 5, buffer, sizeof buffer, NULL, &wanted, &flight) == SHM_CACHE_FOUND;
}

static void cache_set_with_evicting(void)
{
    for (int index = 0; index < 3000; index++) {
        succeeded = shm_cache_set_with(cache, &index, sizeof index, buffer, 20000, &entry);
    }
}

static void cache_increment_with_evicting(void)
{
    for (int index = 0; index < 3000; index++) {
        long key = -1 - index;
        succeeded = shm_cache_increment_with(cache, &key, sizeof key, 1, &entry, &number);
    }
}

static void cache_fly_evicting(void)
{
    for (int index = 3000; index < 6000; index++) {
        succeeded = shm_cache_begin_flight(cache, &index, sizeof index, buffer, sizeof buffer, NULL, &wanted, &flight) == SHM_CACHE_LEAD
            && shm_cache_complete_flight(cache, &index, sizeof index, buffer, 20000, NULL, &flight);
    }
}

static void cache_statistics(void) { succeeded = shm_cache_get_statistics(cache, &cache_figures); }
static void cache_evict(void)
{
    for (int index = 0; index < 3000; index++) {
        succeeded = shm_cache_set(cache, &index, sizeof index, buffer, 20000, 0, 0);
    }
}

static void leave_dead(void)
{
    pid_t child = fork();
    if (child == 0) {
        CHECK(shm_malloc(3000) != SHM_NULL && shm_reserve(3000, &reservation) && shm_reserve(300000, &reservation));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}

#define DONE(name) do { succeeded = false; MEASURE(name); CHECK(succeeded); } while (0)

static void measure_all(void)
{
    DONE(sizes);
    DONE(fail_to_init);
    DONE(init);
    shm_deinit();
    DONE(init);
    shm_deinit();
    DONE(init_at_an_address);
    DONE(sizes);
    DONE(malloc_in_a_word);
    DONE(malloc_across_words);
    DONE(malloc_of_a_run);
    DONE(calloc_of_a_run);
    DONE(allocate_by_address);
    DONE(usable_sizes);
    DONE(free_all);
    DONE(reserve);
    DONE(publish);
    DONE(roots);
    DONE(grow);
    leave_dead();
    DONE(recover);
    DONE(count);
    DONE(verify);
    DONE(errors);
    DONE(cache_open);
    DONE(cache_set);
    DONE(cache_get);
    for (int index = 0; index < 40; index++) {
        many[index] = (struct shm_cache_key) { "key", index == 0 ? 3 : 2 };
    }
    DONE(cache_get_many);
    DONE(cache_touch);
    DONE(cache_lease_and_release);
    DONE(cache_increment);
    DONE(cache_tags);
    DONE(cache_set_with);
    DONE(cache_increment_with);
    DONE(cache_marks);
    DONE(cache_fly);
    DONE(cache_remove);
    DONE(cache_remove_all);
    DONE(cache_statistics);
    DONE(cache_evict);
    DONE(cache_set_with_evicting);
    DONE(cache_increment_with_evicting);
    DONE(cache_fly_evicting);
    DONE(verify);
}

CASE("F46: no function takes more than 4.7 KiB of stack, so a handler on 8 KiB may call all of them")
{
    setenv("SHM_MAX_ALLOC_POW2", "0", 1);
    setenv("SHM_MAX_ALLOCATABLE_SHM_SIZE", "24M", 1);
    measure_all();
    DONE(fill);
    printf("the most: %zu bytes\n", largest);
}

CASE("F46: nor in a heap of large blocks and units")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.block_bytes = 4096 * 16;
    options.unit_bytes = 16;
    options.largest_bytes = SHM_NO_LIMIT;
    options.maximum_bytes = 24 << 20;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    shm_deinit();
    setenv("SHM_MAX_ALLOC_POW2", "0", 1);
    measure_all();
}

static void cache_increment_evicting(void)
{
    succeeded = true;
    for (long index = 1; index <= 3000 && succeeded; index++) {
        succeeded = shm_cache_increment(cache, &index, sizeof index, 1, &number);
    }
}

CASE("F46: nor does a number for which room has to be made")
{
    setenv("SHM_MAX_ALLOCATABLE_SHM_SIZE", "2M", 1);
    setenv("SHM_INITIAL_SIZE", "2M", 1);
    open_heap();
    CHECK((cache = shm_cache_open("values", NULL)) >= 0);
    for (int index = 1; index <= 1000; index++) {
        CHECK(shm_cache_set(cache, &index, sizeof index, buffer, 500, 0, 0));
    }
    while (shm_malloc(32) != SHM_NULL) {
    }
    DONE(cache_increment_evicting);
    CHECK(shm_cache_get_statistics(cache, &cache_figures));
    CHECK(cache_figures.evictions_for_room > 0);
}

static void child_allocates(void) { succeeded = shm_malloc(3000) != SHM_NULL; }

CASE("F46: nor does the first call of a forked child")
{
    open_heap();
    pid_t child = fork();
    if (child == 0) {
        DONE(child_allocates);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
}
