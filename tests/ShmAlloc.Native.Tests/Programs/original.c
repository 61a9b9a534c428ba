/*
 * A program as callers of the original wrote them: nothing but what its header had, which brings stdio and atomics (F52). It must compile unchanged,
 * and work.
 */
#include "shm_alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct node {
    shm_offt next;
    int value;
};

static _Atomic int failures;

static void expect(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        atomic_fetch_add(&failures, 1);
    }
}

int main(int argc, char **argv)
{
    expect(get_mapping_size_needed_by_shm() > get_shm_max_allocatable_size(), "the mapping is larger than an allocation");
    if (!shm_init(NULL, argc > 1 ? argv[1] : NULL)) {
        fprintf(stderr, "no heap\n");
        return 1;
    }

    shm_offt head = SHM_NULL;
    for (int value = 0; value < 100; value++) {
        shm_offt place = shm_malloc(sizeof(struct node));
        struct node *node = SHM_OFFT_TO_ADDR(place);
        node->next = head;
        node->value = value;
        head = place;
    }

    pid_t child = fork();
    if (child == 0) {
        int count = 0;
        while (head != SHM_NULL) {
            shm_offt next = ((struct node *) SHM_OFFT_TO_ADDR(head))->next;
            shm_free(head);
            head = next;
            count++;
        }
        _exit(count == 100 ? 0 : 1);
    }

    int status;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child freed all");

    size_t largest = get_shm_max_allocatable_size() - get_sizeof_block_header();
    char *buffer = ptr_calloc(1, largest);
    expect(buffer != NULL && buffer[0] == 0 && buffer[largest - 1] == 0, "calloc gives zeros");
    shm_offt offset = SHM_ADDR_TO_OFFT(buffer);
    expect(SHM_OFFT_TO_ADDR(offset) == (void *) buffer, "offsets and addresses");
    expect((char *) get_shm_user_base() + offset == buffer, "the base");
    ptr_free(buffer);
    expect(shm_malloc(largest + 1) == SHM_NULL, "too large");
    expect(ptr_malloc(get_shm_min_allocatable_size()) != NULL, "the smallest");
    printf("last offset %" PRIu_shm_offt "\n", offset);
    shm_deinit();
    return failures;
}
