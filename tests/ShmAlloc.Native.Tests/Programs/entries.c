/* Values that are set with everything an entry may have. */
#include "caches.h"

#include <time.h>

static bool set_with(int cache, const char *key, const char *value, const struct shm_cache_entry_options *options)
{
    return shm_cache_set_with(cache, key, strlen(key), value, strlen(value), options);
}

static uint64_t wall(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

CASE("a value is set with options, and without any")
{
    open_heap();
    int cache = open_cache();
    CHECK(set_with(cache, "key", "plain", NULL));
    check_text(cache, "key", "plain");
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    errno = 0;
    CHECK(set_with(cache, "key", "still", &options));
    CHECK_EQUAL(0, errno);
    check_text(cache, "key", "still");
    options.flags = SHM_CACHE_ADD;
    CHECK(!set_with(cache, "key", "another", &options));
    CHECK_EQUAL(SHM_E_EXISTS, shm_last_error());
    CHECK(set_with(cache, "other", "added", &options));
    check_text(cache, "other", "added");
}

CASE("the earlier of lifetime and point in time counts")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.lifetime = 3600 * 1000;
    options.expires_at = wall() + 100;
    CHECK(set_with(cache, "at", "x", &options));
    options.expires_at = wall() + 3600 * 1000;
    options.lifetime = 100;
    CHECK(set_with(cache, "after", "x", &options));
    options.lifetime = UINT64_MAX;
    options.expires_at = UINT64_MAX;
    CHECK(set_with(cache, "never", "x", &options));
    await_expiry(cache, "at");
    await_expiry(cache, "after");
    check_text(cache, "never", "x");
    options.expires_at = wall() - 1000;
    CHECK(!set_with(cache, "never", "y", &options));
    check_refused(SHM_E_EXPIRED, "expires_at");
    check_text(cache, "never", "x");
}

CASE("a value that slides lives as long as it is used, and no longer than its lifetime")
{
    enum { WINDOW = 400, LIFETIME = 1500 };
    open_heap();
    int cache = open_cache();
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.sliding = WINDOW;
    CHECK(set_with(cache, "unused", "x", &options));
    options.lifetime = LIFETIME;
    uint64_t begun = wall();
    CHECK(set_with(cache, "used", "x", &options));
    char value;
    uint64_t last, now = begun, longest = 0;
    bool is_there;
    do {
        last = now;
        is_there = shm_cache_get(cache, "used", 4, &value, 1, NULL);
        now = wall();
        longest = now - last > longest ? now - last : longest;
    } while (is_there);
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    /* Unless this process stood still for nearly as long as the window, it was there to the end. */
    CHECK(now - begun >= LIFETIME - 100 || longest >= WINDOW / 2);
    CHECK(now - begun < LIFETIME + longest + 100);
    check_missing(cache, "unused");
}

CASE("a value is replaced if it has the version that was read, and else not")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_mark mark;
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    CHECK(set_text(cache, "key", "first"));
    CHECK(!shm_cache_get_marked(cache, "key", 3, NULL, 0, NULL, &mark));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, shm_last_error());
    CHECK(mark.version != 0);
    options.version = mark.version;
    CHECK(set_with(cache, "key", "second", &options));
    CHECK(!set_with(cache, "key", "third", &options));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
    check_text(cache, "key", "second");
    CHECK(shm_cache_remove(cache, "key", 3));
    CHECK(!set_with(cache, "key", "third", &options));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    check_missing(cache, "key");
}

CASE("many who add one by version lose none")
{
    enum { CHILDREN = 4, TIMES = 100 };
    open_heap();
    int cache = open_cache();
    int number = 0;
    pid_t children[CHILDREN];
    CHECK(shm_cache_set(cache, "n", 1, &number, sizeof number, 0, 0));
    for (int child = 0; child < CHILDREN; child++) {
        children[child] = fork();
        for (int time = 0; children[child] == 0 && time < TIMES;) {
            struct shm_cache_mark mark;
            struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
            CHECK(shm_cache_get_marked(cache, "n", 1, &number, sizeof number, NULL, &mark));
            number++;
            options.version = mark.version;
            if (shm_cache_set_with(cache, "n", 1, &number, sizeof number, &options)) {
                time++;
            } else {
                CHECK(shm_last_error() == SHM_E_CHANGED || shm_last_error() == SHM_E_CONTENDED);
            }
        }
        if (children[child] == 0) {
            _exit(0);
        }
    }
    for (int child = 0; child < CHILDREN; child++) {
        CHECK_EQUAL(0, end_of(children[child]));
    }
    CHECK(shm_cache_get(cache, "n", 1, &number, sizeof number, NULL));
    CHECK_EQUAL(CHILDREN * TIMES, number);
}

