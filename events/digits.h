/* digits.h - decimal digits, two at a time: of integers, amounts and instants. */
#ifndef CALLFOLD_EVENTS_DIGITS_H
#define CALLFOLD_EVENTS_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 20 /* of a uint64_t */

extern const char digit_pairs[]; /* "000102...99" */

/* The two digits of a value from 0 to 99. */
static inline void digits_pair(char *at, int value)
{
    memcpy(at, digit_pairs + 2 * value, 2);
}

/* Writes value, below 10^count, with zeros in front; count is a constant, for the
 * loop to vanish. */
static inline void digits_fixed(char *at, uint32_t value, int count)
{
    for (; count >= 2; count -= 2, value /= 100)
        digits_pair(at + count - 2, (int)(value % 100));
    if (count == 1)
        *at = (char)('0' + value);
}

/* Writes value without leading zeros into at most DIGITS_MAX bytes, no NUL; the end. */
char *digits_write_many(char *at, uint64_t value);
static inline char *digits_write(char *at, uint64_t value)
{
    if (value >= 10)
        return digits_write_many(at, value);
    *at = (char)('0' + value);
    return at + 1;
}

#endif
