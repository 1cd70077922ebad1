/* bench.h - what the benchmarks share: clocks, the median of some rounds, and
 * the form in which they say a figure. */
#ifndef CALLFOLD_BENCH_BENCH_H
#define CALLFOLD_BENCH_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 5

static inline double clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* Of this process, user and system. */
static inline double cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
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

/* One line for people and for run.py: a name, two spaces or more, a number, a unit. */
static inline void say_figure(const char *name, double figure, const char *unit)
{
    printf("%-34s  %12.2f %s\n", name, figure, unit);
}

#endif
