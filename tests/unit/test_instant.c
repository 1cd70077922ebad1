/* test_instant.c - RFC 3339 to milliseconds and back, and UTC days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "events/instant.h"

static void test_parse_reads_milliseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-11-23T08:00:06.000Z", 1795420806000},
        {"2026-11-23T08:00:06Z", 1795420806000},
        {"2026-11-23t08:00:06z", 1795420806000},
        {"2026-11-23T09:00:06+01:00", 1795420806000},
        {"2026-11-22T21:30:06-10:30", 1795420806000},
        {"2026-11-24T07:59:06+23:59", 1795420806000},
        {"2026-11-23T08:00:06-00:00", 1795420806000},
        {"2026-11-23T08:00:06.1Z", 1795420806100},
        {"2026-11-23T08:00:06.12Z", 1795420806120},
        {"2026-11-23T08:00:06.1239Z", 1795420806123},
        {"2026-11-23T08:00:06.999999999Z", 1795420806999},
        {"1969-12-31T23:59:59.9999Z", -1}, /* truncated towards the fraction's own zero */
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"0000-01-01T00:00:00Z", -62167219200000},
        {"0000-02-29T00:00:00Z", -62162121600000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"2016-12-31T23:59:60.750Z", 1483228800000},
        {"2017-01-01T05:29:60+05:30", 1483228800000},
        {"2016-12-31T15:59:60-08:00", 1483228800000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 77;
        if (!instant_parse(text_of(rows[i].text), &ms))
            fail_msg("%s was refused", rows[i].text);
        if (ms != rows[i].ms)
            fail_msg("%s gave %lld", rows[i].text, (long long)ms);
    }
}

/* After `before`, and after itself, text is read as it is without a memory. */
static void assert_read_near(const char *before, const char text[24], bool taken, int64_t ms)
{
    struct instant_minute last = {0};
    int64_t near_ms;
    assert_true(instant_parse_near(text_of(before), &last, &near_ms));
    for (int times = 0; times < 2; times++) {
        near_ms = 0;
        assert_int_equal(instant_parse_near((struct text){text, 24}, &last, &near_ms), taken);
        assert_true(near_ms == ms);
    }
}

/* The same instant with one more digit goes another way through the parser: both
 * ways must take the same texts, whatever stands in whichever place. */
static void test_parse_of_the_usual_form(void **state)
{
    static const char *const usual[] = {"2026-11-23T08:00:06.000Z", "2024-02-29T23:59:59.999Z",
                                        "1999-02-28T19:30:10.905Z", "0000-01-01T00:00:00.000Z",
                                        "9999-12-31T20:09:50.090Z"};
    (void)state;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        for (size_t place = 0; place < 24 * 256; place++) {
            char text[25], longer[27];
            int64_t ms = 0, longer_ms = 0;
            snprintf(text, sizeof text, "%s", usual[i]);
            text[place / 256] = (char)(place % 256);
            memcpy(longer, text, 23);
            longer[23] = '0';
            longer[24] = text[23];
            bool taken = instant_parse((struct text){text, 24}, &ms);
            assert_int_equal(taken, instant_parse((struct text){longer, 25}, &longer_ms));
            assert_true(ms == longer_ms);
            assert_read_near(usual[i], text, taken, ms);
        }
}

static void test_parse_near_remembers_no_more_than_a_minute(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"2016-12-31T23:59:60.000Z", 1483228800000},
        {"2016-12-31T23:59:59.000Z", 1483228799000},
        {"2016-12-31T23:59:60.000Z", 1483228800000},
        {"2016-12-31T23:58:60.000Z", -1},
        {"2016-12-31T23:58:59.000Z", 1483228739000},
        {"2016-12-31T23:58:59Z", 1483228739000},
        {"2016-12-31t23:58:59.000Z", 1483228739000},
        {"2016-12-31T23:58:59.000z", 1483228739000},
        {"2016-12-31T24:00:00.000Z", -1},
        {"2016-12-31T24:00:00.000Z", -1},
        {"", -1},
    };
    struct instant_minute last = {0};
    int64_t ms;
    (void)state;
    assert_false(instant_parse_near((struct text){"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:06.000Z", 24}, &last, &ms));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (instant_parse_near(text_of(rows[i].text), &last, &ms) != (rows[i].ms != -1) ||
            (rows[i].ms != -1 && ms != rows[i].ms))
            fail_msg("row %zu, \"%s\", is misread", i, rows[i].text);
}

