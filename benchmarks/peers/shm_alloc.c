// This project's C ABI, loaded at run time.
#include "driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static bool (*shm_init)(void *, const char *);
static void (*shm_deinit)(void);
static char *(*get_user_base)(void);

static const char *find(void *library, const char *name, void *function) {
    static char text[128];
    *(void **)function = dlsym(library, name);
    if (*(void **)function) {
        return NULL;
    }
    snprintf(text, sizeof(text), "the library has no %s", name);
    return text;
}

static const char *open_heap(const struct parameters *p) {
    if (!shm_init) {
        void *library = p->library ? dlopen(p->library, RTLD_NOW) : NULL;
        if (!library) {
            return p->library ? dlerror() : "libshm_alloc.so is not built";
        }
        const char *reason = find(library, "shm_init", &shm_init);
        reason = reason ? reason : find(library, "shm_deinit", &shm_deinit);
        reason = reason ? reason : find(library, "get_shm_user_base", &get_user_base);
        reason = reason ? reason : find(library, "shm_malloc", &shm_alloc.allocate);
        reason = reason ? reason : find(library, "shm_free", &shm_alloc.release);
        if (reason) {
            return reason;
        }
    }
    return shm_init(NULL, p->path) ? NULL : "shm_init answered false";
}

static void close_heap(void) { shm_deinit(); }
static void *address(uint64_t handle) { return get_user_base() + handle; }
static const char *version(void) { return "C ABI"; }

struct subject shm_alloc = {.name = "shm_alloc", .open = open_heap, .close = close_heap, .address = address, .version = version};
