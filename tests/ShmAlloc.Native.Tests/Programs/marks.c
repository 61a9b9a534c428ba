/* Marks: whether a copy that a process keeps is as good as a get. */
#include "caches.h"

static struct shm_cache_mark mark_of(int cache, const char *key)
{
    struct shm_cache_mark mark;
    char buffer[100];
    size_t size = 0;
    errno = 0;
    CHECK(shm_cache_get_marked(cache, key, strlen(key), buffer, sizeof buffer, &size, &mark));
    CHECK_EQUAL(0, errno);
    CHECK(size > 0 && mark.version != 0);
    return mark;
}

static void check_changed(int cache, const struct shm_cache_mark *mark)
{
    CHECK(!shm_cache_is_current(cache, mark));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
}

CASE("a mark is current until its key has another value or none")
{
    open_heap();
    int cache = open_cache();
    CHECK(set_text(cache, "key", "first"));
    struct shm_cache_mark first = mark_of(cache, "key");
    for (int round = 0; round < 100; round++) {
        CHECK(set_text(cache, "other", "x"));
        CHECK(shm_cache_is_current(cache, &first));
    }
    CHECK_EQUAL(0, errno);
    CHECK(set_text(cache, "key", "first"));
    check_changed(cache, &first);
    struct shm_cache_mark second = mark_of(cache, "key");
    CHECK(second.version != first.version);
    CHECK(shm_cache_is_current(cache, &second));
    CHECK(shm_cache_remove(cache, "key", 3));
    check_changed(cache, &second);
}

CASE("a mark is current until its value has expired, or lost a tag, or everything was removed")
{
    open_heap();
    int cache = open_cache_with(SHM_CACHE_ALLOWS_REMOVE_ALL);
    const char *name = "t";
    struct shm_cache_tag tag;
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    CHECK(shm_cache_capture_tags(cache, &name, 1, &tag));
    options.tags = &tag;
    options.tag_count = 1;
    CHECK(shm_cache_set_with(cache, "tagged", 6, "x", 1, &options));
    CHECK(set_text(cache, "plain", "x"));
    CHECK(shm_cache_set(cache, "brief", 5, "x", 1, 100, 0));
    struct shm_cache_mark tagged = mark_of(cache, "tagged");
    struct shm_cache_mark plain = mark_of(cache, "plain");
    struct shm_cache_mark brief = mark_of(cache, "brief");
    CHECK(shm_cache_is_current(cache, &tagged));
    uint64_t begun = awake();
    while (shm_cache_is_current(cache, &brief)) {
        CHECK(awake() - begun < PATIENCE);
    }
    check_changed(cache, &brief);
    check_missing(cache, "brief");
    CHECK(shm_cache_remove_by_tag(cache, "t"));
    check_changed(cache, &tagged);
    CHECK(shm_cache_is_current(cache, &plain));
    CHECK(shm_cache_remove_all(cache));
    check_changed(cache, &plain);
}

CASE("a mark of what is not there, or slides, is not current")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_mark mark;
    memset(&mark, 7, sizeof mark);
    CHECK(!shm_cache_get_marked(cache, "key", 3, NULL, 0, NULL, &mark));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    CHECK_EQUAL(0, mark.version);
    check_changed(cache, &mark);
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.sliding = 3600 * 1000;
    CHECK(shm_cache_set_with(cache, "key", 3, "x", 1, &options));
    mark = mark_of(cache, "key");
    check_changed(cache, &mark);
    CHECK(set_text(cache, "key", "0123456789"));
    char small[4];
    size_t size = 0;
    CHECK(!shm_cache_get_marked(cache, "key", 3, small, sizeof small, &size, &mark));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, shm_last_error());
    CHECK_EQUAL(10, size);
    CHECK(shm_cache_is_current(cache, &mark));
    CHECK(!shm_cache_get_marked(cache, "key", 3, small, sizeof small, &size, NULL));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK(!shm_cache_is_current(cache, NULL));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK(!shm_cache_is_current(15, &mark));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    CHECK(!shm_cache_get_marked(15, "key", 3, NULL, 0, NULL, &mark));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
}

CASE("a mark of another cache, of another process, or that was written over is never current")
{
    open_heap();
    int cache = open_cache();
    int other = shm_cache_open("other", NULL);
    CHECK(set_text(cache, "key", "x"));
    struct shm_cache_mark mark = mark_of(cache, "key");
    CHECK(!shm_cache_is_current(other, &mark));
    check_refused(SHM_E_FOREIGN, "mark");
    for (unsigned word = 0; word < sizeof mark / 8; word++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            struct shm_cache_mark wrong = mark;
            ((uint64_t *) &wrong)[word] ^= (uint64_t) 1 << bit;
            if (shm_cache_is_current(cache, &wrong)) {
                /* What says when to look again, or how long the value is, does not say what it is; nor do the upper bits of a place. */
                CHECK(word >= 5 || (word == 4 && bit >= 40));
            }
        }
    }
    memset(&mark, 0xA5, sizeof mark);
    CHECK(!shm_cache_is_current(cache, &mark));
    mark = mark_of(cache, "key");
    pid_t child = fork();
    if (child == 0) {
        CHECK(!shm_cache_is_current(cache, &mark));
        CHECK_EQUAL(SHM_E_FOREIGN, shm_last_error());
        mark = mark_of(cache, "key");
        CHECK(shm_cache_is_current(cache, &mark));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    CHECK(shm_cache_is_current(cache, &mark));
    check_sound();
}

CASE("no copy is behind while others set the value")
{
    enum { ROUNDS = 20000 };
    open_heap();
    int cache = open_cache();
    uint64_t number = 0;
    CHECK(shm_cache_set(cache, "n", 1, &number, sizeof number, 0, 0));
    pid_t writer = fork();
    if (writer == 0) {
        for (number = 1; number <= (uint64_t) effort(ROUNDS); number++) {
            CHECK(shm_cache_set(cache, "n", 1, &number, sizeof number, 0, 0));
            CHECK(shm_compare_exchange_root(3, &(uint64_t) { number - 1 }, number));
        }
        _exit(0);
    }
    struct shm_cache_mark mark;
    uint64_t copy = 0, done;
    CHECK(shm_cache_get_marked(cache, "n", 1, &copy, sizeof copy, NULL, &mark));
    do {
        /* What was set to the end before the question must not be missed by it. */
        done = shm_read_root(3);
        if (shm_cache_is_current(cache, &mark)) {
            CHECK(copy >= done);
        } else {
            CHECK(shm_cache_get_marked(cache, "n", 1, &copy, sizeof copy, NULL, &mark));
            CHECK(copy >= done);
        }
    } while (done < (uint64_t) effort(ROUNDS));
    CHECK_EQUAL(0, end_of(writer));
}
