/*
 * ShmAlloc: a heap in a file that several processes map. They allocate from it, hand each other offsets, and free what
 * others allocated; any of them may be killed at any instruction without stopping the others or damaging the heap.
 *
 * C11 and C++11. Every function here may be called by any thread at any time, also by a signal handler that interrupted
 * any other of them; none waits for another process, but shm_cache_begin_flight. docs/c-abi.md says what is promised in which context.
 */
#ifndef SHM_ALLOC_H
#define SHM_ALLOC_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not for what follows: programs written for the original library print and use atomics without including these. */
#include <stdio.h>
#if !defined(__cplusplus) && !defined(__STDC_NO_ATOMICS__)
#include <stdatomic.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
#define SHM_NOEXCEPT noexcept
#else
#define SHM_NOEXCEPT
#endif

#if defined(__GNUC__)
#define SHM_CONST_FUNCTION __attribute__((const))
#else
#define SHM_CONST_FUNCTION
#endif

/* A distance from the user base: the same in every process, wherever it mapped the heap. 0 is null. */
typedef uintptr_t shm_offt;

#define SHM_NULL ((shm_offt) 0)
#define PRIu_shm_offt PRIuPTR

/* Arithmetic only, on integers, so that it is defined without a heap, too. SHM_NULL becomes the address of the null page,
   which faults when it is written; without a heap, NULL. */
#define SHM_OFFT_TO_ADDR(offset) ((void *) ((uintptr_t) get_shm_user_base() + (shm_offt) (offset)))
#define SHM_ADDR_TO_OFFT(address) ((shm_offt) ((uintptr_t) (address) - (uintptr_t) get_shm_user_base()))

/* ---- Beginning and end ---- */

/*
 * Maps the heap; harmless if it is mapped already. When the path variable is set, it has happened before main.
 *
 * optional_addr: map exactly there, at the start of a page, so that processes can share addresses; NULL: anywhere. The
 *                room, get_mapping_size_needed_by_shm() bytes, must be free, or be reserved by the caller (all of it
 *                private, anonymous, PROT_NONE), and is so again afterwards; else SHM_E_ADDRESS_IN_USE.
 * file:          the path; NULL: the value of the environment variable SHM_FILE (or of the one that SHM_PATH_ENV_NAME
 *                names). It is created, of the sizes in the environment, if it does not exist.
 *
 * May race in any number of threads and processes. Returns whether this process has a heap now; if not,
 * shm_last_error() says why.
 */
bool shm_init(void *optional_addr, const char *file) SHM_NOEXCEPT;

enum {
    SHM_CREATE = 1,        /* fail if the file exists */
    SHM_ATTACH = 2,        /* fail if it does not */
    SHM_READ_ONLY = 4,     /* attach without the right to change anything */
    SHM_FOREIGN_OWNER = 8, /* the file may belong to another user, whom one then trusts with the contents */
    SHM_ALLOW_COPY = 16    /* the file may be a copy in which processes are noted: only if none was attached when it was made */
};

#define SHM_NO_LIMIT UINT64_MAX

/* What is 0 is taken from the environment, or has its default. A heap that exists must not contradict what is said. */
struct shm_options {
    uint64_t struct_size;   /* sizeof(struct shm_options) */
    uint64_t unit_bytes;    /* smallest allocation: a power of two, 16 to 4096; default 32 */
    uint64_t largest_bytes; /* largest allocation; default 4096; SHM_NO_LIMIT: whatever fits */
    uint64_t block_bytes;   /* default: chosen from the other sizes */
    uint64_t size_bytes;    /* bytes that have their storage from the beginning; default 16 MiB or the maximum */
    uint64_t maximum_bytes; /* bytes that the heap grows to on demand; default 256 MiB, or half
                               of the file system if that is less */
    uint32_t participants;  /* processes at once; default 512 */
    uint32_t mode;          /* of the file; default 0600 */
    uint32_t flags;         /* SHM_CREATE and so on */
    uint32_t reserved;      /* 0 */
};

#define SHM_OPTIONS_INIT { sizeof(struct shm_options), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* shm_init with options; NULL options: the same as shm_init. If the process has a heap, path and options are ignored, and it is
   true: shm_deinit first. */
