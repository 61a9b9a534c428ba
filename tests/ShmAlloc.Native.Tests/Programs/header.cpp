// The header in C++: its functions, macros and initialisers. It brings stdio, as in C (F52).
#include "shm_alloc.h"

#include <cstring>

static_assert(noexcept(shm_malloc(1)), "no function throws");
static_assert(sizeof(shm_offt) == sizeof(void *), "an offset is as wide as a pointer");

int main(int, char **argv)
{
    shm_options options = SHM_OPTIONS_INIT;
    options.flags = SHM_CREATE;
    if (!shm_init_with(nullptr, argv[1], &options)) {
        return 1;
    }

    ::printf("%" PRIu_shm_offt "\n", SHM_NULL);
    char *text = static_cast<char *>(ptr_malloc(100));
    std::strcpy(text, "C++");
    const shm_offt offset = SHM_ADDR_TO_OFFT(text);
    const bool is_same = SHM_OFFT_TO_ADDR(offset) == text;
    shm_statistics figures{};
    figures.struct_size = sizeof figures;
    const bool is_counted = shm_get_statistics(&figures) && figures.allocations == 1;
    ptr_free(text);
    shm_reservation reservation;
    const bool is_reserved = shm_reserve(10, &reservation) && shm_abandon(&reservation);
    const int cache = shm_cache_open("values", nullptr);
    const char *name = "tag";
    shm_cache_entry_options entry = SHM_CACHE_ENTRY_OPTIONS_INIT;
    shm_cache_flight_options wanted = SHM_CACHE_FLIGHT_OPTIONS_INIT;
    shm_cache_flight flight;
    shm_cache_mark mark;
    wanted.tags = &name;
    wanted.tag_count = 1;
    entry.lifetime = 3600 * 1000;
    const bool is_cached = shm_cache_begin_flight(cache, "key", 3, nullptr, 0, nullptr, &wanted, &flight) == SHM_CACHE_LEAD
        && shm_cache_complete_flight(cache, "key", 3, "", 0, &entry, &flight)
        && shm_cache_get_marked(cache, "key", 3, nullptr, 0, nullptr, &mark) && shm_cache_is_current(cache, &mark);
    return is_same && is_counted && is_reserved && is_cached && shm_verify(nullptr) ? 0 : 1;
}
