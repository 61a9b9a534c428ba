/* The cache: opening it, values that are set and got, and what is refused. */
#include "caches.h"

CASE("a value is what was set last, until it is removed")
{
    open_heap();
    int cache = open_cache();
    CHECK(set_text(cache, "key", "first"));
    check_text(cache, "key", "first");
    CHECK(set_text(cache, "key", "second"));
    check_text(cache, "key", "second");
    CHECK(shm_cache_remove(cache, "key", 3));
    CHECK(!shm_cache_get(cache, "key", 3, NULL, 0, NULL));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    CHECK_EQUAL(ENOENT, errno);
    CHECK(!shm_cache_remove(cache, "key", 3));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    check_sound();
}

CASE("a cache is found by its name, and others do not see its values")
{
    open_heap();
    int first = shm_cache_open("one", NULL);
    int second = shm_cache_open("two", NULL);
    CHECK(first >= 0 && second >= 0 && first != second);
    CHECK_EQUAL(first, shm_cache_open("one", NULL));
    CHECK(set_text(first, "key", "here"));
    CHECK(!shm_cache_get(second, "key", 3, NULL, 0, NULL));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
}

CASE("the statistics of a cache say what it holds and what was done")
{
    open_heap();
    int cache = open_cache();
    struct shm_cache_statistics statistics = { .struct_size = sizeof statistics };
    CHECK(shm_cache_get_statistics(cache, &statistics));
    CHECK_EQUAL(0, statistics.entries);
    CHECK(set_text(cache, "one", "first") && set_text(cache, "two", "second") && set_text(cache, "two", "third"));
    check_text(cache, "one", "first");
    CHECK(!shm_cache_get(cache, "three", 5, NULL, 0, NULL));
    CHECK(shm_cache_remove(cache, "one", 3));
    CHECK(shm_cache_get_statistics(cache, &statistics));
    CHECK_EQUAL(1, statistics.entries);
    CHECK(statistics.bytes >= 3 + 5 && statistics.bytes < 200);
    CHECK(statistics.capacity >= 14);
    CHECK_EQUAL(0, statistics.limit_bytes);
    CHECK_EQUAL(1, statistics.hits);
    CHECK_EQUAL(1, statistics.misses);
    CHECK_EQUAL(3, statistics.sets);
    CHECK_EQUAL(1, statistics.removals);
    CHECK_EQUAL(0, statistics.evictions_for_room + statistics.evictions_for_limit + statistics.evictions_for_entry + statistics.expirations);

    CHECK(!shm_cache_get_statistics(cache, NULL));
    CHECK(!shm_cache_get_statistics(cache + 1, &statistics));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    statistics.struct_size--;
    CHECK(!shm_cache_get_statistics(cache, &statistics));
}

CASE("a buffer that is too small is said so, with the size")
{
    open_heap();
    int cache = open_cache();
    CHECK(set_text(cache, "key", "0123456789"));
    char buffer[4];
    size_t size = 0;
    CHECK(!shm_cache_get(cache, "key", 3, buffer, sizeof buffer, &size));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, shm_last_error());
    CHECK_EQUAL(ERANGE, errno);
    CHECK_EQUAL(10, size);
    CHECK(!shm_cache_get(cache, "key", 3, NULL, 0, &size));
    CHECK_EQUAL(10, size);
}