bool shm_init_with(void *optional_addr, const char *file, const struct shm_options *options) SHM_NOEXCEPT;

/* Leaves the heap and unmaps it; beside other threads, when their calls are done. What is reserved or leased is given
   back. The file stays: it is the user's. Not for signal handlers. */
void shm_deinit(void) SHM_NOEXCEPT;

/* ---- Allocation ---- */

/* At least size bytes, published at once: they outlive this process, until somebody frees them. SHM_NULL on failure. */
shm_offt shm_malloc(size_t size) SHM_NOEXCEPT;

/* The same, filled with zeros; fails if count * size overflows. */
shm_offt shm_calloc(size_t count, size_t size) SHM_NOEXCEPT;

/* Frees what any process allocated; SHM_NULL is fine. A double or invalid free changes nothing, and shm_last_error()
   knows of it. errno stays as it is. */
void shm_free(shm_offt offset) SHM_NOEXCEPT;

/* The same; returns 0 or the reason. */
int shm_try_free(shm_offt offset) SHM_NOEXCEPT;

/* Bytes that may be used at an offset; 0 if no allocation starts there. */
size_t shm_usable_size(shm_offt offset) SHM_NOEXCEPT;

/* The same on addresses of this process; NULL on failure. */
void *ptr_malloc(size_t size) SHM_NOEXCEPT;
void *ptr_calloc(size_t count, size_t size) SHM_NOEXCEPT;
void ptr_free(void *address) SHM_NOEXCEPT;
size_t ptr_usable_size(const void *address) SHM_NOEXCEPT;

/* The address of offset 0 in this process; NULL if there is no heap. */
void *get_shm_user_base(void) SHM_NOEXCEPT;

/* ---- Memory that is taken back if this process dies before it hands it over ---- */

struct shm_reservation {
    shm_offt offset;     /* where to write */
    uint64_t opaque[4];
};

bool shm_reserve(size_t size, struct shm_reservation *reservation) SHM_NOEXCEPT;

/* Makes it an allocation like any other; what was written before is visible to whoever learns the offset. */
bool shm_publish(struct shm_reservation *reservation) SHM_NOEXCEPT;

bool shm_abandon(struct shm_reservation *reservation) SHM_NOEXCEPT;

/* ---- Where processes meet: 16 words, 0 in a new heap ---- */

enum { SHM_ROOTS = 16 };

uint64_t shm_read_root(unsigned index) SHM_NOEXCEPT;

/* Stores value if the word is *expected; returns whether it was. *expected becomes what the word was. */
bool shm_compare_exchange_root(unsigned index, uint64_t *expected, uint64_t value) SHM_NOEXCEPT;

/* ---- A cache: bytes by keys, shared by all processes of the heap, those in .NET included ---- */

enum { SHM_CACHE_CHECKSUMS = 1, SHM_CACHE_ALLOWS_REMOVE_ALL = 2 };

/* What is 0 has its default. A cache that exists must not contradict what is said (SHM_E_OPTIONS_CONTRADICT). */
struct shm_cache_options {
    uint64_t struct_size;  /* sizeof(struct shm_cache_options) */
    uint64_t capacity;     /* entries of the index, 9 bytes each; default: one for each 512 bytes of the heap's maximum */
    uint64_t limit_bytes;  /* bytes that the items may take; default: as many as there is room for */
    uint32_t tag_slots;    /* tags that can be told apart; default 4096 */
    uint32_t flags;        /* SHM_CACHE_CHECKSUMS: every value gets one, and every get looks at it;
                              SHM_CACHE_ALLOWS_REMOVE_ALL: shm_cache_remove_all is possible, for 8 bytes in each item */
};

/* The number of a cache, 0 to 15, for all processes; it is made if the heap has none of that name (1 to 64 bytes).
   options may be NULL. -1 on failure. */
int shm_cache_open(const char *name, const struct shm_cache_options *options) SHM_NOEXCEPT;

/* Copies a value. *value_size (may be NULL) becomes its size, also with SHM_E_BUFFER_TOO_SMALL. No value: false, and
   SHM_E_MISSING. Keys have up to 65535 bytes. */
bool shm_cache_get(int cache, const void *key, size_t key_size, void *buffer, size_t capacity,
                   size_t *value_size) SHM_NOEXCEPT;

