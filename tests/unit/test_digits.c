/* test_digits.c - decimal digits against printf, where their number changes and anywhere. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "events/digits.h"

#define SEED   UINT64_C(20261127)
#define RANDOM 100000

static void assert_as_printf(uint64_t value)
{
    char expected[DIGITS_MAX + 1], found[DIGITS_MAX + 1];
    int len = snprintf(expected, sizeof(expected), "%" PRIu64, value);
    char *end = digits_write(found, value);
    assert_int_equal(end - found, len);
    *end = '\0';
    assert_string_equal(found, expected);
}

static void test_around_every_power(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 11000; value++)
        assert_as_printf(value);
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10)
        for (uint64_t i = 0; i < 3; i++)
            assert_as_printf(10 * power - 1 + i);
    for (int bit = 0; bit < 64; bit++)
        for (uint64_t i = 0; i < 3; i++)
            assert_as_printf((UINT64_C(1) << bit) - 1 + i);
    assert_as_printf(UINT64_MAX);
}

static void test_anywhere(void **state)
{
    uint64_t random = SEED;
    (void)state;
    for (int i = 0; i < RANDOM; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        assert_as_printf(random >> (i % 64));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_around_every_power),
        cmocka_unit_test(test_anywhere),
    };
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