CASE("many values are copied in one call")
{
    enum { COUNT = 70 };
    static char names[COUNT][12], buffer[1000];
    struct shm_cache_key keys[COUNT];
    struct shm_cache_read reads[COUNT];
    open_heap();
    int cache = open_cache();
    size_t needed = 0;
    for (int index = 0; index < COUNT; index++) {
        snprintf(names[index], sizeof names[index], "%d", index);
        keys[index] = (struct shm_cache_key) { names[index], strlen(names[index]) };
        if (index % 7 != 0) {
            CHECK(set_text(cache, names[index], names[index]));
            needed += strlen(names[index]);
        }
    }
    errno = 0;
    CHECK(shm_cache_get_many(cache, keys, COUNT, buffer, needed, reads));
    CHECK_EQUAL(0, errno);
    size_t used = 0;
    for (int index = 0; index < COUNT; index++) {
        CHECK_EQUAL(index % 7 != 0 ? SHM_OK : SHM_E_MISSING, reads[index].error);
        CHECK_EQUAL(index % 7 != 0 ? used : 0, reads[index].offset);
        CHECK_EQUAL(index % 7 != 0 ? strlen(names[index]) : 0, reads[index].value_size);
        CHECK(memcmp(buffer + reads[index].offset, names[index], reads[index].value_size) == 0);
        used += reads[index].value_size;
    }
    struct shm_cache_statistics statistics = { .struct_size = sizeof statistics };
    CHECK(shm_cache_get_statistics(cache, &statistics));
    CHECK_EQUAL(60, statistics.hits);
    CHECK_EQUAL(10, statistics.misses);

    CHECK(set_text(cache, "1", "too long for what is left"));
    keys[4].key_size = 70000;
    keys[5].key = NULL;
    CHECK(shm_cache_get_many(cache, keys, 6, buffer, 10, reads));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, reads[1].error);
    CHECK_EQUAL(25, reads[1].value_size);
    CHECK_EQUAL(SHM_OK, reads[3].error);
    CHECK_EQUAL(1, reads[3].offset);
    CHECK_EQUAL(SHM_E_TOO_LARGE, reads[4].error);
    CHECK_EQUAL(SHM_E_INVALID_OPTION, reads[5].error);
    CHECK(shm_cache_get_many(cache, keys, 4, NULL, 10, reads));
    CHECK_EQUAL(SHM_E_BUFFER_TOO_SMALL, reads[2].error);
    CHECK(shm_cache_get_many(cache, NULL, 0, NULL, 0, NULL));
    CHECK(!shm_cache_get_many(cache, keys, 1, buffer, 10, NULL));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    CHECK(!shm_cache_get_many(15, keys, 1, buffer, 10, reads));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
}

CASE("only one adds")
{
    open_heap();
    int cache = open_cache();
    CHECK(shm_cache_set(cache, "key", 3, "mine", 4, 0, SHM_CACHE_ADD));
    CHECK(!shm_cache_set(cache, "key", 3, "yours", 5, 0, SHM_CACHE_ADD));
    CHECK_EQUAL(SHM_E_EXISTS, shm_last_error());
    check_text(cache, "key", "mine");
}

CASE("a value is gone after its lifetime")
{
    open_heap();
    int cache = open_cache();
    CHECK(shm_cache_set(cache, "short", 5, "x", 1, 1, 0));
    CHECK(shm_cache_set(cache, "long", 4, "x", 1, 3600 * 1000, 0));
    await_expiry(cache, "short");
    check_text(cache, "long", "x");
}

CASE("a value gets another lifetime and stays as it is")
{
    open_heap();
    int cache = open_cache();
    CHECK(!shm_cache_touch(cache, "key", 3, 1));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    CHECK(shm_cache_set(cache, "key", 3, "x", 1, 3600 * 1000, 0));
    CHECK(shm_cache_touch(cache, "key", 3, 0));
    check_text(cache, "key", "x");
    CHECK(shm_cache_touch(cache, "key", 3, UINT64_MAX));
    check_text(cache, "key", "x");
    CHECK(shm_cache_touch(cache, "key", 3, 1));
    await_expiry(cache, "key");
    CHECK(!shm_cache_touch(cache, "key", 3, 0));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    CHECK(!shm_cache_touch(15, "key", 3, 0));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
}

CASE("everything is removed at once")
{
    open_heap();
    struct shm_cache_options options = { .struct_size = sizeof options, .flags = SHM_CACHE_ALLOWS_REMOVE_ALL };
    int cache = shm_cache_open("test", &options);
    CHECK(cache >= 0);
    int64_t number = 0;
    CHECK(set_text(cache, "one", "1") && set_text(cache, "two", "2") && shm_cache_increment(cache, "n", 1, 5, &number));
    check_text(cache, "one", "1");
    errno = 0;
    CHECK(shm_cache_remove_all(cache));
    CHECK_EQUAL(0, errno);
    CHECK(!shm_cache_get(cache, "one", 3, NULL, 0, NULL));
    CHECK_EQUAL(SHM_E_MISSING, shm_last_error());
    CHECK(!shm_cache_touch(cache, "two", 3, 0));
    CHECK(shm_cache_increment(cache, "n", 1, 1, &number));
    CHECK_EQUAL(1, number);
    CHECK(set_text(cache, "one", "3"));
    check_text(cache, "one", "3");

    int other = shm_cache_open("other", NULL);
    CHECK(set_text(other, "one", "1"));
    CHECK(!shm_cache_remove_all(other));
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    CHECK(strstr(shm_last_error_text(), "cannot be emptied at once") != NULL && strstr(shm_last_error_text(), "flag") == NULL);
    check_text(other, "one", "1");
    CHECK(shm_cache_open("other", &options) < 0);
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    CHECK(strstr(shm_last_error_text(), "leave the flag out") != NULL);
    CHECK(!shm_cache_remove_all(15));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    check_sound();
}

