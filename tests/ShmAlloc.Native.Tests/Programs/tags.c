/* Tags: captured, removed, and asked about. */
#include "caches.h"

static struct shm_cache_tag capture(int cache, const char *name)
{
    struct shm_cache_tag tag;
    errno = 0;
    CHECK(shm_cache_capture_tags(cache, &name, 1, &tag));
    CHECK_EQUAL(0, errno);
    return tag;
}

static void set_tagged(int cache, const char *key, const char *value, const struct shm_cache_tag *tags, uint32_t count)
{
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.tags = tags;
    options.tag_count = count;
    CHECK(shm_cache_set_with(cache, key, strlen(key), value, strlen(value), &options));
}

CASE("what has a tag goes with it, and nothing else does")
{
    open_heap();
    int cache = open_cache_with(0);
    struct shm_cache_tag tags[] = { capture(cache, "article 5"), capture(cache, "user 7") };
    set_tagged(cache, "both", "x", tags, 2);
    set_tagged(cache, "one", "x", &tags[1], 1);
    CHECK(set_text(cache, "none", "x"));
    CHECK(shm_cache_tags_are_current(cache, tags, 2));
    CHECK(shm_cache_remove_by_tag(cache, "article 5"));
    check_missing(cache, "both");
    check_text(cache, "one", "x");
    check_text(cache, "none", "x");
    CHECK(!shm_cache_tags_are_current(cache, tags, 2));
    CHECK_EQUAL(SHM_E_CHANGED, shm_last_error());
    CHECK(shm_cache_tags_are_current(cache, &tags[1], 1));
    CHECK(shm_cache_tags_are_current(cache, NULL, 0));
    check_sound();
}

CASE("a value whose tag is removed between capture and set is gone")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_tag tag = capture(cache, "t");
    CHECK(shm_cache_remove_by_tag(cache, "t"));
    set_tagged(cache, "key", "old", &tag, 1);
    check_missing(cache, "key");
    tag = capture(cache, "t");
    set_tagged(cache, "key", "new", &tag, 1);
    check_text(cache, "key", "new");
}

CASE("what was captured from a heap says nothing of its copy")
{
    char copy[200], command[400];
    open_heap();
    int cache = open_cache();
    struct shm_cache_tag tag = capture(cache, "t");
    shm_deinit();
    snprintf(copy, sizeof copy, "%s-2", heap_path());
    snprintf(command, sizeof command, "cp '%s' '%s'", heap_path(), copy);
    CHECK_EQUAL(0, system(command));
    open_heap();
    CHECK_EQUAL(cache, open_cache());
    CHECK(shm_cache_tags_are_current(cache, &tag, 1));
    shm_deinit();
    CHECK(shm_init(NULL, copy));
    CHECK_EQUAL(cache, open_cache());
    CHECK(!shm_cache_tags_are_current(cache, &tag, 1));
    CHECK_EQUAL(SHM_E_FOREIGN, shm_last_error());
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.tags = &tag;
    options.tag_count = 1;
    CHECK(!shm_cache_set_with(cache, "key", 3, "x", 1, &options));
    CHECK_EQUAL(SHM_E_FOREIGN, shm_last_error());
}

CASE("an entry has sixty-three tags, and each of them removes it")
{
    enum { COUNT = 63 };
    static char names[COUNT][16];
    const char *pointers[COUNT];
    struct shm_cache_tag tags[COUNT];
    open_heap();
    int cache = open_cache();
    for (int index = 0; index < COUNT; index++) {
        snprintf(names[index], sizeof names[index], "t%d", index);
        pointers[index] = names[index];
    }
    for (int index = 0; index < COUNT; index++) {
        CHECK(shm_cache_capture_tags(cache, pointers, COUNT, tags));
        set_tagged(cache, "key", "x", tags, COUNT);
        check_text(cache, "key", "x");
        CHECK(shm_cache_remove_by_tag(cache, names[index]));
        check_missing(cache, "key");
    }
}

CASE("what is removed at once takes with it what was captured before, with tags and without")
{
    open_heap();
    int cache = open_cache_with(SHM_CACHE_ALLOWS_REMOVE_ALL);
    struct shm_cache_tag before[] = { capture(cache, NULL), capture(cache, "t") };
    CHECK(shm_cache_remove_all(cache));
    struct shm_cache_tag after[] = { capture(cache, NULL), capture(cache, "t") };
    CHECK(!shm_cache_tags_are_current(cache, &before[0], 1));
    CHECK(!shm_cache_tags_are_current(cache, &before[1], 1));
    CHECK(shm_cache_tags_are_current(cache, after, 2));
    struct shm_cache_tag mixed[] = { after[0], before[1], after[1] };
    set_tagged(cache, "untagged before", "x", &before[0], 1);
    set_tagged(cache, "tagged before", "x", &before[1], 1);
    set_tagged(cache, "mixed", "x", mixed, 3);
    set_tagged(cache, "untagged after", "x", &after[0], 1);
    set_tagged(cache, "tagged after", "x", &after[1], 1);
    check_missing(cache, "untagged before");
    check_missing(cache, "tagged before");
    check_missing(cache, "mixed");
    check_text(cache, "untagged after", "x");
    check_text(cache, "tagged after", "x");
    check_sound();
}

CASE("tags of another cache, and none, are refused")
{
    open_heap();
    int cache = open_cache();
    int other = shm_cache_open("other", NULL);
    struct shm_cache_tag tag = capture(other, "t");
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    options.tags = &tag;
    options.tag_count = 1;
    CHECK(!shm_cache_set_with(cache, "key", 3, "x", 1, &options));
    CHECK_EQUAL(SHM_E_FOREIGN, shm_last_error());
    CHECK(!shm_cache_tags_are_current(cache, &tag, 1));
    CHECK_EQUAL(SHM_E_FOREIGN, shm_last_error());
    const char *name = "t";
    CHECK(!shm_cache_capture_tags(cache, &name, 1, NULL));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK(!shm_cache_capture_tags(cache, NULL, 1, &tag));
    CHECK(!shm_cache_capture_tags(15, &name, 1, &tag));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    CHECK(!shm_cache_remove_by_tag(cache, NULL));
    check_refused(SHM_E_INVALID_OPTION, "NULL");
    CHECK(!shm_cache_remove_by_tag(-1, "t"));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    CHECK(!shm_cache_tags_are_current(cache, NULL, 1));
    CHECK(shm_cache_capture_tags(cache, NULL, 0, NULL));
    /* Without shm_cache_remove_all the whole cache is nothing that is removed. */
    tag = capture(cache, NULL);
    CHECK(shm_cache_remove_by_tag(cache, ""));
    CHECK(shm_cache_tags_are_current(cache, &tag, 1));
}

CASE("who may only read captures no removal that he could make")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_tag tag = capture(cache, "t");
    set_tagged(cache, "key", "x", &tag, 1);
    shm_deinit();
    struct shm_options options = SHM_OPTIONS_INIT;
    options.flags = SHM_READ_ONLY;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(cache, shm_cache_open("test", NULL));
    CHECK(!shm_cache_remove_by_tag(cache, "t"));
    CHECK_EQUAL(SHM_E_READ_ONLY, shm_last_error());
    CHECK(shm_cache_tags_are_current(cache, &tag, 1));
    check_text(cache, "key", "x");
}