struct shm_cache_key {
    const void *key;
    size_t key_size;
};

struct shm_cache_read {
    uint64_t offset;      /* where in the buffer the value begins; 0 if it was not copied */
    uint64_t value_size;  /* also with SHM_E_BUFFER_TOO_SMALL; 0 if there is none */
    int32_t error;        /* SHM_OK, SHM_E_MISSING and so on: as shm_cache_get of this key would say */
    uint32_t reserved;    /* 0 */
};

/* Copies the values of many keys into one buffer, one behind the other: faster than one call for each, because the waits for memory
   overlap. Each key's get is one of its own. A value for which there is no room left is passed over (SHM_E_BUFFER_TOO_SMALL), and
   what fits after it is copied. reads has as many elements as keys. False if nothing could be read at all. */
bool shm_cache_get_many(int cache, const struct shm_cache_key *keys, size_t count, void *buffer, size_t capacity,
                        struct shm_cache_read *reads) SHM_NOEXCEPT;

enum {
    SHM_CACHE_PINNED = 1,      /* stays when room is made for others */
    SHM_CACHE_ADD = 2,         /* only if there is no value: of several who try at once, one succeeds; SHM_E_EXISTS */
    SHM_CACHE_KEEPS_EXPIRY = 4 /* of shm_cache_increment_with: a number that is there keeps its expiry although one is given */
};

/* Makes a value that of its key; lifetime in milliseconds, 0: until there is no room for it. When the heap is full, what
   was not used lately is dropped. A value has up to 2147483647 bytes, and may have none. If it fails, the key has what it had. */
bool shm_cache_set(int cache, const void *key, size_t key_size, const void *value, size_t value_size, uint64_t lifetime,
                   unsigned flags) SHM_NOEXCEPT;

/*
 * A tag of one cache, captured: it says which values with it are gone. Plain memory, to be copied and forgotten as one likes, and the
 * same in all processes of the heap, those in .NET included. Not to be looked into.
 */
struct shm_cache_tag {
    uint64_t opaque[3];
};

/* Says for each of the tags which of its removals have been: to be done before the value is worked out, so that one that comes after
   this counts, although the value is set later still. The names end with a zero; they are those of .NET in UTF-8. A name that is NULL
   stands for the whole cache: for values without tags, beside shm_cache_remove_all (every captured tag knows of that, too). */
bool shm_cache_capture_tags(int cache, const char *const *names, size_t count, struct shm_cache_tag *tags) SHM_NOEXCEPT;

/* Removes everything that was set with the tag, as it was captured until now: for all processes at once, in constant time. Other tags
   with the same place in the table go with it (tag_slots of shm_cache_options). */
bool shm_cache_remove_by_tag(int cache, const char *name) SHM_NOEXCEPT;

/* Whether none of the tags was removed since it was captured. If not: SHM_E_CHANGED; SHM_E_FOREIGN: one is another cache's. */
bool shm_cache_tags_are_current(int cache, const struct shm_cache_tag *tags, size_t count) SHM_NOEXCEPT;

/* How long an entry lives, and what it belongs to. Times are milliseconds; what is 0 is not said. */
struct shm_cache_entry_options {
    uint64_t struct_size;   /* sizeof(struct shm_cache_entry_options) */
    uint64_t lifetime;      /* after what time it expires */
    uint64_t expires_at;    /* when it does, since 1970 by the clock of the machine; SHM_E_EXPIRED if that has passed. The earlier counts */
    uint64_t sliding;       /* after what time without a get, a lease or a touch; at the latest at one of the two above */
    uint64_t stale_for;     /* how long after it has expired a flight may give it out; needs one of the first two, and no sliding */
    uint64_t refresh_after; /* after what time a flight works the next value out ahead: less than lifetime; not with sliding */
    uint64_t version;       /* of shm_cache_set_with: only if that is the version of the value still, see shm_cache_get_marked;
                               SHM_E_CHANGED, or SHM_E_MISSING if there is no value */
    const struct shm_cache_tag *tags;
    uint32_t tag_count;     /* up to 63 */
    uint32_t flags;         /* SHM_CACHE_PINNED and so on */
};

#define SHM_CACHE_ENTRY_OPTIONS_INIT { sizeof(struct shm_cache_entry_options), 0, 0, 0, 0, 0, 0, NULL, 0, 0 }

