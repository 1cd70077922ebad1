/* bench.h - what the benchmarks share: a clock, and the median of some rounds. */
#ifndef CALLFOLD_BENCH_BENCH_H
#define CALLFOLD_BENCH_BENCH_H

#include <stdlib.h>
#include <time.h>

#define ROUNDS 9

static inline double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

#endif
