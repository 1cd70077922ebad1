/* test_currency.c - currency codes, which of them exist, and their minor units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/currency.h"
#include "events/tables.h"

static uint32_t code_of(const char *letters)
{
    uint32_t code = 0;

    assert_true(currency_parse(text_of(letters), &code));
    return code;
}

static void test_codes_are_three_packed_letters(void **state)
{
    char out[CURRENCY_TEXT_MAX];

    (void)state;
    assert_int_equal(code_of("USD"), 'U' << 16 | 'S' << 8 | 'D');
    currency_format(code_of("EUR"), out);
    assert_string_equal(out, "EUR");
    currency_format(code_of("AZA"), out);
    assert_string_equal(out, "AZA");
}

static void test_other_spellings_are_refused(void **state)
{
    static const char *const rows[] = {"", "US", "USDX", "usd", "Usd", "U5D", "US ", "@AB", "A[B", "\xc3\x89U"};
    uint32_t code = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (currency_parse(text_of(rows[i]), &code))
            fail_msg("\"%s\" was taken", rows[i]);
    assert_false(currency_parse(TEXT_NONE, &code));
    assert_int_equal(code, 77);
}

static void test_iso_4217(void **state)
{
    static const struct {
        const char *code;
        bool known;
        int exponent;
    } rows[] = {
        {"USD", true, 2},  {"EUR", true, 2},  {"GBP", true, 2},  {"JPY", true, 0}, {"KRW", true, 0},
        {"KWD", true, 3},  {"TND", true, 3},  {"CLF", true, 4},  {"XAU", true, 2}, /* N.A. in the list */
        {"ZZZ", false, 2}, {"AAA", false, 2}, {"DEM", false, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t code = code_of(rows[i].code);
        if (currency_known(code) != rows[i].known || currency_exponent(code) != rows[i].exponent)
            fail_msg("%s: known %d, exponent %d", rows[i].code, currency_known(code), currency_exponent(code));
    }
}

static void test_every_currency_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < currency_count; i++) {
        char letters[CURRENCY_TEXT_MAX];
        currency_format(currency_table[i].code, letters);
        assert_int_equal(code_of(letters), currency_table[i].code);
        assert_true(currency_known(currency_table[i].code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_are_three_packed_letters),
        cmocka_unit_test(test_other_spellings_are_refused),
        cmocka_unit_test(test_iso_4217),
        cmocka_unit_test(test_every_currency_is_found),
    };
    return cmocka_run_group_tests_name("currency", tests, NULL, NULL);
}