/* shm_cache_set with options; NULL: none. A value whose tag was removed since it was captured is set, and gone already. */
bool shm_cache_set_with(int cache, const void *key, size_t key_size, const void *value, size_t value_size,
                        const struct shm_cache_entry_options *options) SHM_NOEXCEPT;

/* The same; but if the value cannot be stored, the key has none afterwards: for callers whose source has changed already. True if
   the old value is gone, and *is_stored (may be NULL) says whether the new one is there; false: why the old one may be there still. */
bool shm_cache_set_or_remove(int cache, const void *key, size_t key_size, const void *value, size_t value_size,
                             const struct shm_cache_entry_options *options, bool *is_stored) SHM_NOEXCEPT;

bool shm_cache_remove(int cache, const void *key, size_t key_size) SHM_NOEXCEPT;

/* Removes everything, for all processes at once, in constant time; its memory is freed later, as room is needed. What a set
   that began before stores may go or stay. SHM_E_OPTIONS_CONTRADICT if the cache was made without SHM_CACHE_ALLOWS_REMOVE_ALL:
   there is no way then to remove everything from C. */
bool shm_cache_remove_all(int cache) SHM_NOEXCEPT;

/* Gives a value another lifetime from now on, in milliseconds, and changes nothing else; 0: until there is no room for it. A value
   with a sliding expiry keeps that: it expires after this lifetime if it is not used, at the latest when
   its absolute expiry comes; 0 renews it. No value, or an expired one: SHM_E_MISSING. */
bool shm_cache_touch(int cache, const void *key, size_t key_size, uint64_t lifetime) SHM_NOEXCEPT;

/* Adds to a number of 8 bytes, in one step; no value counts as 0. The number keeps its lifetime or sliding expiry, its tags, and that
   it is pinned; one that was not there has none of them. result may be NULL. SHM_E_WRONG_KIND if the value is no number. */
bool shm_cache_increment(int cache, const void *key, size_t key_size, int64_t change, int64_t *result) SHM_NOEXCEPT;

/* The same with options for a number that was not there. One that is there gets what is said of expiry and tags, too, and keeps the
   rest. With SHM_CACHE_KEEPS_EXPIRY it keeps its expiry in any case: a window that begins with its first call, as rate limits
   have it. version must be 0. */
bool shm_cache_increment_with(int cache, const void *key, size_t key_size, int64_t change,
                              const struct shm_cache_entry_options *options, int64_t *result) SHM_NOEXCEPT;

/*
 * Where a value was found, for a process that keeps a copy of it, or something made of it. Plain memory; it keeps nothing in the cache.
 * It is of use to the process that got it; a forked child gets its own.
 */
struct shm_cache_mark {
    uint64_t version; /* names this value of this key among all that the heap ever has, in all processes; 0: there is no value */
    uint64_t opaque[6];
};

/* shm_cache_get that also marks the value. mark is set in any case, also if the value does not fit into the buffer. */
bool shm_cache_get_marked(int cache, const void *key, size_t key_size, void *buffer, size_t capacity, size_t *value_size,
                          struct shm_cache_mark *mark) SHM_NOEXCEPT;

/* Whether a value is that of its key still: a get without the copying, never behind, which counts as a use and not as a hit. If not:
   SHM_E_CHANGED (another value, or none, or expired, or a tag was removed; or there was no value, or its expiry slides, so that nothing
   is marked); SHM_E_FOREIGN: the mark is another cache's or another process's. */
bool shm_cache_is_current(int cache, const struct shm_cache_mark *mark) SHM_NOEXCEPT;

struct shm_cache_lease {
    const void *value;     /* where the value lies; not to be written to */
    uint64_t value_size;
    uint64_t opaque[3];
};

/* Reads a value where it lies: its memory is not reused before it is released, or this process dies. Up to 96 at once. */
bool shm_cache_lease(int cache, const void *key, size_t key_size, struct shm_cache_lease *lease) SHM_NOEXCEPT;
void shm_cache_release(struct shm_cache_lease *lease) SHM_NOEXCEPT;

