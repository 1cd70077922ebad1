/* mutate_model.c - mutations that keep compose.h's chunks where they are: a
 * record comes in, goes, moves or is another one, or a byte of it changes.
 * Linked by run.sh only. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/compose.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t out_max, unsigned int seed);

static size_t roll(unsigned int *dice, size_t sides)
{
    return ((size_t)rand_r(dice) << 16 ^ (size_t)rand_r(dice)) % sides;
}

/* Makes room for a chunk before place `at`; the new size. */
static size_t insert(uint8_t *data, size_t count, size_t at, const uint8_t chunk[CHUNK])
{
    memmove(data + (at + 1) * CHUNK, data + at * CHUNK, (count - at) * CHUNK);
    memcpy(data + at * CHUNK, chunk, CHUNK);
    return count + 1;
}

static size_t drop(uint8_t *data, size_t count, size_t at)
{
    memmove(data + at * CHUNK, data + (at + 1) * CHUNK, (count - at - 1) * CHUNK);
    return count - 1;
}

static void random_chunk(uint8_t chunk[CHUNK], unsigned int *dice)
{
    for (size_t i = 0; i < CHUNK; i++)
        chunk[i] = (uint8_t)roll(dice, 256);
    if (roll(dice, 4) > 0)
        chunk[1] &= 0x63; /* on time */
}

static size_t mutate_once(uint8_t *data, size_t count, size_t most, unsigned int *dice)
{
    uint8_t chunk[CHUNK];
    size_t at = roll(dice, count + 1);

    random_chunk(chunk, dice);
    if (count == 0 || (roll(dice, 3) == 0 && count < most))
        return insert(data, count, at, chunk);
    size_t one = roll(dice, count);
    switch (roll(dice, 5)) {
    case 0: return drop(data, count, one);
    case 1: memcpy(chunk, data + one * CHUNK, CHUNK); return count < most ? insert(data, count, at, chunk) : count;
    case 2: LLVMFuzzerMutate(data + one * CHUNK, CHUNK, CHUNK); return count;
    default: data[one * CHUNK + roll(dice, CHUNK)] = (uint8_t)roll(dice, 256); return count;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    unsigned int dice = seed;
    size_t count = size / CHUNK, most = max_size / CHUNK;

    if (most == 0)
        return size;
    for (size_t times = 1 + roll(&dice, 5); times > 0; times--)
        count = mutate_once(data, count, most, &dice);
    return count * CHUNK;
}

/* The beginning of one history and the end of another. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t out_max, unsigned int seed)
{
    unsigned int dice = seed;
    size_t head = roll(&dice, a_size / CHUNK + 1) * CHUNK, from = roll(&dice, b_size / CHUNK + 1) * CHUNK;
    size_t tail = b_size / CHUNK * CHUNK - from;

    head = head < out_max ? head : out_max / CHUNK * CHUNK;
    tail = tail < out_max - head ? tail : (out_max - head) / CHUNK * CHUNK;
    memcpy(out, a, head);
    memcpy(out + head, b + from, tail);
    return head + tail;
}
