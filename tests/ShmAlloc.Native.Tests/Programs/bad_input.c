/* Whatever is passed in, the answer is an error and never a crash. */
#include "cases.h"

#include <setjmp.h>
#include <sys/mman.h>

static void check_refused(int reason)
{
    CHECK_EQUAL(reason, shm_last_error());
    check_sound();
}

CASE("freeing null does nothing")
{
    open_heap();
    shm_free(SHM_NULL);
    ptr_free(NULL);
    CHECK_EQUAL(SHM_OK, shm_try_free(SHM_NULL));
}

CASE("a double free is noticed and changes nothing")
{
    open_heap();
    shm_offt other = shm_malloc(100);
    shm_offt place = shm_malloc(100);
    shm_free(place);
    errno = 77;
    shm_free(place);
    CHECK_EQUAL(77, errno);
    check_refused(SHM_E_ALREADY_FREE);
    CHECK_EQUAL(SHM_E_ALREADY_FREE, shm_try_free(place));
    CHECK_EQUAL(1, statistics().allocations);
    CHECK_EQUAL(SHM_OK, shm_try_free(other));
}

CASE("foreign and wild pointers are refused")
{
    static int somewhere;
    int here;
    open_heap();
    shm_offt place = shm_malloc(4000);
    void *wild[] = {
        &here, &somewhere, (void *) 1, (void *) 4096, (void *) UINTPTR_MAX, (char *) get_shm_user_base(),
        (char *) get_shm_user_base() - 1, (char *) get_shm_user_base() - 8192, (char *) SHM_OFFT_TO_ADDR(place) + 1,
        (char *) SHM_OFFT_TO_ADDR(place) + 32, (char *) get_shm_user_base() + get_mapping_size_needed_by_shm(),
    };
    for (size_t index = 0; index < sizeof wild / sizeof *wild; index++) {
        ptr_free(wild[index]);
        check_refused(SHM_E_INVALID_OFFSET);
        CHECK_EQUAL(0, ptr_usable_size(wild[index]));
        CHECK_EQUAL(1, statistics().allocations);
    }
}

CASE("offsets out of range are refused")
{
    open_heap();
    shm_offt wild[] = { 1, 31, 4095, 4097, (shm_offt) 256 << 20, (shm_offt) 1 << 40, (shm_offt) 1 << 63, UINTPTR_MAX, UINTPTR_MAX - 4095 };
    for (size_t index = 0; index < sizeof wild / sizeof *wild; index++) {
        CHECK(shm_try_free(wild[index]) != SHM_OK);
        CHECK_EQUAL(0, shm_usable_size(wild[index]));
    }
    check_sound();
}

CASE("sizes that overflow are refused")
{
    open_heap();
    errno = 0;
    CHECK(shm_malloc(SIZE_MAX) == SHM_NULL);
    CHECK_EQUAL(ENOMEM, errno);
    CHECK(shm_calloc(SIZE_MAX, 2) == SHM_NULL);
    CHECK_EQUAL(SHM_E_INVALID_SIZE, shm_last_error());
    CHECK(shm_calloc(SIZE_MAX / 2 + 2, 2) == SHM_NULL);
    CHECK(ptr_malloc(SIZE_MAX - 31) == NULL);
    CHECK(ptr_calloc((size_t) 1 << 33, (size_t) 1 << 33) == NULL);
    struct shm_reservation reservation;
    CHECK(!shm_reserve(SIZE_MAX, &reservation));
    check_sound();
}

CASE("sizes of zero give a place of their own")
{
    open_heap();
    shm_offt first = shm_malloc(0), second = shm_calloc(0, 100);
    CHECK(first != SHM_NULL && second != SHM_NULL && first != second);
    shm_free(first);
    shm_free(second);
}

CASE("without a heap everything says so")
{
    struct shm_reservation reservation;
    struct shm_statistics figures = { .struct_size = sizeof figures };
    uint64_t expected = 0;
    errno = 0;
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(ENOENT, errno);
    CHECK_EQUAL(SHM_E_NO_HEAP, shm_last_error());
    CHECK(shm_calloc(1, 1) == SHM_NULL && ptr_malloc(1) == NULL && ptr_calloc(1, 1) == NULL);
    CHECK(get_shm_user_base() == NULL);
    shm_free(4096);
    ptr_free(&expected);
    CHECK_EQUAL(SHM_E_NO_HEAP, shm_try_free(4096));
    CHECK_EQUAL(0, shm_usable_size(4096));
    CHECK_EQUAL(0, ptr_usable_size(&expected));
    CHECK(!shm_reserve(1, &reservation) && !shm_publish(&reservation) && !shm_abandon(&reservation));
    CHECK(!shm_get_statistics(&figures) && !shm_verify(NULL) && !shm_grow(1));
    CHECK_EQUAL(0, shm_recover_dead());
    CHECK_EQUAL(0, shm_trim());
    CHECK_EQUAL(0, shm_read_root(0));
    CHECK(!shm_compare_exchange_root(0, &expected, 1));
    CHECK_EQUAL(SHM_E_NO_HEAP, shm_last_error());
    shm_deinit();
}

CASE("null structures are refused")
{
    open_heap();
    CHECK(!shm_reserve(1, NULL));
    CHECK(!shm_publish(NULL));
    CHECK(!shm_abandon(NULL));
    CHECK(!shm_compare_exchange_root(0, NULL, 1));
}

