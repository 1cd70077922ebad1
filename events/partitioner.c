#include "events/partitioner.h"

static uint32_t murmur2(struct text key)
{
    const uint32_t seed = 0x9747b28c, m = 0x5bd1e995;
    const unsigned char *at = (const unsigned char *)key.at;
    uint32_t h = seed ^ (uint32_t)key.len;
    size_t left = key.len;
    for (; left >= 4; at += 4, left -= 4) {
        uint32_t k = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        k *= m;
        k ^= k >> 24;
        k *= m;
        h = (h * m) ^ k;
    }
    if (left > 2)
        h ^= (uint32_t)at[2] << 16;
    if (left > 1)
        h ^= (uint32_t)at[1] << 8;
    if (left > 0)
        h = (h ^ at[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

uint32_t partition_of_key(struct text key, uint32_t partition_count)
{
    return (murmur2(key) & 0x7fffffff) % partition_count;
}