CASE("a value that cannot be stored takes the old one with it, if that is said")
{
    static char large[2 << 20];
    bool is_stored = true;
    int cache = open_small_cache();
    CHECK(set_text(cache, "key", "old"));
    CHECK(!shm_cache_set_with(cache, "key", 3, large, sizeof large, NULL));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    check_text(cache, "key", "old");
    CHECK(shm_cache_set_or_remove(cache, "key", 3, large, sizeof large, NULL, &is_stored));
    CHECK(!is_stored);
    check_missing(cache, "key");
    CHECK(shm_cache_set_or_remove(cache, "key", 3, large, sizeof large, NULL, NULL));
    CHECK(shm_cache_set_or_remove(cache, "key", 3, "new", 3, NULL, &is_stored));
    CHECK(is_stored);
    check_text(cache, "key", "new");
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.expires_at = 1;
    CHECK(shm_cache_set_or_remove(cache, "key", 3, "late", 4, &options, &is_stored));
    CHECK(!is_stored);
    check_missing(cache, "key");
    CHECK(set_text(cache, "key", "old"));
    options.version = 1;
    CHECK(!shm_cache_set_or_remove(cache, "key", 3, "new", 3, &options, &is_stored));
    check_refused(SHM_E_INVALID_OPTION, "version");
    CHECK(!shm_cache_set_or_remove(cache, "key", 3, NULL, 3, NULL, &is_stored));
    check_text(cache, "key", "old");
}

CASE("what stays when room is made is what was pinned with options")
{
    int cache = open_small_cache();
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.flags = SHM_CACHE_PINNED;
    CHECK(set_with(cache, "pinned", "stays", &options));
    overfill(cache);
    check_text(cache, "pinned", "stays");
}

CASE("options that make no sense are refused, and the refusal names them")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_tag tags[64];
    struct shm_cache_entry_options good = SHM_CACHE_ENTRY_OPTIONS_INIT;
    struct shm_cache_entry_options bad = good;
    CHECK(set_text(cache, "key", "x"));
    memset(tags, 0, sizeof tags);

    bad.struct_size--;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "struct_size");
    CHECK_EQUAL(EINVAL, errno);
    bad = good;
    bad.flags = 1u << 31;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "flags");
    bad.flags = SHM_CACHE_KEEPS_EXPIRY;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "flags");
    bad = good;
    bad.tag_count = 1;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    bad.tags = tags;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_FOREIGN, "capture");
    bad.tag_count = 64;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "63");
    bad = good;
    bad.sliding = 1;
    bad.refresh_after = 1;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "sliding");
    bad = good;
    bad.stale_for = 1;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "stale_for");
    bad = good;
    bad.lifetime = bad.refresh_after = 1000;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "refresh_after must be less than lifetime");
    bad = good;
    bad.version = 1;
    bad.flags = SHM_CACHE_ADD;
    CHECK(!set_with(cache, "key", "y", &bad));
    check_refused(SHM_E_INVALID_OPTION, "SHM_CACHE_ADD");
    CHECK(!shm_cache_set_with(cache, "key", 3, NULL, 1, &good));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK(!shm_cache_set_with(cache, "key", 3, "y", SIZE_MAX, &good));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK(!shm_cache_set_with(cache, "key", 70000, "y", 1, &good));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK(!shm_cache_set_with(15, "key", 3, "y", 1, &good));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    check_text(cache, "key", "x");

    struct shm_cache_options other = { .struct_size = sizeof other, .limit_bytes = UINT64_MAX };
    CHECK_EQUAL(-1, shm_cache_open("other", &other));
    check_refused(SHM_E_INVALID_OPTION, "limit_bytes");
    other = (struct shm_cache_options) { .struct_size = sizeof other, .flags = SHM_CACHE_CHECKSUMS };
    CHECK_EQUAL(-1, shm_cache_open("test", &other));
    check_refused(SHM_E_OPTIONS_CONTRADICT, "SHM_CACHE_CHECKSUMS");
    CHECK(strcmp(shm_strerror(SHM_E_OPTIONS_CONTRADICT), shm_last_error_text()) != 0);
}

CASE("F61: opening a heap with an option that it does not have names the option")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.unit_bytes = 33;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    check_refused(SHM_E_INVALID_OPTION, "unit_bytes");
    CHECK(shm_malloc(1) == SHM_NULL);
    check_refused(SHM_E_INVALID_OPTION, "unit_bytes");
    options.unit_bytes = 0;
    options.flags = SHM_CREATE | SHM_ATTACH;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    check_refused(SHM_E_INVALID_OPTION, "flags");
    setenv("SHM_INITIAL_SIZE", "many", 1);
    CHECK(!shm_init(NULL, heap_path()));
    check_refused(SHM_E_INVALID_OPTION, "SHM_INITIAL_SIZE");
    unsetenv("SHM_INITIAL_SIZE");
    open_heap();
    shm_deinit();
    options.flags = 0;
    options.maximum_bytes = 1 << 20;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    check_refused(SHM_E_OPTIONS_CONTRADICT, "maximum_bytes");
}
