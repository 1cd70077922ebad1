#include "examples/platform/random.h"

#include <assert.h>
#include <math.h>

#define GOLDEN_GAMMA 0x9e3779b97f4a7c15u

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += GOLDEN_GAMMA;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void random_seed(struct random *random, uint64_t seed, uint64_t stream)
{
    struct random mixer = {seed};
    random->state = random_next(&mixer) ^ (stream * GOLDEN_GAMMA);
    random->state = random_next(random);
}

uint64_t random_below(struct random *random, uint64_t n)
{
    assert(n > 0);
    return random_next(random) % n;
}

int64_t random_between(struct random *random, int64_t least, int64_t most)
{
    assert(least <= most);
    return least + (int64_t)random_below(random, (uint64_t)(most - least) + 1);
}

bool random_chance(struct random *random, unsigned per_mille)
{
    return random_below(random, 1000) < per_mille;
}

double random_unit(struct random *random)
{
    return (double)((random_next(random) >> 11) + 1) * 0x1p-53;
}

double random_exponential(struct random *random, double mean)
{
    return -mean * log(random_unit(random));
}

double random_log_normal(struct random *random, double median, double sigma)
{
    const double two_pi = 6.283185307179586;
    double radius = sqrt(-2.0 * log(random_unit(random)));
    double normal = radius * cos(two_pi * random_unit(random)); /* Box and Muller */
    return median * exp(sigma * normal);
}
