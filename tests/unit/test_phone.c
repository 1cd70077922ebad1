/* test_phone.c - what is a number, a prefix, an id, and whom one may always call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "events/phone.h"
#include "events/tables.h"

struct row {
    const char *text;
    bool e164, prefix;
};

static void test_numbers_and_prefixes(void **state)
{
    static const struct row rows[] = {
        {"+33612345678", true, true},
        {"+12", true, true},
        {"+1", false, true},
        {"+0", false, true},
        {"+012", false, true},
        {"+123456789012345", true, true},
        {"+1234567890123456", false, false},
        {"+", false, false},
        {"", false, false},
        {"33612345678", false, false},
        {"++3361", false, false},
        {"+33 61", false, false},
        {"+33a1", false, false},
        {"+336\xd9\xa1", false, false},
        {"+3361-", false, false},
        {"+/1", false, false},
        {"+1:", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct text t = text_of(rows[i].text);
        if (phone_is_e164(t) != rows[i].e164 || phone_is_prefix(t) != rows[i].prefix)
            fail_msg("\"%s\" is misjudged", rows[i].text);
    }
    assert_false(phone_is_e164(TEXT_NONE));
    assert_false(phone_is_prefix(TEXT_NONE));
    assert_false(phone_is_e164(TEXT_LIT("+33\0")));
}

static void test_ids(void **state)
{
    static const char *const refused[] = {"",   "a b", "a/b",      "a@b", "a,b", "a[",
                                          "a`", "a{",  "\xc3\xa9", "a\n", "a;b", "a+b"};
    char id[ID_MAX + 2];

    (void)state;
    assert_true(id_is_valid(TEXT_LIT("ABCDEFGHIJKLMNOPQRSTUVWXYZ._:-")));
    assert_true(id_is_valid(TEXT_LIT("abcdefghijklmnopqrstuvwxyz0123456789")));
    assert_true(id_is_valid(TEXT_LIT("0:42:1")));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (id_is_valid(text_of(refused[i])))
            fail_msg("\"%s\" was taken", refused[i]);
    memset(id, 'x', sizeof(id));
    assert_true(id_is_valid((struct text){id, ID_MAX}));
    assert_false(id_is_valid((struct text){id, ID_MAX + 1}));
    assert_false(id_is_valid(TEXT_NONE));
    assert_false(id_is_valid(TEXT_LIT("a\0")));
}

/* Sixteen bytes at a time, and what is left one by one. */
static void test_every_byte_at_every_place_of_an_id(void **state)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
    (void)state;
    for (size_t place = 0; place < 35; place++)
        for (int byte = 0; byte < 256; byte++) {
            char id[35];
            memset(id, 'x', sizeof(id));
            id[place] = (char)byte;
            bool is_good = byte != 0 && strchr(good, byte) != NULL;
            if (id_end(id, id + sizeof(id)) != id + (is_good ? sizeof(id) : place))
                fail_msg("byte %d at place %zu is misjudged", byte, place);
        }
}

static void test_emergency_numbers(void **state)
{
    static const char *const emergency[] = {"112", "911", "999", "17", "15", "18", "110", "000", "119"};
    static const char *const other[] = {"",     "+112",  "1",  "1120", "1121", "9",
                                        "9110", "99999", "11", "+17",  "112 ", "I12"};

    (void)state;
    for (size_t i = 0; i < sizeof(emergency) / sizeof(emergency[0]); i++)
        if (!phone_is_emergency(text_of(emergency[i])))
            fail_msg("%s is an emergency number", emergency[i]);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (phone_is_emergency(text_of(other[i])))
            fail_msg("\"%s\" is no emergency number", other[i]);
    assert_false(phone_is_emergency(TEXT_NONE));
    assert_true(phone_is_emergency((struct text){"1129", 3}));
}

static void test_every_emergency_number_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < emergency_number_count; i++)
        assert_true(phone_is_emergency(text_of(emergency_numbers[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_and_prefixes),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_every_byte_at_every_place_of_an_id),
        cmocka_unit_test(test_emergency_numbers),
        cmocka_unit_test(test_every_emergency_number_is_found),
    };
    return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
