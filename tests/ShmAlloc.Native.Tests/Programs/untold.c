/* Flights that end while all cells of the process are in use, so that they cannot tell others: by leases, and by operations that stand still. */
#include "flights.h"

#include <sys/mman.h>

/* Each operation that sets a value has two cells. */
enum { LEASES = 96, SETS = 16 };

static int cache, sets;
static char *values;
static size_t page;

static void set_what_cannot_be_read(void)
{
    char key[16];
    int length = snprintf(key, sizeof key, "set %d", sets);
    CHECK(shm_cache_set(cache, key, (size_t) length, values + (size_t) sets * page, 100, 0, 0));
}

/* In the middle of a set, whose value is here: this thread has its cells as long as it does not return. */
static void stand_still(int number)
{
    (void) number;
    char *value = values + (size_t) sets++ * page;
    if (sets < SETS) {
        set_what_cannot_be_read();
    } else {
        CHECK(!set_text(cache, "another", "value"));
        CHECK_EQUAL(SHM_E_CONTENDED, shm_last_error());
        CHECK(shm_cache_end_flight(cache, "flown", 5, false, &flight));
        CHECK_EQUAL(SHM_CACHE_BUSY, begin(cache, "flown", SHM_CACHE_DONT_WAIT, 0));
    }
    CHECK(mprotect(value, page, PROT_READ) == 0);
}

CASE("a flight that could not tell others of its end tells them with the next call that names any key")
{
    open_heap();
    cache = open_cache();
    page = (size_t) sysconf(_SC_PAGESIZE);
    values = mmap(NULL, SETS * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(values != MAP_FAILED);
    CHECK(set_text(cache, "leased", "value"));
    CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "flown", 0, 0));
    struct shm_cache_lease leases[LEASES];
    for (int index = 0; index < LEASES; index++) {
        CHECK(shm_cache_lease(cache, "leased", 6, &leases[index]));
    }
    struct sigaction action = { .sa_handler = stand_still, .sa_flags = SA_NODEFER };
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    set_what_cannot_be_read();
    CHECK_EQUAL(SETS, sets);
    for (int index = 0; index < LEASES; index++) {
        shm_cache_release(&leases[index]);
    }
    pid_t other = fork();
    if (other == 0) {
        CHECK_EQUAL(SHM_CACHE_BUSY, begin(cache, "flown", SHM_CACHE_DONT_WAIT, 0));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(other));
    check_missing(cache, "another");
    other = fork();
    if (other == 0) {
        CHECK_EQUAL(SHM_CACHE_LEAD, begin(cache, "flown", SHM_CACHE_DONT_WAIT, 0));
        CHECK(shm_cache_end_flight(cache, "flown", 5, false, &flight));
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(other));
    check_sound();
}
