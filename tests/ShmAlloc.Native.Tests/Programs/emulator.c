/*
 * Whether a child finds memory as the kernel promises: empty where its parent said MADV_WIPEONFORK, and no memory where it said MADV_DONTFORK.
 * The library tells a child from its parent by that. An emulator that answers both with success and does neither takes one for the other:
 * exit code 1. ./test --arm64 asks before it leaves out what cannot be shown then.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 65536 };

static char *advised(int advice)
{
    char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || madvise(memory, BYTES, advice) != 0) {
        perror("madvise");
        _exit(2);
    }
    *memory = 1;
    return memory;
}

int main(void)
{
    char *wiped = advised(MADV_WIPEONFORK);
    char *missing = advised(MADV_DONTFORK);
    int pipes[2];
    if (pipe(pipes) != 0) {
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        /* The kernel reads the byte, which is no fault where there is none. */
        _exit(*wiped == 0 && write(pipes[1], missing, 1) != 1 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
