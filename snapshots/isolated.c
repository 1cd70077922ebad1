/* isolated.c - see isolated.h. */
#include "snapshots/isolated.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

void *isolated_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

void isolated_memory_free(void *memory, size_t size)
{
    munmap(memory, size);
}

/* The child must not outlive its parent, nor hold the locks that came with its
 * descriptors: the next process would find the directory in use. */
pid_t isolated_start(int (*work)(void *context), void *context)
{
    fflush(NULL);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EX_SOFTWARE); /* it died before it could be followed */
    close_range(STDERR_FILENO + 1, UINT_MAX, 0);
    _exit(work(context));
}

int isolated_end(pid_t child)
{
    int result;
    if (child < 0)
        return EX_SOFTWARE;
    while (waitpid(child, &result, 0) < 0)
        if (errno != EINTR)
            return EX_SOFTWARE;
    return WIFEXITED(result) ? WEXITSTATUS(result) : EX_SOFTWARE;
}