/*
 * ---- Values that one works out while others wait ----
 *
 * A flight is the right to work out the value of a key, which one caller has at a time, of all processes, those in .NET included.
 *
 *     switch (shm_cache_begin_flight(cache, key, key_size, buffer, sizeof buffer, &size, NULL, &flight)) {
 *     case SHM_CACHE_LEAD:
 *         size = work_out(buffer);
 *         shm_cache_complete_flight(cache, key, key_size, buffer, size, NULL, &flight);
 *         break;                       // whatever that answers, the value is good
 *     case SHM_CACHE_FOUND:
 *         break;
 *     }
 *
 * If the process of one who leads dies, the next one goes on at once. A flight only says who need not work: whoever sets or removes the
 * key, or removes a tag, takes the value's place, and it is not stored.
 */
enum {
    SHM_CACHE_FOUND = 0, /* the value is in the buffer */
    SHM_CACHE_STALE = 1, /* one is that has expired: with SHM_CACHE_ALLOW_STALE only */
    SHM_CACHE_LEAD = 2,  /* it is the caller's to work out: then complete or end the flight */
    SHM_CACHE_BUSY = 3   /* somebody else works it out: with SHM_CACHE_DONT_WAIT only */
};

enum {
    SHM_CACHE_ALLOW_STALE = 1, /* a value whose stale_for is not over will do, while another works, or after one has failed */
    SHM_CACHE_REFRESH = 2,     /* leads also if there is a value that is due (refresh_after); that is in the buffer, as size says */
    SHM_CACHE_DONT_WAIT = 4    /* answers SHM_CACHE_BUSY instead: for signal handlers, and for those who have better things to do */
};

/* Times are milliseconds; what is 0 has its default. */
struct shm_cache_flight_options {
    uint64_t struct_size;    /* sizeof(struct shm_cache_flight_options) */
    uint64_t wait_limit;     /* how long one waits for one who works, in time awake, before one takes over; default 30000;
                                UINT64_MAX: as long as he lives */
    uint64_t retry_after;    /* how long others who have a stale value, or one that is due, do not try after this flight has
                                failed; default 1000 */
    const char *const *tags; /* names of the value's tags, captured when the flight begins; none is NULL */
    uint32_t tag_count;      /* up to 63 */
    uint32_t flags;          /* SHM_CACHE_ALLOW_STALE and so on */
};

#define SHM_CACHE_FLIGHT_OPTIONS_INIT { sizeof(struct shm_cache_flight_options), 0, 0, NULL, 0, 0 }

/* In memory of the caller's, which has to stay where it is only during calls. Not to be looked into. */
struct shm_cache_flight {
    uint64_t opaque[80];
};

/*
 * The value of a key, as shm_cache_get has it, or the right to work it out. The one function that waits: for one who works out the value
 * of this key, in whatever process, up to wait_limit; then it takes over. It sleeps meanwhile, and recovers that one if he has died. A
 * caller who asks for a key that he leads himself waits for himself. -1: it failed, for instance with SHM_E_BUFFER_TOO_SMALL and the
 * size in *value_size. What may only read, or has no participant slot, leads as well; but then the value is not stored.
 * value_size and options may be NULL.
 */
int shm_cache_begin_flight(int cache, const void *key, size_t key_size, void *buffer, size_t capacity, size_t *value_size,
                           const struct shm_cache_flight_options *options, struct shm_cache_flight *flight) SHM_NOEXCEPT;

/*
 * Stores the value, and ends the flight; key and cache are those it was begun with. options say how long the value lives; they have no
 * tags and no version. False: why it was not stored. The flight has ended all the same, and the value is a good answer to who has asked
 * for it: SHM_E_CHANGED (the key, or a tag, was changed meanwhile), SHM_E_OUT_OF_MEMORY, SHM_E_TOO_LARGE, SHM_E_EXPIRED (for a second
 * nobody waits then) and so on. Only with SHM_E_INVALID_OPTION, SHM_E_NO_CACHE or SHM_E_STALE_FLIGHT nothing has happened.
 */
bool shm_cache_complete_flight(int cache, const void *key, size_t key_size, const void *value, size_t value_size,
                               const struct shm_cache_entry_options *options, struct shm_cache_flight *flight) SHM_NOEXCEPT;

/* Ends the flight without a value: another may work. has_failed: others who have a stale value, or one that is due, do not try before
   retry_after is over. */
