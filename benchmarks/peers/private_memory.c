// malloc and free of the process: glibc's, or those of a library that was preloaded; and nothing at all, to see what the loops cost.
#define _GNU_SOURCE
#include "driver.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>

static const char *open_nothing(const struct parameters *p) {
    (void)p;
    return NULL;
}
static void close_nothing(void) {}
static void *address(uint64_t handle) { return (void *)handle; }

// Which allocator it is, is asked of the process itself: a library that was not found must not pass for glibc.
static const char *malloc_version(void) {
    static char text[128];
    int (*mi_version)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "mi_version");
    int (*mallctl)(const char *, void *, size_t *, void *, size_t) =
        (int (*)(const char *, void *, size_t *, void *, size_t))dlsym(RTLD_DEFAULT, "mallctl");
    if (mi_version) {
        int version = mi_version();
        snprintf(text, sizeof(text), "mimalloc %d.%d.%d", version / 100, version / 10 % 10, version % 10);
    } else if (mallctl) {
        const char *version = "?";
        size_t length = sizeof(version);
        mallctl("version", &version, &length, NULL, 0);
        snprintf(text, sizeof(text), "jemalloc %s", version);
    } else {
        snprintf(text, sizeof(text), "glibc %s", gnu_get_libc_version());
    }
    return text;
}

struct subject system_malloc = {
    .name = "malloc",
    .open = open_nothing,
    .close = close_nothing,
    .allocate = (uint64_t(*)(size_t))(void *)malloc,
    .release = (void (*)(uint64_t))(void *)free,
    .address = address,
    .version = malloc_version,
};

static uint64_t allocate_nothing(size_t bytes) { return bytes; }
static void release_nothing(uint64_t handle) { (void)handle; }
static const char *no_version(void) { return "no allocator"; }

struct subject nothing = {
    .name = "nothing",
    .open = open_nothing,
    .close = close_nothing,
    .allocate = allocate_nothing,
    .release = release_nothing,
    .address = address,
    .version = no_version,
};
