/* random.h - numbers that look drawn and are the same again for the same seed.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
 * generators", OOPSLA 2014). Every account has a stream of its own, so that what one
 * customer does never shifts what the others do.
 */
#ifndef CALLFOLD_EXAMPLES_RANDOM_H
#define CALLFOLD_EXAMPLES_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* Streams of one seed are independent of one another. */
void random_seed(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_next(struct random *random);
/* 0 .. n-1; n > 0. The bias for n far below 2^64 is of no account here. */
uint64_t random_below(struct random *random, uint64_t n);
/* least .. most, both included. */
int64_t random_between(struct random *random, int64_t least, int64_t most);
/* True in `per_mille` of a thousand cases. */
bool random_chance(struct random *random, unsigned per_mille);
/* Above 0, at most 1. */
double random_unit(struct random *random);
/* Waiting times of arrivals that know nothing of each other. */
double random_exponential(struct random *random, double mean);
/* How long people talk: e^(sigma * normal) times the median. */
double random_log_normal(struct random *random, double median, double sigma);

#endif