bool shm_cache_end_flight(int cache, const void *key, size_t key_size, bool has_failed, struct shm_cache_flight *flight) SHM_NOEXCEPT;

struct shm_cache_statistics {
    uint64_t struct_size;          /* sizeof(struct shm_cache_statistics), set by the caller */
    uint64_t entries;              /* items in the index, what has expired and is still there included */
    uint64_t bytes;                /* of the heap that they take */
    uint64_t capacity;             /* entries that the index has room for */
    uint64_t limit_bytes;          /* what the items may take; 0: as much as there is room for */
    uint64_t hits;                 /* from here on: since the cache was made, by all processes */
    uint64_t misses;
    uint64_t sets;
    uint64_t removals;
    uint64_t evictions_for_room;   /* because the heap was full, */
    uint64_t evictions_for_limit;  /* because of the limit, */
    uint64_t evictions_for_entry;  /* because both places of another key in the index were taken */
    uint64_t expirations;          /* items that were dropped after their time */
    uint64_t failed_flights;       /* flights that ended without a value: shm_cache_end_flight with has_failed, factories of .NET */
};

/* Adds up the figures of all processes. Another process tells its own at least every second while it
 * works, and after at most 256 operations, so a little may be missing. */
bool shm_cache_get_statistics(int cache, struct shm_cache_statistics *statistics) SHM_NOEXCEPT;

/* ---- Limits; before there is a heap, those that the settings would make ---- */

/* Requests of up to the first minus the third succeed while there is room. The third is 0: nothing lies in front of an
   allocation. */
size_t get_shm_max_allocatable_size(void) SHM_NOEXCEPT;
size_t get_shm_min_allocatable_size(void) SHM_NOEXCEPT;
size_t get_sizeof_block_header(void) SHM_NOEXCEPT SHM_CONST_FUNCTION;
size_t get_mapping_size_needed_by_shm(void) SHM_NOEXCEPT;

/* ---- Looking and looking after ---- */

struct shm_statistics {
    uint64_t struct_size;        /* sizeof(struct shm_statistics), set by the caller */
    uint64_t capacity_bytes;     /* what the heap can grow to */
    uint64_t committed_bytes;    /* what it has now */
    uint64_t used_bytes;         /* in published allocations */
    uint64_t private_bytes;      /* reservations, operations under way, garbage that the next sweep frees */
    uint64_t free_bytes;
    uint64_t management_bytes;   /* of the file, in front of the allocations */
    uint64_t largest_free_bytes; /* the largest run that one allocation could take */
    uint64_t allocations;
    uint64_t unit_bytes;
    uint32_t participants;       /* slots that are taken, by the living and by the dead not recovered yet */
    uint32_t max_participants;
    uint64_t given_back_bytes;   /* of free_bytes: what has no storage now, see shm_trim */
    uint32_t file_is_current;    /* shm_is_file_current() */
    uint32_t reserved;           /* 0 */
};

/* Whether the path still names the file of this heap. Not: it was deleted, moved or replaced, and whoever opens the path now
   has another heap (or this process cannot see it: after chroot, for example). One system call, for health checks. */
bool shm_is_file_current(void) SHM_NOEXCEPT;

/* Walks over the heap; others may work meanwhile, so every figure is right for some recent moment. */
bool shm_get_statistics(struct shm_statistics *statistics) SHM_NOEXCEPT;

struct shm_verification {
    uint64_t struct_size;      /* sizeof(struct shm_verification), set by the caller */
    uint64_t violations;
    uint64_t allocations;
    uint64_t private_allocations;
    uint64_t blocks_walked;
    uint64_t first_place;      /* of the first violation: number of the slot, block or bucket, */
    uint64_t first_word;       /* the word that is wrong, */
    uint32_t first_kind;       /* what is wrong with it (docs/c-abi.md), */
    uint32_t first_index;      /* and the number of the cell, word or entry */
};

/* Checks every word of the heap, also while others work; returns whether it is sound. verification may be NULL. */
bool shm_verify(struct shm_verification *verification) SHM_NOEXCEPT;

/* Makes the heap larger by at least so many bytes now rather than when they are needed. */
bool shm_grow(size_t bytes) SHM_NOEXCEPT;

