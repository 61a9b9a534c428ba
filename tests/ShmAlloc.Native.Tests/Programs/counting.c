/* Numbers in a cache. */
#include "caches.h"

CASE("a number counts across processes")
{
    enum { CHILDREN = 4, TIMES = 500 };
    open_heap();
    int cache = open_cache();
    pid_t children[CHILDREN];
    for (int index = 0; index < CHILDREN; index++) {
        children[index] = fork();
        if (children[index] == 0) {
            for (int time = 0; time < TIMES; time++) {
                while (!shm_cache_increment(cache, "n", 1, 1, NULL)) {
                    if (shm_last_error() != SHM_E_CONTENDED) {
                        _exit(shm_last_error());
                    }
                }
            }
            _exit(0);
        }
    }
    for (int index = 0; index < CHILDREN; index++) {
        CHECK_EQUAL(0, end_of(children[index]));
    }
    int64_t number = 0;
    CHECK(shm_cache_increment(cache, "n", 1, 0, &number));
    CHECK_EQUAL(CHILDREN * TIMES, number);
    CHECK(set_text(cache, "text", "not a number"));
    CHECK(!shm_cache_increment(cache, "text", 4, 1, &number));
    CHECK_EQUAL(SHM_E_WRONG_KIND, shm_last_error());
}

CASE("F14: a number that is added to stays pinned and keeps its expiry")
{
    int cache = open_small_cache();
    int64_t number = 5;
    CHECK(shm_cache_set(cache, "pinned", 6, &number, sizeof number, 0, SHM_CACHE_PINNED));
    CHECK(shm_cache_set(cache, "brief", 5, &number, sizeof number, 200, 0));
    CHECK(shm_cache_increment(cache, "pinned", 6, 1, NULL));
    CHECK(shm_cache_increment(cache, "brief", 5, 1, NULL));
    /* Nothing but its expiry takes it away: there is room. */
    await_expiry(cache, "brief");
    overfill(cache);
    CHECK(shm_cache_get(cache, "pinned", 6, &number, sizeof number, NULL));
    CHECK_EQUAL(6, number);
}

static int64_t add(int cache, const char *key, int64_t change, const struct shm_cache_entry_options *options)
{
    int64_t number = -1;
    CHECK(shm_cache_increment_with(cache, key, strlen(key), change, options, &number));
    return number;
}

CASE("F14: a number keeps its tags when it is added to, and its sliding expiry")
{
    open_heap();
    int cache = open_cache_with(0);
    const char *names[] = { "t", "u" };
    struct shm_cache_tag tags[2];
    CHECK(shm_cache_capture_tags(cache, names, 2, tags));
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.tags = tags;
    options.tag_count = 1;
    CHECK_EQUAL(5, add(cache, "n", 5, &options));
    CHECK_EQUAL(6, add(cache, "n", 1, NULL));
    CHECK(shm_cache_increment(cache, "n", 1, 1, NULL));
    CHECK(shm_cache_remove_by_tag(cache, "t"));
    CHECK_EQUAL(1, add(cache, "n", 1, NULL));
    /* Those that are given take the place of those that it had. */
    CHECK(shm_cache_capture_tags(cache, names, 2, tags));
    CHECK_EQUAL(2, add(cache, "n", 1, &options));
    options.tags = &tags[1];
    CHECK_EQUAL(3, add(cache, "n", 1, &options));
    CHECK(shm_cache_remove_by_tag(cache, "t"));
    CHECK_EQUAL(4, add(cache, "n", 1, NULL));
    CHECK(shm_cache_remove_by_tag(cache, "u"));
    CHECK_EQUAL(1, add(cache, "n", 1, NULL));

    struct shm_cache_entry_options sliding = SHM_CACHE_ENTRY_OPTIONS_INIT;
    sliding.sliding = 300;
    CHECK_EQUAL(1, add(cache, "sliding", 1, &sliding));
    CHECK(shm_cache_increment(cache, "sliding", 7, 1, NULL));
    /* It has its window still: it goes by itself when nobody asks. */
    struct shm_cache_statistics before = { .struct_size = sizeof before };
    CHECK(shm_cache_get_statistics(cache, &before));
    usleep(600 * 1000);
    check_missing(cache, "sliding");
}

CASE("F14: a window begins with the first call, and those after it do not prolong it")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_entry_options window = SHM_CACHE_ENTRY_OPTIONS_INIT;
    window.lifetime = 300;
    window.flags = SHM_CACHE_KEEPS_EXPIRY;
    CHECK_EQUAL(1, add(cache, "calls", 1, &window));
    int64_t calls = 1, last = 1;
    uint64_t begun = awake();
    do {
        CHECK(awake() - begun < PATIENCE);
        last = calls;
        calls = add(cache, "calls", 1, &window);
    } while (calls > last);
    CHECK_EQUAL(1, calls);

    /* Without it each of them does. */
    window.flags = 0;
    window.lifetime = 3600 * 1000;
    CHECK(add(cache, "calls", 1, &window) == 2);
    usleep(600 * 1000);
    CHECK_EQUAL(3, add(cache, "calls", 1, NULL));
}

CASE("what is no number, and options that make no sense, are refused")
{
    open_heap();
    int cache = open_cache();
    int64_t number = 7;
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    CHECK(set_text(cache, "text", "four"));
    CHECK(!shm_cache_increment_with(cache, "text", 4, 1, &options, &number));
    CHECK_EQUAL(SHM_E_WRONG_KIND, shm_last_error());
    options.version = 5;
    CHECK(!shm_cache_increment_with(cache, "n", 1, 1, &options, &number));
    check_refused(SHM_E_INVALID_OPTION, "version");
    options.version = 0;
    options.flags = SHM_CACHE_ADD;
    CHECK(!shm_cache_increment_with(cache, "n", 1, 1, &options, &number));
    check_refused(SHM_E_INVALID_OPTION, "flags");
    options.struct_size = 0;
    CHECK(!shm_cache_increment_with(cache, "n", 1, 1, &options, &number));
    check_refused(SHM_E_INVALID_OPTION, "struct_size");
    CHECK(!shm_cache_increment_with(15, "n", 1, 1, NULL, &number));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    CHECK_EQUAL(7, number);
    check_missing(cache, "n");
}
