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
    return is_same && is_counted && is_reserved && shm_verify(nullptr) ? 0 : 1;
}