CASE("a made-up reservation is refused")
{
    struct shm_reservation reservation, forged;
    open_heap();
    CHECK(shm_reserve(100, &reservation));
    for (int word = 0; word < 5; word++) {
        forged = reservation;
        ((uint64_t *) &forged)[word] ^= word == 0 ? (uint64_t) 1 << 40 : UINT64_MAX;
        CHECK(!shm_publish(&forged));
        CHECK(!shm_abandon(&forged));
    }
    CHECK(shm_publish(&reservation));
    check_sound();
}

static sigjmp_buf back;

static void on_fault(int signal)
{
    siglongjmp(back, signal);
}

CASE("the null page can be read and faults when it is written")
{
    struct sigaction action = { .sa_handler = on_fault };
    open_heap();
    volatile char *null = SHM_OFFT_TO_ADDR(SHM_NULL);
    for (int at = 0; at < 4096; at++) {
        CHECK_EQUAL(0, null[at]);
    }
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1) == 0) {
        null[100] = 1;
        CHECK(!"the store went through");
    }
}

CASE("a read-only heap refuses every change and shows what there is")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    struct shm_reservation reservation;
    uint64_t expected = 0;
    open_heap();
    shm_offt place = shm_malloc(100);
    strcpy(SHM_OFFT_TO_ADDR(place), "for all to read");
    shm_deinit();
    options.flags = SHM_READ_ONLY;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    CHECK(strcmp(SHM_OFFT_TO_ADDR(place), "for all to read") == 0);
    CHECK_EQUAL(128, shm_usable_size(place));
    errno = 0;
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(EROFS, errno);
    CHECK_EQUAL(SHM_E_READ_ONLY, shm_last_error());
    CHECK(shm_calloc(1, 1) == SHM_NULL);
    CHECK_EQUAL(SHM_E_READ_ONLY, shm_try_free(place));
    CHECK(!shm_reserve(1, &reservation) && !shm_grow(1) && !shm_compare_exchange_root(0, &expected, 1));
    CHECK_EQUAL(1, statistics().allocations);
    CHECK_EQUAL(0, statistics().participants);
    check_sound();
}

CASE("F4: a reservation whose fields were changed is refused, and the real one is still good")
{
    struct shm_reservation reservation, changed;
    open_heap();
    CHECK(shm_reserve(100, &reservation));
    shm_offt neighbours[8];
    for (int index = 0; index < 8; index++) {
        neighbours[index] = shm_malloc(100);
    }
    for (shm_offt distance = 32; distance <= 1 << 20; distance *= 2) {
        changed = reservation;
        changed.offset += distance;
        CHECK(!shm_abandon(&changed));
        CHECK_EQUAL(SHM_E_STALE_RESERVATION, shm_last_error());
        CHECK(!shm_publish(&changed));
        changed.offset = reservation.offset - distance;
        CHECK(!shm_publish(&changed));
    }
    for (int word = 0; word < 4; word++) {
        for (int bit = 0; bit < 64; bit++) {
            changed = reservation;
            changed.opaque[word] ^= (uint64_t) 1 << bit;
            CHECK(!shm_publish(&changed));
            CHECK_EQUAL(SHM_E_STALE_RESERVATION, shm_last_error());
        }
    }
    for (int index = 0; index < 8; index++) {
        CHECK(shm_usable_size(neighbours[index]) >= 100);
    }
    CHECK(shm_publish(&reservation));
    CHECK_EQUAL(SHM_OK, shm_try_free(reservation.offset));
    CHECK_EQUAL(8, statistics().allocations);
    check_sound();
}

CASE("F4: a lease is no reservation, and a reservation no lease, whatever their fields say")
{
    struct shm_reservation reservation, forged = { 0 };
    struct shm_cache_lease lease, made_up = { 0 };
    open_heap();
    int cache = shm_cache_open("values", NULL);
    CHECK(cache >= 0 && shm_cache_set(cache, "key", 3, "value", 5, 0, 0));
    CHECK(shm_reserve(100, &reservation));
    CHECK(shm_cache_lease(cache, "key", 3, &lease));
    uint64_t attachment = lease.opaque[0], ticket = lease.opaque[1], cell = lease.opaque[2];
    forged = reservation;
    for (shm_offt offset = 0; offset < 1 << 16; offset += 32) {
        forged.offset = offset;
        forged.opaque[1] = ticket;
        forged.opaque[3] = (reservation.opaque[3] & UINT32_MAX) | cell << 32;
        CHECK(!shm_abandon(&forged) && !shm_publish(&forged));
    }
    /* Every cell, with all tickets that may be in use: only the lease itself is released. */
    for (uint64_t other = 0; other < 200; other++) {
        for (uint64_t bits = 0; bits < 64; bits++) {
            if (other != cell) {
                made_up = (struct shm_cache_lease) { lease.value, 5, { attachment, bits, other } };
                shm_cache_release(&made_up);
            }
        }
    }
    CHECK(shm_cache_remove(cache, "key", 3));
    while (shm_malloc(32) != SHM_NULL && statistics().allocations < 100) {
    }
    CHECK(memcmp(lease.value, "value", 5) == 0);
    CHECK(shm_publish(&reservation));
    shm_cache_release(&lease);
    check_sound();
}
