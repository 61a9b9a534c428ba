/*
 * Does with the cache "default" of the heap in SHM_FILE what it is told, a line each, and answers with a line:
 *
 *   capture TAG          set KEY VALUE [TAG]      set-sliding KEY VALUE MS     set-stale KEY VALUE
 *   get KEY              version KEY              replace KEY VALUE VERSION    add KEY NUMBER
 *   remove-tag TAG       lead KEY [TAG]           complete KEY VALUE           give-up KEY
 *   want KEY [stale]
 */
#include "shm_alloc.h"

#include <stdlib.h>
#include <string.h>

static int cache;
static struct shm_cache_tag captured;
static struct shm_cache_flight flight;

static const char *result(bool done)
{
    return done ? "ok" : shm_strerror(shm_last_error());
}

static bool set(const char *key, const char *value, const struct shm_cache_entry_options *options)
{
    return shm_cache_set_with(cache, key, strlen(key), value, strlen(value), options);
}

static void answer_value(const char *prefix, const char *buffer, size_t size)
{
    printf("%s%.*s\n", prefix, (int) size, buffer);
}

static void begin(const char *key, const char *tag, unsigned flags)
{
    static const char *const states[] = { "found ", "stale ", "leads", "busy" };
    char buffer[100];
    size_t size = 0;
    struct shm_cache_flight_options options = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    options.tags = &tag;
    options.tag_count = tag != NULL;
    options.flags = flags;
    int state = shm_cache_begin_flight(cache, key, strlen(key), buffer, sizeof buffer, &size, &options, &flight);
    answer_value(state < 0 ? result(false) : states[state], buffer, state < 0 ? 0 : size);
}

static void obey(const char *what, const char *key, const char *value, const char *more)
{
    struct shm_cache_entry_options options = SHM_CACHE_ENTRY_OPTIONS_INIT;
    struct shm_cache_mark mark;
    char buffer[100];
    size_t size = 0;
    int64_t number = 0;
    if (strcmp(what, "capture") == 0) {
        puts(result(shm_cache_capture_tags(cache, &key, 1, &captured)));
    } else if (strcmp(what, "set") == 0) {
        options.tags = &captured;
        options.tag_count = more != NULL;
        puts(result(set(key, value, &options)));
    } else if (strcmp(what, "set-sliding") == 0) {
        options.sliding = strtoull(more, NULL, 10);
        puts(result(set(key, value, &options)));
    } else if (strcmp(what, "set-stale") == 0) {
        options.lifetime = 1;
        options.stale_for = 3600 * 1000;
        puts(result(set(key, value, &options)));
    } else if (strcmp(what, "get") == 0) {
        bool is_there = shm_cache_get(cache, key, strlen(key), buffer, sizeof buffer, &size);
        answer_value(is_there ? "" : "missing", buffer, size);
    } else if (strcmp(what, "version") == 0) {
        shm_cache_get_marked(cache, key, strlen(key), NULL, 0, NULL, &mark);
        printf("%" PRIu64 "\n", mark.version);
    } else if (strcmp(what, "replace") == 0) {
        options.version = strtoull(more, NULL, 10);
        puts(result(set(key, value, &options)));
    } else if (strcmp(what, "add") == 0) {
        bool done = shm_cache_increment(cache, key, strlen(key), strtoll(value, NULL, 10), &number);
        printf("%" PRId64 "%s\n", number, done ? "" : " failed");
    } else if (strcmp(what, "remove-tag") == 0) {
        puts(result(shm_cache_remove_by_tag(cache, key)));
    } else if (strcmp(what, "lead") == 0) {
        begin(key, value, SHM_CACHE_DONT_WAIT);
    } else if (strcmp(what, "complete") == 0) {
        puts(result(shm_cache_complete_flight(cache, key, strlen(key), value, strlen(value), NULL, &flight)));
    } else if (strcmp(what, "give-up") == 0) {
        puts(result(shm_cache_end_flight(cache, key, strlen(key), true, &flight)));
    } else if (strcmp(what, "want") == 0) {
        begin(key, NULL, value != NULL ? SHM_CACHE_ALLOW_STALE : 0);
    } else {
        puts("what?");
    }
}

int main(void)
{
    char line[1000];
    cache = shm_cache_open("default", NULL);
    if (cache < 0) {
        fprintf(stderr, "%s\n", shm_last_error_text());
        return 1;
    }

    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        char *what = strtok(line, " "), *key = strtok(NULL, " "), *value = strtok(NULL, " "), *more = strtok(NULL, " ");
        obey(what, key, value, more);
        fflush(stdout);
    }
    return 0;
}
