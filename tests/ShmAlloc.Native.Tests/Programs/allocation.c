/* Every function that allocates, frees, reserves or looks. */
#include "cases.h"

CASE("malloc gives memory that free takes back")
{
    open_heap();
    shm_offt first = shm_malloc(100);
    CHECK(first != SHM_NULL);
    memset(SHM_OFFT_TO_ADDR(first), 7, 100);
    CHECK_EQUAL(1, statistics().allocations);
    shm_free(first);
    CHECK_EQUAL(0, statistics().allocations);
}

CASE("allocations of all sizes do not overlap")
{
    enum { COUNT = 700 };
    shm_offt places[COUNT];
    open_heap();
    for (size_t index = 0; index < COUNT; index++) {
        size_t size = index * 37 % 4096 + 1;
        places[index] = shm_malloc(size);
        CHECK(places[index] != SHM_NULL);
        memset(SHM_OFFT_TO_ADDR(places[index]), (int) (index & 0xFF), size);
    }
    for (size_t index = 0; index < COUNT; index++) {
        const unsigned char *bytes = SHM_OFFT_TO_ADDR(places[index]);
        for (size_t at = 0; at < index * 37 % 4096 + 1; at++) {
            CHECK_EQUAL(index & 0xFF, bytes[at]);
        }
        CHECK_EQUAL(SHM_OK, shm_try_free(places[index]));
    }
    check_sound();
}

CASE("calloc memory is zero also where something else lay before")
{
    open_heap();
    shm_offt dirty = shm_malloc(4000);
    memset(SHM_OFFT_TO_ADDR(dirty), 0xAA, 4000);
    shm_free(dirty);
    for (int round = 0; round < 50; round++) {
        shm_offt clean = shm_calloc(40, 100);
        const unsigned char *bytes = SHM_OFFT_TO_ADDR(clean);
        for (int at = 0; at < 4000; at++) {
            CHECK_EQUAL(0, bytes[at]);
        }
        memset(SHM_OFFT_TO_ADDR(clean), 0x55, 4000);
        shm_free(clean);
    }
}

CASE("the same three on addresses")
{
    open_heap();
    char *text = ptr_malloc(20);
    CHECK(text != NULL);
    strcpy(text, "an address");
    CHECK_EQUAL(32, ptr_usable_size(text));
    CHECK(SHM_OFFT_TO_ADDR(SHM_ADDR_TO_OFFT(text)) == text);
    int *numbers = ptr_calloc(10, sizeof *numbers);
    for (int index = 0; index < 10; index++) {
        CHECK_EQUAL(0, numbers[index]);
    }
    ptr_free(numbers);
    ptr_free(text);
    ptr_free(NULL);
    CHECK_EQUAL(0, statistics().allocations);
}

CASE("the largest size that the limits promise succeeds, and one more byte does not")
{
    open_heap();
    size_t largest = get_shm_max_allocatable_size() - get_sizeof_block_header();
    CHECK_EQUAL(4096, largest);
    CHECK_EQUAL(32, get_shm_min_allocatable_size());
    CHECK(shm_malloc(largest) != SHM_NULL);
    errno = 0;
    CHECK(shm_malloc(largest + 1) == SHM_NULL);
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK_EQUAL(ENOMEM, errno);
}

CASE("usable size is at least what was asked for, and 0 for what is none")
{
    open_heap();
    shm_offt place = shm_malloc(100);
    CHECK_EQUAL(128, shm_usable_size(place));
    CHECK_EQUAL(0, shm_usable_size(place + 32));
    shm_free(place);
    CHECK_EQUAL(0, shm_usable_size(place));
}

CASE("a reservation that is published is an allocation like any other")
{
    struct shm_reservation reservation;
    open_heap();
    CHECK(shm_reserve(1000, &reservation));
    strcpy(SHM_OFFT_TO_ADDR(reservation.offset), "written before");
    CHECK_EQUAL(0, statistics().allocations);
    CHECK(shm_publish(&reservation));
    CHECK_EQUAL(1, statistics().allocations);
    CHECK(!shm_publish(&reservation));
    CHECK_EQUAL(SHM_E_STALE_RESERVATION, shm_last_error());
    CHECK_EQUAL(SHM_OK, shm_try_free(reservation.offset));
}

CASE("a reservation that is abandoned leaves nothing")
{
    struct shm_reservation reservation;
    open_heap();
    CHECK(shm_reserve(1000, &reservation));
    CHECK(shm_abandon(&reservation));
    CHECK(!shm_publish(&reservation));
    CHECK_EQUAL(0, statistics().private_bytes);
}

CASE("there are many reservations at once, and then a reason")
{
    struct shm_reservation reservations[100];
    int count = 0;
    open_heap();
    while (count < 100 && shm_reserve(64, &reservations[count])) {
        count++;
    }
    CHECK_EQUAL(96, count);
    CHECK_EQUAL(SHM_E_TOO_MANY_RESERVATIONS, shm_last_error());
    CHECK_EQUAL(EAGAIN, errno);
    while (count-- > 0) {
        CHECK(shm_publish(&reservations[count]));
    }
}