/*
 * Gives the storage of free blocks back to the system, but for the size that the heap began with; returns how many bytes.
 * They get storage again when they are needed; where there is none by then, an allocation fails with
 * SHM_E_CANNOT_GROW. What has been free for 10 seconds goes back by itself, in steps, while processes allocate and
 * free; SHM_TRIM_AFTER says for how many milliseconds, 0 for ever. A heap that has a cache keeps its storage.
 */
size_t shm_trim(void) SHM_NOEXCEPT;

/* Takes back what dead processes held; it also happens by itself before memory runs out. Returns how many there were. */
int shm_recover_dead(void) SHM_NOEXCEPT;

/* ---- What went wrong ---- */

enum shm_error {
    SHM_OK = 0,
    SHM_E_OUT_OF_MEMORY = 1,
    SHM_E_TOO_LARGE = 2,
    SHM_E_INVALID_SIZE = 3,
    SHM_E_INVALID_OFFSET = 4,
    SHM_E_ALREADY_FREE = 5,
    SHM_E_CONTENDED = 6,
    SHM_E_TOO_MANY_RESERVATIONS = 7,
    SHM_E_NO_PARTICIPANT_SLOT = 8,
    SHM_E_READ_ONLY = 9,
    SHM_E_CLOSED = 10,
    SHM_E_STALE_RESERVATION = 11,
    SHM_E_CANNOT_GROW = 12,
    SHM_E_NO_DESCRIPTOR = 13,
    SHM_E_FILE_DENIED = 14,
    SHM_E_FILE_NOT_CURRENT = 15,
    SHM_E_SYSTEM_FAILURE = 16,
    SHM_E_SYSTEM_CALL = 101,
    SHM_E_NO_PATH = 102,
    SHM_E_NOT_FOUND = 103,
    SHM_E_ALREADY_EXISTS = 104,
    SHM_E_NOT_A_REGULAR_FILE = 105,
    SHM_E_FOREIGN_OWNER = 106,
    SHM_E_MODE_TOO_OPEN = 107,
    SHM_E_LINK_COUNT = 108,
    SHM_E_NOT_A_HEAP = 109,
    SHM_E_UNKNOWN_LAYOUT = 110,
    SHM_E_DAMAGED_HEADER = 111,
    SHM_E_TRUNCATED = 112,
    SHM_E_OPTIONS_CONTRADICT = 113,
    SHM_E_INVALID_OPTION = 114,
    SHM_E_FILE_SYSTEM_FULL = 115,
    SHM_E_CANNOT_PREALLOCATE = 116,
    SHM_E_ACCESS_DENIED = 117,
    SHM_E_SPARSE_READ_ONLY = 118,
    SHM_E_UNSUPPORTED_PLATFORM = 119,
    SHM_E_COPY_ON_WRITE = 120,
    SHM_E_COPY_OF_LIVE_HEAP = 121,
    SHM_E_ALL_SLOTS_TAKEN = 122,      /* of .NET's RequiresParticipantSlot only */
    SHM_E_NO_HEAP = 200,
    SHM_E_NOT_SOUND = 201,
    SHM_E_INITIALISING = 202,
    SHM_E_ADDRESS_IN_USE = 203,
    SHM_E_MISSING = 300,
    SHM_E_EXISTS = 301,
    SHM_E_CHANGED = 302,
    SHM_E_BUFFER_TOO_SMALL = 303,
    SHM_E_WRONG_KIND = 304,
    SHM_E_DAMAGED = 305,
    SHM_E_NO_CACHE = 306,
    SHM_E_TOO_MANY_CACHES = 307,
    SHM_E_FOREIGN = 308,
    SHM_E_STALE_FLIGHT = 309,
    SHM_E_EXPIRED = 310
};

/* Why the last call of this thread that failed did; like errno, it means something only after a failure. */
int shm_last_error(void) SHM_NOEXCEPT;

/* A sentence about that failure: shm_strerror of it, or more: which option or argument is to blame, or what a system call has found
   because of which a heap was not opened. Never NULL, never freed. */
const char *shm_last_error_text(void) SHM_NOEXCEPT;

/* A sentence for a reason; never NULL, never freed. */
const char *shm_strerror(int error) SHM_NOEXCEPT SHM_CONST_FUNCTION;

#ifdef __cplusplus
}
#endif

#endif
