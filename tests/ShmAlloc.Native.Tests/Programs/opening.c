/* Paths, options, settings, races. */
#include "cases.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

CASE("initialising twice is harmless")
{
    open_heap();
    shm_offt place = shm_malloc(100);
    void *base = get_shm_user_base();
    CHECK(shm_init(NULL, heap_path()));
    CHECK(shm_init(NULL, NULL));
    CHECK(get_shm_user_base() == base);
    CHECK_EQUAL(SHM_OK, shm_try_free(place));
}

CASE("without a path the reason is told")
{
    CHECK(!shm_init(NULL, NULL));
    CHECK_EQUAL(SHM_E_NO_PATH, shm_last_error());
    CHECK(!shm_init(NULL, ""));
    CHECK_EQUAL(SHM_E_NO_PATH, shm_last_error());
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(SHM_E_NO_PATH, shm_last_error());
}

CASE("the path comes from SHM_FILE, or from the variable that SHM_PATH_ENV_NAME names")
{
    setenv("SHM_FILE", heap_path(), 1);
    CHECK(shm_init(NULL, NULL));
    shm_deinit();
    unsetenv("SHM_FILE");
    setenv("SHM_PATH_ENV_NAME", "ANOTHER_NAME", 1);
    CHECK(!shm_init(NULL, NULL));
    setenv("ANOTHER_NAME", heap_path(), 1);
    CHECK(shm_init(NULL, NULL));
}

CASE("settings come from the environment")
{
    setenv("SHM_MIN_ALLOC_POW2", "6", 1);
    setenv("SHM_MAX_ALLOC_POW2", "14", 1);
    setenv("SHM_MAX_ALLOCATABLE_SHM_SIZE", "8M", 1);
    setenv("SHM_INITIAL_SIZE", "1048576", 1);
    setenv("SHM_MAX_PARTICIPANTS", "7", 1);
    setenv("SHM_FILE_MODE", "640", 1);
    CHECK_EQUAL(64, get_shm_min_allocatable_size());
    CHECK_EQUAL(16384, get_shm_max_allocatable_size());
    size_t mapping = get_mapping_size_needed_by_shm();
    CHECK(mapping > 8 << 20 && mapping < 9 << 20);
    open_heap();
    struct shm_statistics figures = statistics();
    struct stat file;
    CHECK_EQUAL(64, figures.unit_bytes);
    CHECK_EQUAL(8 << 20, figures.capacity_bytes);
    CHECK_EQUAL(1 << 20, figures.committed_bytes);
    CHECK_EQUAL(7, figures.max_participants);
    CHECK_EQUAL(16384, get_shm_max_allocatable_size());
    CHECK_EQUAL(mapping, get_mapping_size_needed_by_shm());
    CHECK_EQUAL(0, stat(heap_path(), &file));
    CHECK_EQUAL(0640, file.st_mode & 0777);
}

CASE("a limit of 0 in the environment lifts it")
{
    setenv("SHM_MAX_ALLOC_POW2", "0", 1);
    CHECK_EQUAL(256 << 20, get_shm_max_allocatable_size());
    open_heap();
    CHECK(shm_malloc(10 << 20) != SHM_NULL);
}

CASE("a small limit holds also for a place that was just freed")
{
    setenv("SHM_MAX_ALLOC_POW2", "6", 1);
    open_heap();
    shm_free(shm_malloc(64));
    CHECK(shm_malloc(65) == SHM_NULL);
    CHECK_EQUAL(SHM_E_TOO_LARGE, shm_last_error());
    CHECK(shm_malloc(64) != SHM_NULL);
}

CASE("the defaults are those of the original")
{
    CHECK_EQUAL(32, get_shm_min_allocatable_size());
    CHECK_EQUAL(4096, get_shm_max_allocatable_size());
    CHECK(get_mapping_size_needed_by_shm() > 256 << 20);
    CHECK_EQUAL(0, get_sizeof_block_header());
}

CASE("a setting that is no number is an error and not a default")
{
    const char *wrong[] = { "x", "12x", "-1", "1.5", "99999999999999999999999", "63", " 5" };
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        setenv("SHM_MIN_ALLOC_POW2", wrong[index], 1);
        CHECK(!shm_init(NULL, heap_path()));
        CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
        CHECK_EQUAL(0, get_shm_min_allocatable_size());
    }
    CHECK_EQUAL(-1, access(heap_path(), F_OK));
}

