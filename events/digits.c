#include "events/digits.h"

const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                           "25262728293031323334353637383940414243444546474849"
                           "50515253545556575859606162636465666768697071727374"
                           "75767778798081828384858687888990919293949596979899";

/* 1233/4096 is the logarithm of 2 to the base 10, from below: the bits of a value
 * tell the number of its digits but for one. */
static unsigned count_of(uint64_t value)
{
    /* clang-format off */
    static const uint64_t powers[] = {
        0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
        100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
        10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000u,
    };
    /* clang-format on */
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1), least = bits * 1233 >> 12;
    return least + (value >= powers[least]);
}

char *digits_write_many(char *at, uint64_t value)
{
    char *end = at + count_of(value);

    for (char *pair = end - 2; value >= 100; pair -= 2, value /= 100)
        digits_pair(pair, (int)(value % 100));
    if (value >= 10)
        digits_pair(at, (int)value);
    else
        *at = (char)('0' + value);
    return end;
}
