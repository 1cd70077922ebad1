/* test_tables.c - the generated tables: in order, without repeats, and with the
 * facts that anyone can check by heart. What is in them for each territory is
 * in events/tools/emergency.csv and currencies.csv.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "events/currency.h"
#include "events/phone.h"
#include "events/tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void emergency_numbers_ascend(void **state)
{
    (void)state;
    for (size_t i = 0; i < emergency_number_count; i++) {
        const char *number = emergency_numbers[i];
        assert_true(strlen(number) >= 2);
        assert_int_equal(strspn(number, "0123456789"), strlen(number));
        if (i > 0 && strcmp(emergency_numbers[i - 1], number) >= 0)
            fail_msg("%s does not come before %s", emergency_numbers[i - 1], number);
    }
}

static void emergency_numbers_are_known(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const numbers[] = {
        "112", "911", "999",        /* EU, NANP, UK */
        "000", "111", "110", "119", /* Australia; New Zealand; China, Germany, Japan */
        "15", "17", "18",           /* France */
        "100", "101", "102", "108", /* India */
        "190", "192", "193",        /* Brazil */
        "10111", "10177",           /* South Africa */
        "995", "066", "127799", "201606",
        "1300", "1399",             /* Gabon: all between them */
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (!phone_is_emergency(text_of(numbers[i])))
            fail_msg("%s is an emergency number", numbers[i]);
    }
}

static void other_numbers_are_not_emergencies(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const numbers[] = {
        "", "1", "9", "00", "11", "99", "0",             /* beginnings of one */
        "9110", "1121", "99912025550123", "0001", "173", /* longer numbers */
        "+112", "+911", "+33612345678",                  /* not dialled so */
        "411", "611", "118712",                          /* directory and service */
        "12 0", " 112", "112 ", "112\n", "１１２",       /* not all digits */
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (phone_is_emergency(text_of(numbers[i])))
            fail_msg("\"%s\" is no emergency number", numbers[i]);
    }
    assert_false(phone_is_emergency((struct text){"112\0", 4}));
}

static void every_emergency_number_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < emergency_number_count; i++)
        assert_true(phone_is_emergency(text_of(emergency_numbers[i])));
}

static void currencies_ascend(void **state)
{
    (void)state;
    for (size_t i = 0; i < currency_count; i++) {
        char letters[CURRENCY_TEXT_MAX];
        uint32_t code = 0;
        currency_format(currency_table[i].code, letters);
        assert_true(currency_parse(text_of(letters), &code));
        assert_int_equal(code, currency_table[i].code);
        assert_in_range(currency_table[i].exponent + 1, 0, 5); /* -1 .. 4 */
        if (i > 0 && currency_table[i - 1].code >= code)
            fail_msg("%s is out of order", letters);
    }
}

/* The table's own exponent, -1 for none; -2 when the code is not listed. */
static int listed_exponent(const char *letters)
{
    uint32_t code = 0;
    assert_true(currency_parse(text_of(letters), &code));
    for (size_t i = 0; i < currency_count; i++) {
        if (currency_table[i].code == code)
            return currency_table[i].exponent;
    }
    return -2;
}

static void currencies_are_known(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *letters;
        int exponent;
    } rows[] = {
        {"USD", 2}, {"EUR", 2}, {"GBP", 2}, {"INR", 2},  {"CHF", 2},  {"AED", 2},  {"ZWG", 2},
        {"JPY", 0}, {"KRW", 0}, {"XOF", 0}, {"CLP", 0},  {"VND", 0},  {"ISK", 0},
        {"KWD", 3}, {"BHD", 3}, {"TND", 3}, {"CLF", 4},  {"UYW", 4},
        {"XAU", -1}, {"XDR", -1}, {"XTS", -1}, {"XXX", -1},
        {"DEM", -2}, {"FRF", -2}, {"HRK", -2}, {"ZZZ", -2}, {"BTC", -2},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t code = 0;
        assert_true(currency_parse(text_of(rows[i].letters), &code));
        if (listed_exponent(rows[i].letters) != rows[i].exponent)
            fail_msg("%s: exponent %d", rows[i].letters, listed_exponent(rows[i].letters));
        assert_int_equal(currency_known(code), rows[i].exponent != -2);
        assert_int_equal(currency_exponent(code), rows[i].exponent < 0 ? 2 : rows[i].exponent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emergency_numbers_ascend),
        cmocka_unit_test(emergency_numbers_are_known),
        cmocka_unit_test(other_numbers_are_not_emergencies),
        cmocka_unit_test(every_emergency_number_is_found),
        cmocka_unit_test(currencies_ascend),
        cmocka_unit_test(currencies_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