static void test_parse_refuses_all_else(void **state)
{
    static const char *const rows[] = {
        "",
        "2026-11-23",
        "2026-11-23T08:00Z",
        "2026-11-23T08:00:06",
        "2026-11-23 08:00:06Z",
        "2026-11-23T08:00:06.Z",
        "2026-11-23T08:00:06.1234567890Z",
        "2026-11-23T08:00:06,5Z",
        "2026-11-23T08:00:06.5",
        "2026-11-23T08:00:06+0100",
        "2026-11-23T08:00:06+01",
        "2026-11-23T08:00:06+24:00",
        "2026-11-23T08:00:06+01:60",
        "2026-11-23T08:00:06+1a:00",
        "2026-11-23T08:00:06Zx",
        "2026-11-23T08:00:06ZZ",
        " 2026-11-23T08:00:06Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:00:61Z",
        "2026-11-23T08:00:60Z",
        "2016-12-31T23:59:60+01:00",
        "2026-00-23T08:00:06Z",
        "2026-13-23T08:00:06Z",
        "2026-11-00T08:00:06Z",
        "2026-11-31T08:00:06Z",
        "2026-02-29T08:00:06Z",
        "2100-02-29T08:00:06Z",
        "2026/11/23T08:00:06Z",
        "2026-11/23T08:00:06Z",
        "2026-11-23T08-00:06Z",
        "2026-11-23T08:00.06Z",
        "26-11-23T08:00:06.0000Z",
        "+2026-11-23T08:00:06Z",
        "2O26-11-23T08:00:06Z",
        "202a-11-23T08:00:06Z",
        "2026-1a-23T08:00:06Z",
        "2026-11-2aT08:00:06Z",
        "2026-11-23Taa:00:06Z",
        "2026-11-23T08:a0:06Z",
        "2026-11-23T08:00:0aZ",
        "2026-11-23T08:00:06−01:00", /* U+2212, not a hyphen */
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 77;
        if (instant_parse(text_of(rows[i]), &ms))
            fail_msg("\"%s\" was taken", rows[i]);
        assert_int_equal(ms, 77);
    }
}

static void test_format(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1795420806000, "2026-11-23T08:00:06.000Z"},
        {1709251199999, "2024-02-29T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    char out[INSTANT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(instant_format(rows[i].ms, out), 24);
        assert_string_equal(out, rows[i].text);
    }
}

static void test_days_are_floored(void **state)
{
    (void)state;
    assert_int_equal(instant_day(0), 0);
    assert_int_equal(instant_day(MS_PER_DAY - 1), 0);
    assert_int_equal(instant_day(MS_PER_DAY), 1);
    assert_int_equal(instant_day(-1), -1);
    assert_int_equal(instant_day(-MS_PER_DAY), -1);
    assert_int_equal(instant_day(-MS_PER_DAY - 1), -2);
    assert_int_equal(day_start_ms(20780), 1795392000000);
    assert_int_equal(day_start_ms(-1), -MS_PER_DAY);
}

static void test_what_is_no_day(void **state)
{
    static const char *const texts[] = {"",           "2026-11",    "2026-11-2",    "2026-13-01", "2026-02-29",
                                        "2026-00-10", "2026/11/23", "2026-11-23T0", "+026-11-23", "2026-11-31"};
    int32_t day = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(day_parse(text_of(texts[i]), &day));
    assert_int_equal(day, 77);
}

/* Every day of the calendar, against the C library's own. */
static void test_every_day_agrees_with_the_c_library(void **state)
{
    char ours[DAY_TEXT_MAX], theirs[32], instant[32];

    (void)state;
    for (int32_t day = instant_day(-62167219200000); day <= instant_day(253402300799999); day++) {
        time_t start = (time_t)(day_start_ms(day) / 1000);
        struct tm tm;
        int64_t ms;

        assert_non_null(gmtime_r(&start, &tm));
        snprintf(theirs, sizeof(theirs), "%04d-%02d-%02d", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday);
        assert_int_equal(day_format(day, ours), 10);
        if (strcmp(ours, theirs) != 0)
            fail_msg("day %d is %s, not %s", day, theirs, ours);
        snprintf(instant, sizeof(instant), "%sT00:00:00Z", ours);
        assert_true(instant_parse(text_of(instant), &ms));
        assert_true(ms == day_start_ms(day));
        int32_t again;
        assert_true(day_parse(text_of(ours), &again));
        assert_int_equal(again, day);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_reads_milliseconds),
        cmocka_unit_test(test_parse_of_the_usual_form),
        cmocka_unit_test(test_parse_near_remembers_no_more_than_a_minute),
        cmocka_unit_test(test_parse_refuses_all_else),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_days_are_floored),
        cmocka_unit_test(test_what_is_no_day),
        cmocka_unit_test(test_every_day_agrees_with_the_c_library),
    };
    return cmocka_run_group_tests_name("instant", tests, NULL, NULL);
}