CASE("a heap that exists must not contradict what was said")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.unit_bytes = 64;
    CHECK(shm_init_with(NULL, heap_path(), &options));
    shm_deinit();
    /* What was not said is not compared. */
    CHECK(shm_init(NULL, heap_path()));
    CHECK_EQUAL(64, get_shm_min_allocatable_size());
    shm_deinit();
    options.unit_bytes = 32;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    setenv("SHM_MIN_ALLOC_POW2", "5", 1);
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
}

CASE("F61: what was said is compared, also a size and that there is no limit")
{
    setenv("SHM_INITIAL_SIZE", "1M", 1);
    setenv("SHM_MAX_ALLOC_POW2", "12", 1);
    CHECK(shm_init(NULL, heap_path()));
    shm_deinit();
    CHECK(shm_init(NULL, heap_path()));
    shm_deinit();
    setenv("SHM_INITIAL_SIZE", "2M", 1);
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    unsetenv("SHM_INITIAL_SIZE");
    setenv("SHM_MAX_ALLOC_POW2", "0", 1);
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    unsetenv("SHM_MAX_ALLOC_POW2");
    struct shm_options options = SHM_OPTIONS_INIT;
    options.largest_bytes = SHM_NO_LIMIT;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(SHM_E_OPTIONS_CONTRADICT, shm_last_error());
    CHECK(shm_init(NULL, heap_path()));
}

CASE("F7: what has a cause besides its reason is one of the numbers of the header all the same")
{
    CHECK(!shm_init(NULL, "/no such directory/heap"));
    CHECK_EQUAL(SHM_E_NOT_FOUND, shm_last_error());
    CHECK_EQUAL(SHM_E_NOT_FOUND, shm_try_free(4096));
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(SHM_E_NOT_FOUND, shm_last_error());
}

CASE("F61: what contradicts itself is refused")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = 64 << 20;
    options.maximum_bytes = 16 << 20;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    setenv("SHM_MIN_ALLOC_POW2", "0", 1);
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    /* And what is called then says why there is no heap. */
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    CHECK_EQUAL(-1, shm_cache_open("cache", NULL));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
    CHECK_EQUAL(-1, access(heap_path(), F_OK));
}

CASE("create and attach do one thing only")
{
    struct shm_options create = SHM_OPTIONS_INIT, attach = SHM_OPTIONS_INIT;
    create.flags = SHM_CREATE;
    attach.flags = SHM_ATTACH;
    CHECK(!shm_init_with(NULL, heap_path(), &attach));
    CHECK_EQUAL(SHM_E_NOT_FOUND, shm_last_error());
    CHECK_EQUAL(ENOENT, errno);
    CHECK(shm_init_with(NULL, heap_path(), &create));
    shm_deinit();
    CHECK(!shm_init_with(NULL, heap_path(), &create));
    CHECK_EQUAL(SHM_E_ALREADY_EXISTS, shm_last_error());
    CHECK(shm_init_with(NULL, heap_path(), &attach));
    shm_deinit();
    create.flags |= SHM_ATTACH;
    CHECK(!shm_init_with(NULL, heap_path(), &create));
    CHECK_EQUAL(SHM_E_INVALID_OPTION, shm_last_error());
}