CASE("root words are exchanged")
{
    uint64_t expected = 0;
    open_heap();
    CHECK_EQUAL(0, shm_read_root(3));
    CHECK(shm_compare_exchange_root(3, &expected, 42));
    CHECK_EQUAL(42, shm_read_root(3));
    CHECK(!shm_compare_exchange_root(3, &expected, 43));
    CHECK_EQUAL(42, expected);
    CHECK(!shm_compare_exchange_root(SHM_ROOTS, &expected, 1));
    CHECK_EQUAL(0, shm_read_root(SHM_ROOTS));
}

CASE("statistics count")
{
    open_heap();
    shm_offt place = shm_malloc(1000);
    struct shm_statistics figures = statistics();
    CHECK_EQUAL(1024, figures.used_bytes);
    CHECK_EQUAL(1, figures.allocations);
    CHECK_EQUAL(0, figures.private_bytes);
    CHECK_EQUAL(32, figures.unit_bytes);
    CHECK_EQUAL(256 << 20, figures.capacity_bytes);
    CHECK_EQUAL(figures.committed_bytes, figures.used_bytes + figures.free_bytes);
    CHECK_EQUAL(1, figures.participants);
    CHECK(figures.management_bytes > 0 && figures.largest_free_bytes > 0);
    shm_free(place);
}

CASE("structures of another size are refused")
{
    struct shm_statistics figures = { .struct_size = 8 };
    struct shm_verification found = { .struct_size = 8 };
    struct shm_options options = { .struct_size = 8 };
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    open_heap();
    CHECK(!shm_get_statistics(&figures));
    CHECK(!shm_get_statistics(NULL));
    CHECK(!shm_verify(&found));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    CHECK(shm_verify(NULL));
}

CASE("verify finds a damaged word and says where")
{
    struct shm_verification found = { .struct_size = sizeof found };
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = options.maximum_bytes = 1 << 20;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    CHECK(shm_verify(&found));
    /* The first word of the first slot, behind the header of one page. */
    uint64_t *slot = (uint64_t *) ((char *) get_shm_user_base() - (get_mapping_size_needed_by_shm() - 4096 - (1 << 20)) + 4096);
    uint64_t was = *slot;
    *slot = UINT64_MAX;
    CHECK(!shm_verify(&found));
    CHECK(found.violations > 0);
    CHECK_EQUAL(0, found.first_place);
    CHECK_EQUAL(SHM_E_NOT_SOUND, shm_last_error());
    *slot = was;
    check_sound();
}

CASE("the heap grows on demand up to its maximum, and then says that it is full")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = 1 << 20;
    options.maximum_bytes = 4 << 20;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(1 << 20, statistics().committed_bytes);
    int count = 0;
    while (shm_malloc(4096) != SHM_NULL) {
        count++;
    }
    CHECK_EQUAL(1024, count);
    CHECK_EQUAL(SHM_E_OUT_OF_MEMORY, shm_last_error());
    CHECK_EQUAL(4 << 20, statistics().committed_bytes);
}

CASE("the heap grows by call")
{
    open_heap();
    uint64_t before = statistics().committed_bytes;
    CHECK(shm_grow(1 << 20));
    CHECK(statistics().committed_bytes >= before + (1 << 20));
    CHECK(!shm_grow((size_t) 1 << 40));
    CHECK_EQUAL(SHM_E_OUT_OF_MEMORY, shm_last_error());
}

CASE("what is free goes back to the system by call, but for the initial size, and can be allocated again")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = 1 << 20;
    options.maximum_bytes = 8 << 20;
    options.largest_bytes = SHM_NO_LIMIT;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    for (int round = 0; round < 3; round++) {
        shm_offt all = shm_malloc(8 << 20);
        CHECK(all != SHM_NULL);
        memset(SHM_OFFT_TO_ADDR(all), round, 8 << 20);
        shm_free(all);
        errno = 77;
        CHECK_EQUAL(7 << 20, shm_trim());
        CHECK_EQUAL(77, errno);
        CHECK_EQUAL(7 << 20, statistics().given_back_bytes);
        CHECK_EQUAL(8 << 20, statistics().free_bytes);
    }
    check_sound();
}

CASE("the limit can be lifted")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.largest_bytes = SHM_NO_LIMIT;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    shm_offt large = shm_calloc(3, 5 << 20);
    CHECK(large != SHM_NULL);
    CHECK(shm_usable_size(large) >= 15 << 20);
    CHECK_EQUAL(SHM_OK, shm_try_free(large));
    CHECK_EQUAL(256 << 20, get_shm_max_allocatable_size());
}

CASE("every reason has a sentence")
{
    for (int error = -5; error < 300; error++) {
        CHECK(strlen(shm_strerror(error)) > 5);
    }
    CHECK(strcmp(shm_strerror(SHM_OK), shm_strerror(SHM_E_TOO_LARGE)) != 0);
}