CASE("F61: a cache that exists is not opened with options that it does not have")
{
    int cache = open_small_cache();
    CHECK_EQUAL(cache, shm_cache_open("test", NULL));
    struct shm_cache_options same = { .struct_size = sizeof same, .capacity = 4000 };
    CHECK_EQUAL(cache, shm_cache_open("test", &same));
    struct shm_cache_options other[] = {
        { .struct_size = sizeof same, .capacity = 5000 },
        { .struct_size = sizeof same, .limit_bytes = 100000 },
        { .struct_size = sizeof same, .tag_slots = 64 },
        { .struct_size = sizeof same, .flags = SHM_CACHE_CHECKSUMS },
    };
    for (size_t index = 0; index < sizeof other / sizeof *other; index++) {
        CHECK_EQUAL(-1, shm_cache_open("test", &other[index]));
        CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    }
}

CASE("F15: what is asked for in vain is refused, and not made smaller without a word")
{
    open_heap();
    struct shm_cache_options large = { .struct_size = sizeof large, .capacity = UINT64_MAX };
    CHECK_EQUAL(-1, shm_cache_open("large", &large));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    large = (struct shm_cache_options) { .struct_size = sizeof large, .limit_bytes = UINT64_MAX };
    CHECK_EQUAL(-1, shm_cache_open("large", &large));
    large = (struct shm_cache_options) { .struct_size = sizeof large, .tag_slots = UINT32_MAX };
    CHECK_EQUAL(-1, shm_cache_open("large", &large));
    large = (struct shm_cache_options) { .struct_size = sizeof large, .flags = 4 };
    CHECK_EQUAL(-1, shm_cache_open("large", &large));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
}

CASE("a full heap makes room instead of failing, but keeps what is pinned")
{
    int cache = open_small_cache();
    CHECK(shm_cache_set(cache, "pinned", 6, "stays", 5, 0, SHM_CACHE_PINNED));
    overfill(cache);
    check_text(cache, "pinned", "stays");
    check_sound();
}

CASE("bad arguments are an error and change nothing")
{
    CHECK_EQUAL(-1, shm_cache_open("early", NULL));
    open_heap();
    size_t size = 9;
    char buffer[10];
    CHECK_EQUAL(-1, shm_cache_open(NULL, NULL));
    CHECK_EQUAL(-1, shm_cache_open("", NULL));
    CHECK_EQUAL(-1, shm_cache_open("a name of more than sixty-four bytes, which is more than there is room for", NULL));
    struct shm_cache_options wrong = { .struct_size = 3 };
    CHECK_EQUAL(-1, shm_cache_open("x", &wrong));
    CHECK(!shm_cache_get(3, "key", 3, buffer, sizeof buffer, &size));
    CHECK_EQUAL(SHM_E_NO_CACHE, shm_last_error());
    CHECK(!shm_cache_get(-1, "key", 3, buffer, sizeof buffer, &size));
    CHECK(!shm_cache_get(1000000, "key", 3, buffer, sizeof buffer, &size));
    int cache = open_cache();
    CHECK(!shm_cache_set(cache, NULL, 3, "x", 1, 0, 0));
    CHECK(!shm_cache_set(cache, "key", 3, NULL, 1, 0, 0));
    CHECK(!shm_cache_set(cache, "key", 3, "x", 1, 0, 1u << 31));
    CHECK(!shm_cache_set(cache, "key", 3, "x", SIZE_MAX, 0, 0));
    CHECK(!shm_cache_set(cache, "key", 70000, "x", 1, 0, 0));
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK(!shm_cache_lease(cache, "key", 3, NULL));
    shm_cache_release(NULL);
    CHECK(shm_cache_set(cache, "", 0, NULL, 0, 0, 0));
    CHECK(shm_cache_get(cache, "", 0, buffer, sizeof buffer, &size));
    CHECK_EQUAL(0, size);
    check_sound();
}

CASE("seventeen caches are one too many")
{
    open_heap();
    struct shm_cache_options small = { .struct_size = sizeof small, .capacity = 14 };
    char name[3] = "c0";
    for (int index = 0; index < 16; index++) {
        name[1] = (char) ('A' + index);
        CHECK_EQUAL(index, shm_cache_open(name, &small));
    }
    CHECK_EQUAL(-1, shm_cache_open("another", &small));
    CHECK_EQUAL(SHM_E_TOO_MANY_CACHES, shm_last_error());
}