CASE("a file that is no heap is refused and left alone")
{
    char content[20] = "";
    int file = open(heap_path(), O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK_EQUAL(12, write(file, "something els", 12));
    CHECK(!shm_init(NULL, heap_path()));
    CHECK_EQUAL(SHM_E_NOT_A_HEAP, shm_last_error());
    CHECK_EQUAL(12, pread(file, content, 20, 0));
    close(file);
}

CASE("a directory, a link and a missing directory are refused")
{
    char missing[4200], link[4200];
    CHECK(!shm_init(NULL, "/dev/shm"));
    CHECK_EQUAL(SHM_E_NOT_A_REGULAR_FILE, shm_last_error());
    snprintf(missing, sizeof missing, "%s-none/heap", heap_path());
    CHECK(!shm_init(NULL, missing));
    CHECK_EQUAL(SHM_E_NOT_FOUND, shm_last_error());
    snprintf(link, sizeof link, "%s-link", heap_path());
    CHECK_EQUAL(0, symlink("/dev/null", link));
    CHECK(!shm_init(NULL, link));
    unlink(link);
    CHECK_EQUAL(SHM_E_NOT_A_REGULAR_FILE, shm_last_error());
    memset(missing, 'x', sizeof missing);
    missing[4100] = 0;
    CHECK(!shm_init(NULL, missing));
    CHECK_EQUAL(SHM_E_NO_PATH, shm_last_error());
}

CASE("the heap is mapped at the address that is asked for")
{
    size_t bytes = get_mapping_size_needed_by_shm();
    char *address = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(address != MAP_FAILED);
    CHECK(shm_init(address, heap_path()));
    CHECK((char *) get_shm_user_base() > address && (char *) get_shm_user_base() < address + bytes);
    char *text = ptr_malloc(100);
    strcpy(text, "here");
    pid_t child = fork();
    if (child == 0) {
        shm_deinit();
        CHECK(shm_init(address, heap_path()));
        CHECK(strcmp(text, "here") == 0);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    check_sound();
}

CASE("an address that is not at the start of a page is refused")
{
    CHECK(!shm_init((void *) 4097, heap_path()));
    CHECK_EQUAL(SHM_E_SYSTEM_CALL, shm_last_error());
    CHECK_EQUAL(EINVAL, errno);
}

CASE("a relative path still works after the directory was changed")
{
    char *path = strdup(heap_path());
    char *name = strrchr(path, '/');
    *name++ = 0;
    CHECK_EQUAL(0, chdir(path));
    CHECK(shm_init(NULL, name));
    CHECK_EQUAL(0, chdir("/"));
    CHECK(shm_grow(1 << 20));
    pid_t child = fork();
    if (child == 0) {
        CHECK(shm_malloc(4000) != SHM_NULL);
        CHECK_EQUAL(2, statistics().participants);
        _exit(0);
    }
    CHECK_EQUAL(0, end_of(child));
    free(path);
}

CASE("a full file system is a reason and not a signal")
{
    struct shm_options options = SHM_OPTIONS_INIT;
    options.size_bytes = options.maximum_bytes = (uint64_t) 1 << 42;
    CHECK(!shm_init_with(NULL, heap_path(), &options));
    CHECK_EQUAL(SHM_E_FILE_SYSTEM_FULL, shm_last_error());
    CHECK_EQUAL(ENOSPC, errno);
    CHECK_EQUAL(-1, access(heap_path(), F_OK));
}

CASE("F53: addresses and offsets are defined without a heap, also for who checks undefined behaviour")
{
    volatile shm_offt null = SHM_NULL, place = 64;
    CHECK(SHM_OFFT_TO_ADDR(null) == NULL);
    CHECK(SHM_OFFT_TO_ADDR(place) == (void *) 64);
    CHECK(SHM_ADDR_TO_OFFT(NULL) == SHM_NULL);
    open_heap();
    CHECK(SHM_OFFT_TO_ADDR(null) == get_shm_user_base());
    CHECK(SHM_ADDR_TO_OFFT(get_shm_user_base()) == SHM_NULL);
    shm_deinit();
    CHECK(SHM_OFFT_TO_ADDR(null) == NULL);
}

CASE("leaving unmaps, and the file stays")
{
    char before[64], line[512];
    open_heap();
    shm_offt place = shm_malloc(100);
    snprintf(before, sizeof before, "%p", get_shm_user_base());
    shm_deinit();
    CHECK(shm_malloc(1) == SHM_NULL);
    CHECK(get_shm_user_base() == NULL);
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps) != NULL) {
        CHECK(strstr(line, heap_path()) == NULL);
    }
    fclose(maps);
    open_heap();
    CHECK_EQUAL(1, statistics().participants);
    CHECK_EQUAL(SHM_OK, shm_try_free(place));
}

CASE("a thousand times initialised and left")
{
    long before = 0;
    for (int round = 0; round < 1000; round++) {
        open_heap();
        shm_free(shm_malloc(3000));
        shm_deinit();
        char line[512];
        long lines = 0;
        FILE *maps = fopen("/proc/self/maps", "r");
        while (fgets(line, sizeof line, maps) != NULL) {
            lines++;
        }
        fclose(maps);
        if (round == 10) {
            before = lines;
        }
        CHECK(round <= 10 || lines <= before);
    }
}
