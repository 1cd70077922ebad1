/* test_money.c - decimal strings to micros and nanos and back, and the one rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/money.h"

static void test_money_parse_reads_exact_micros(void **state)
{
    static const struct {
        const char *text;
        int64_t micros;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"0.0", 0},
        {"12.5", 12500000},
        {"12.500000", 12500000},
        {"-0.17", -170000},
        {"0.000001", 1},
        {"-0.000001", -1},
        {"10", 10000000},
        {"100.01", 100010000},
        {"9223372036854.775807", INT64_MAX},
        {"-9223372036854.775808", INT64_MIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t micros = 77;
        if (!money_parse(text_of(rows[i].text), &micros))
            fail_msg("%s was refused", rows[i].text);
        assert_int_equal(micros, rows[i].micros);
    }
}

/* clang-format off */
static const char *const not_decimals[] = {
    "", "-", "+1", "1.", ".5", "-.5", "1.0000001", "01", "00", "-01", "00.5", "1,5", "1e3", "1E3", " 1", "1 ",
    "1.5 ", "0x10", "1.-5", "--1", "1.2.3", "\xd9\xa1", "NaN", "9223372036854.775808", "-9223372036854.775809",
    "18446744073709.551616", "99999999999999999999999", "10000000000000000000.5",
};
/* clang-format on */

static void test_money_parse_refuses_all_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(not_decimals) / sizeof(not_decimals[0]); i++) {
        int64_t micros = 77;
        if (money_parse(text_of(not_decimals[i]), &micros))
            fail_msg("\"%s\" was taken", not_decimals[i]);
        assert_int_equal(micros, 77);
    }
    int64_t micros = 77;
    assert_false(money_parse(TEXT_NONE, &micros));
    assert_false(money_parse(TEXT_LIT("1\0"), &micros));
    assert_int_equal(micros, 77);
}

static void test_money_parse_reads_no_byte_behind_the_text(void **state)
{
    int64_t micros;

    (void)state;
    assert_true(money_parse((struct text){"12.5678", 4}, &micros));
    assert_int_equal(micros, 12500000);
    assert_true(money_parse((struct text){"125", 2}, &micros));
    assert_int_equal(micros, 12000000);
}

static void test_fx_rate_parse(void **state)
{
    static const char *const refused[] = {"-1",  "-0", "0.0000000001", "1.", ".1", "01", "9223372036.854775808",
                                          "1e2", ""};
    int64_t nanos;

    (void)state;
    assert_true(fx_rate_parse(TEXT_LIT("0.92"), &nanos));
    assert_int_equal(nanos, 920000000);
    assert_true(fx_rate_parse(TEXT_LIT("0.000000001"), &nanos));
    assert_int_equal(nanos, 1);
    assert_true(fx_rate_parse(TEXT_LIT("9223372036.854775807"), &nanos));
    assert_int_equal(nanos, INT64_MAX);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        nanos = 77;
        if (fx_rate_parse(text_of(refused[i]), &nanos))
            fail_msg("\"%s\" was taken", refused[i]);
        assert_int_equal(nanos, 77);
    }
}

static void test_format_is_the_shortest(void **state)
{
    static const struct {
        int64_t micros;
        const char *text;
    } rows[] = {
        {0, "0"},
        {12500000, "12.5"},
        {-170000, "-0.17"},
        {1, "0.000001"},
        {-1, "-0.000001"},
        {10000000, "10"},
        {100000000000, "100000"},
        {100010000, "100.01"},
        {INT64_MAX, "9223372036854.775807"},
        {INT64_MIN, "-9223372036854.775808"},
    };
    char out[MONEY_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(money_format(rows[i].micros, out), strlen(rows[i].text));
        assert_string_equal(out, rows[i].text);
    }
    assert_int_equal(fx_rate_format(920000000, out), 4);
    assert_string_equal(out, "0.92");
    assert_int_equal(fx_rate_format(INT64_MIN, out), 21);
    assert_string_equal(out, "-9223372036.854775808");
}

static void test_mul_div_half_up(void **state)
{
    static const struct {
        int64_t value, numerator, denominator, result;
    } rows[] = {
        {0, 5, 3, 0},
        {1, 1, 2, 1},               /* 0.5 up */
        {1, 1, 3, 0},               /* 0.33 down */
        {2, 1, 3, 1},               /* 0.67 up */
        {3, 1, 2, 2},               /* 1.5 up */
        {7, 1, 2, 4},               /* 3.5 up, not to even */
        {5, 1, 2, 3},               /* 2.5 up, not to even */
        {6000, 12345, 60000, 1235}, /* 1234.5 up */
        {6000, 12344, 60000, 1234}, /* 1234.4 down */
        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
        {INT64_MAX, 1, 1, INT64_MAX},
        {INT64_MAX, 1, INT64_MAX, 1},
        {INT64_MAX / 2, 1, INT64_MAX, 0},     /* just below a half */
        {INT64_MAX / 2 + 1, 1, INT64_MAX, 1}, /* just above */
    };
    int64_t result = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(mul_div_half_up(rows[i].value, rows[i].numerator, rows[i].denominator, &result));
        assert_int_equal(result, rows[i].result);
    }
    result = 77;
    assert_false(mul_div_half_up(INT64_MAX, 2, 1, &result));
    assert_false(mul_div_half_up(INT64_MAX, INT64_MAX, 1, &result));
    /* (2^63-1) * 3 / 3 fits, one more half does not: 2^63-1 + 0.5 rounds to 2^63. */
    assert_false(mul_div_half_up(INT64_MAX, INT64_MAX, INT64_MAX - 1, &result));
    assert_int_equal(result, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_money_parse_reads_exact_micros),
        cmocka_unit_test(test_money_parse_refuses_all_else),
        cmocka_unit_test(test_money_parse_reads_no_byte_behind_the_text),
        cmocka_unit_test(test_fx_rate_parse),
        cmocka_unit_test(test_format_is_the_shortest),
        cmocka_unit_test(test_mul_div_half_up),
    };
    return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
