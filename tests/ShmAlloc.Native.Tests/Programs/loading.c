/* Loads and closes the library again and again. Linked without it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long mappings(void)
{
    char line[1024];
    long count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps) != NULL) {
        count++;
    }
    fclose(maps);
    return count;
}

int main(int count, char **words)
{
    bool leaves = count == 4 && strcmp(words[3], "leave") == 0;
    long before = 0;
    for (int round = 0; round < 1000; round++) {
        void *library = dlopen(words[1], round % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_GLOBAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        bool (*init)(void *, const char *) = (bool (*)(void *, const char *)) dlsym(library, "shm_init");
        uintptr_t (*allocate)(size_t) = (uintptr_t (*)(size_t)) dlsym(library, "shm_malloc");
        int (*give_back)(uintptr_t) = (int (*)(uintptr_t)) dlsym(library, "shm_try_free");
        void (*leave)(void) = (void (*)(void)) dlsym(library, "shm_deinit");
        if (!init(NULL, words[2])) {
            return 2;
        }
        for (size_t size = 1; size < 4096; size += 500) {
            uintptr_t place = allocate(size);
            if (place == 0 || give_back(place) != 0) {
                return 3;
            }
        }
        if (leaves) {
            leave();
        }
        if (dlclose(library) != 0) {
            return 4;
        }
        if (round == 10) {
            before = mappings();
        }
    }
    if (mappings() > before) {
        fprintf(stderr, "%ld mappings became %ld\n", before, mappings());
        return 5;
    }
    return 0;
}
