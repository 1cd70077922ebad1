/* memory.h - arrays that grow, for a program that ends when memory does. */
#ifndef CALLFOLD_EXAMPLES_MEMORY_H
#define CALLFOLD_EXAMPLES_MEMORY_H

#include <err.h>
#include <stddef.h>
#include <stdlib.h>
#include <sysexits.h>

/* array, moved if need be so that one more than count items of `size` bytes
 * fit; *capacity follows. Never NULL. */
static inline void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 64;
    array = reallocarray(array, *capacity, size);
    if (!array)
        err(EX_OSERR, "out of memory for %zu items", *capacity);
    return array;
}

#endif
