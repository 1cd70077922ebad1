/* A record to a line in archive form and back; the scanner of such lines against the JSON parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "processor/log_file_archive.h"

static void assert_text(struct text wanted, struct text got)
{
    assert_int_equal(text_present(wanted), text_present(got));
    assert_int_equal(wanted.len, got.len);
    if (wanted.len > 0)
        assert_memory_equal(wanted.at, got.at, wanted.len);
}

static void assert_record(const struct fold_record *wanted, const struct fold_record *got)
{
    assert_int_equal(wanted->offset, got->offset);
    assert_int_equal(wanted->has_timestamp, got->has_timestamp);
    assert_int_equal(wanted->timestamp_ms, got->timestamp_ms);
    assert_int_equal(wanted->has_key, got->has_key);
    assert_text(wanted->key, got->key);
    assert_text(wanted->value, got->value);
}

static void there_and_back(const struct fold_record *record)
{
    struct buffer line = {0};
    struct archive_memory memory = {0};
    struct fold_record got;
    uint32_t partition;
    archive_encode(&line, 3, record);
    assert_null(memchr(line.at, '\n', line.len));
    assert_true(archive_parse(&memory, (struct text){line.at, line.len}, &partition, &got));
    assert_int_equal(3, partition);
    assert_record(record, &got);
    assert_true(archive_parse_reference(&memory, (struct text){line.at, line.len}, &partition, &got));
    assert_record(record, &got);
    archive_free(&memory);
    buffer_free(&line);
}

static void test_every_byte_comes_back(void **state)
{
    char bytes[256];
    (void)state;
    for (size_t len = 0; len <= sizeof bytes; len++) {
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(len - i);
        struct text value = {bytes, len};
        there_and_back(&(struct fold_record){.offset = (int64_t)len, .has_key = true, .key = value, .value = value});
    }
}

static void test_what_a_record_may_have(void **state)
{
    const struct text values[] = {
        TEXT_LIT(""),   TEXT_LIT("{\"a\":\"\\\\b\"}"), TEXT_LIT("gr\xc3\xbc\xc3\x9f"), TEXT_LIT("\xff\x00\x01"),
        TEXT_LIT("\0"), TEXT_LIT("12345678\"")};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct fold_record record = {.offset = 17, .value = values[i]};
        there_and_back(&record);
        record.has_key = true;
        there_and_back(&record);
        record.key = values[i];
        there_and_back(&record);
        record.has_timestamp = true;
        record.timestamp_ms = 1763884800000;
        there_and_back(&record);
    }
}

/* Both take the line, or neither, and as the same record. */
static void test_the_scanner_agrees_with_the_parser(void **state)
{
    static const char line[] =
        "{\"partition\":1,\"offset\":17,\"timestamp\":5,\"key\":\"k\",\"value\":\"a\\\"b\\\\c\\n\"}";
    static const char put[] = "\"\\,:{}[]0129 -.eEnulltrbf/\t\x01\x7f\x80\xc3";
    char changed[sizeof line];
    (void)state;
    for (size_t at = 0; at < sizeof line - 1; at++)
        for (size_t i = 0; i < sizeof put; i++) {
            struct archive_memory ours = {0}, theirs = {0};
            struct fold_record a, b;
            uint32_t p = 0, q = 0;
            memcpy(changed, line, sizeof line);
            changed[at] = put[i];
            const struct text text = {changed, sizeof line - 1};
            bool taken = archive_parse(&ours, text, &p, &a);
            assert_int_equal(archive_parse_reference(&theirs, text, &q, &b), taken);
            if (taken) {
                assert_int_equal(q, p);
                assert_record(&b, &a);
            }
            archive_free(&ours);
            archive_free(&theirs);
        }
}

static void test_a_bare_record_has_neither_key_nor_timestamp(void **state)
{
    const char *const lines[] = {
        "{\"partition\":0,\"offset\":1,\"bare\":true,\"key\":null,\"value\":\"\"}",
        "{\"partition\":0,\"offset\":1,\"bare\":true,\"timestamp\":1,\"value\":\"\"}",
        "{\"partition\":0,\"offset\":1,\"key_base64\":\"\",\"bare\":true,\"value\":\"\"}",
    };
    struct archive_memory memory = {0};
    struct fold_record record;
    uint32_t partition;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(archive_parse(&memory, text_of(lines[i]), &partition, &record));
    assert_true(archive_parse(&memory, text_of("{\"value\":\"\",\"bare\":false,\"partition\":0,\"offset\":1}"),
                              &partition, &record));
    assert_true(record.has_key);
    archive_free(&memory);
}

static void test_memory_is_used_again(void **state)
{
    struct archive_memory memory = {0};
    struct fold_record record;
    uint32_t partition;
    struct buffer line = {0};
    char *value = calloc(1, 100000);
    (void)state;
    memset(value, 'a', 100000);
    archive_encode(&line, 0, &(struct fold_record){.value = {value, 100000}});
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++) {
            assert_true(archive_parse(&memory, (struct text){line.at, line.len}, &partition, &record));
            assert_text((struct text){value, 100000}, record.value);
        }
        archive_forget(&memory);
    }
    archive_free(&memory);
    buffer_free(&line);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_comes_back),
        cmocka_unit_test(test_what_a_record_may_have),
        cmocka_unit_test(test_the_scanner_agrees_with_the_parser),
        cmocka_unit_test(test_a_bare_record_has_neither_key_nor_timestamp),
        cmocka_unit_test(test_memory_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
