/* test_log_file.c - the embedded log by itself: how lines become records, and
 * what a commit leaves behind. The engine's part is played by the test. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "processor/log_file.h"
#include "processor/log_file_lines.h"

struct fixture {
    char dir[64], events[96], out[96];
    struct log_file_config config;
    struct log *log;
    struct store_error error;
    size_t most; /* records a read */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->dir, "/tmp/callfold-log-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->events, sizeof f->events, "%s/events.jsonl", f->dir);
    snprintf(f->out, sizeof f->out, "%s/out", f->dir);
    f->most = 100;
    f->config = (struct log_file_config){.events = f->events, .out = f->out, .state = f->dir};
    *state = f;
    return 0;
}

static void close_log(struct fixture *f)
{
    if (f->log != NULL)
        f->log->does->close(f->log);
    f->log = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[96];
    close_log(f);
    snprintf(command, sizeof command, "rm -r %s", f->dir);
    int result = system(command);
    free(f);
    return result;
}

static void add_bytes(struct fixture *f, const char *bytes, size_t len)
{
    FILE *file = fopen(f->events, "a");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void add(struct fixture *f, const char *text)
{
    add_bytes(f, text, strlen(text));
}

static void open_log(struct fixture *f)
{
    close_log(f);
    f->log = log_file_open(&f->config, &f->error);
    assert_non_null(f->log);
}

/* Reads on, giving each partition that is assigned the same mark, until there
 * are records or an end. */
static enum log_answer read_from(struct fixture *f, const struct log_mark *mark, struct log_batch *batch)
{
    enum log_answer answer;
    do {
        answer = f->log->does->read(f->log, f->most, 0, batch);
        for (size_t i = 0; answer == LOG_ASSIGNED && i < batch->count; i++)
            assert_true(f->log->does->begin(f->log, batch->assigned[i].partition, mark));
    } while (answer == LOG_ASSIGNED);
    return answer;
}

static enum log_answer read_on(struct fixture *f, struct log_batch *batch)
{
    return read_from(f, &(struct log_mark){0}, batch);
}

static void append(struct fixture *f, enum output_topic topic, const char *line)
{
    f->log->does->append(f->log, topic, 0, TEXT_NONE, text_of(line));
}

static void commit(struct fixture *f, int64_t position, struct log_mark *mark)
{
    struct log_progress progress = {.partition_count = 4,
                                    .fold_version = FOLD_VERSION,
                                    .position = position,
                                    .next_offset = 2,
                                    .entries = 3,
                                    .inputs = 4};
    memset(progress.chain, 'c', sizeof progress.chain);
    assert_int_equal(f->log->does->commit(f->log, &progress, 1), LOG_DONE);
    f->log->does->mark(f->log, 0, mark);
}

static void expect_file(struct fixture *f, const char *name, const char *contents)
{
    char path[160], found[256];
    snprintf(path, sizeof path, "%s/%s.jsonl", f->out, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(found, 1, sizeof found - 1, file);
    found[len] = '\0';
    fclose(file);
    assert_string_equal(found, contents);
}

static void expect_record(const struct log_record *record, uint32_t partition, int64_t offset, const char *value)
{
    assert_int_equal(record->partition, partition);
    assert_int_equal(record->record.offset, offset);
    assert_int_equal(record->record.value.len, strlen(value));
    assert_memory_equal(record->record.value.at, value, strlen(value));
}

/* One line in, one record out: what the archive form gives and what it does not. */
static void lines_become_records(void **state)
{
    static const struct {
        const char *line;
        bool archived;
        uint32_t partition;
        int64_t offset, timestamp; /* -1: none */
        const char *key, *value;   /* value NULL: the whole line */
    } cases[] = {
        {"{\"partition\":3,\"offset\":17,\"timestamp\":5,\"key\":\"k\",\"value\":\"v\"}", true, 3, 17, 5, "k", "v"},
        {"{\"value\":\"v\",\"offset\":0,\"partition\":0}", true, 0, 0, -1, NULL, "v"},
        {" { \"key\" : null, \"value\":\"\", \"timestamp\":null, \"offset\":9,\"partition\":1023 } ", true, 1023, 9, -1,
         NULL, ""},
        {"{\"topic\":\"t\",\"partition\":1,\"offset\":2,\"timestamp\":-1,\"value\":\"v\"}", true, 1, 2, -1, NULL, "v"},
        {"{\"partition\":1,\"offset\":2,\"timestamp\":0,\"value_base64\":\"/w==\"}", true, 1, 2, 0, NULL, "\377"},
        {"{\"partition\":1,\"offset\":2,\"key_base64\":\"a2V5\",\"value_base64\":\"\"}", true, 1, 2, -1, "key", ""},
        {"{\"partition\":1,\"offset\":2,\"value\":\"a\\\"b\\\\\"}", true, 1, 2, -1, NULL, "a\"b\\"},
        {"{\"specversion\":\"1.0\",\"partition\":1,\"offset\":2,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":\"v\",\"specversion\":\"1.0\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1024,\"offset\":2,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":-1,\"offset\":2,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":-2,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":9223372036854775807,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2.0,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":null}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":{}}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":\"v\",\"value_base64\":\"dg==\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value_base64\":\"dg=\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value_base64\":\"d===\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value_base64\":\"d\\u0000==\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"key\":7,\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"timestamp\":\"5\",\"value\":\"v\"}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":\"v\",\"offset\":3}", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":\"v\"} x", false, 0, 0, -1, NULL, NULL},
        {"{\"partition\":1,\"offset\":2,\"value\":\"v\"", false, 0, 0, -1, NULL, NULL},
        {"{\"specversion\":\"1.0\"}", false, 0, 0, -1, NULL, NULL},
        {"[\"partition\"]", false, 0, 0, -1, NULL, NULL},
        {"not JSON\r", false, 0, 0, -1, NULL, NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_batch batch;
        unlink(f->events);
        add(f, cases[i].line);
        add(f, "\n");
        open_log(f);
        assert_int_equal(read_on(f, &batch), LOG_RECORDS);
        assert_int_equal(batch.count, 1);
        const struct fold_record *record = &batch.records[0].record;
        expect_record(&batch.records[0], cases[i].partition, cases[i].offset,
                      cases[i].value != NULL ? cases[i].value : cases[i].line);
        assert_int_equal(record->has_key, cases[i].archived);
        assert_int_equal(record->has_timestamp, cases[i].timestamp >= 0);
        assert_int_equal(record->timestamp_ms, cases[i].timestamp >= 0 ? cases[i].timestamp : 0);
        assert_int_equal(text_present(record->key), cases[i].key != NULL);
        if (cases[i].key != NULL)
            assert_true(text_equal(record->key, text_of(cases[i].key)));
        assert_int_equal(batch.records[0].end, strlen(cases[i].line) + 1);
    }
}

static void blank_lines_count_and_torn_ones_do_not(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    static const char bytes[] = "a\n\n \t\r\nb\0c\n\nto";
    add_bytes(f, bytes, sizeof bytes - 1);
    open_log(f);
    assert_int_equal(read_on(f, &batch), LOG_RECORDS);
    assert_int_equal(batch.count, 2);
    expect_record(&batch.records[0], 0, 0, "a");
    assert_int_equal(batch.records[1].record.offset, 3);
    assert_int_equal(batch.records[1].record.value.len, 3);
    assert_memory_equal(batch.records[1].record.value.at, "b\0c", 3);
    assert_int_equal(read_on(f, &batch), LOG_END);
}

/* An offset that is not above its partition's last one is no record of that
 * partition, and leaves what comes after it alone. */
static void offsets_only_grow(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    static const char low[] = "{\"partition\":0,\"offset\":10,\"value\":\"low\"}";
    add(f, "{\"partition\":0,\"offset\":10,\"value\":\"a\"}\n"
           "{\"partition\":1,\"offset\":3,\"value\":\"b\"}\n");
    add(f, low);
    add(f, "\n{\"partition\":0,\"offset\":11,\"value\":\"c\"}\n"
           "{\"partition\":1,\"offset\":900,\"value\":\"d\"}\n");
    open_log(f);
    assert_int_equal(read_on(f, &batch), LOG_RECORDS); /* up to the partition that is new */
    assert_int_equal(batch.count, 1);
    expect_record(&batch.records[0], 0, 10, "a");
    assert_int_equal(read_on(f, &batch), LOG_RECORDS);
    assert_int_equal(batch.count, 4);
    expect_record(&batch.records[0], 1, 3, "b");
    expect_record(&batch.records[1], 0, 2, low);
    assert_false(batch.records[1].record.has_key);
    expect_record(&batch.records[2], 0, 11, "c");
    expect_record(&batch.records[3], 1, 900, "d");
}

static void a_commit_holds_and_what_follows_it_is_cut(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    struct log_mark mark;
    add(f, "one\ntwo\n");
    open_log(f);
    assert_int_equal(read_on(f, &batch), LOG_RECORDS);
    append(f, TOPIC_LEDGER, "L1");
    append(f, TOPIC_CALLS, "C1");
    expect_file(f, "ledger", ""); /* nobody sees it before the commit */
    commit(f, 8, &mark);
    assert_int_equal(mark.position, 8);
    assert_int_equal(mark.lines, 2);
    expect_file(f, "ledger", "L1\n");

    char path[160];
    snprintf(path, sizeof path, "%s/ledger.jsonl", f->out);
    FILE *file = fopen(path, "a");
    fputs("written by a commit that did not come to its end", file);
    fclose(file);
    add(f, "three\n");
    open_log(f);
    assert_int_equal(f->log->does->read(f->log, 9, 0, &batch), LOG_ASSIGNED);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.assigned[0].position, 8);
    assert_int_equal(batch.assigned[0].next_offset, 2);
    assert_int_equal(batch.assigned[0].entries, 3);
    assert_int_equal(batch.assigned[0].inputs, 4);
    assert_int_equal(batch.assigned[0].partition_count, 4);
    assert_int_equal(batch.assigned[0].fold_version, FOLD_VERSION);
    assert_int_equal(batch.assigned[0].chain[63], 'c');
    assert_true(f->log->does->begin(f->log, 0, &mark));
    assert_int_equal(f->log->does->read(f->log, 9, 0, &batch), LOG_RECORDS);
    expect_file(f, "ledger", "L1\n");
    assert_int_equal(batch.count, 1);
    expect_record(&batch.records[0], 0, 2, "three");
}

static void a_state_may_lag_but_not_lead(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    struct log_mark first, second, beyond;
    add(f, "one\ntwo\n");
    f->most = 1;
    open_log(f);
    assert_int_equal(read_on(f, &batch), LOG_RECORDS);
    expect_record(&batch.records[0], 0, 0, "one");
    commit(f, 4, &first);
    open_log(f);
    assert_int_equal(read_from(f, &first, &batch), LOG_RECORDS);
    expect_record(&batch.records[0], 0, 1, "two");
    commit(f, 8, &second);
    open_log(f);
    assert_int_equal(read_from(f, &first, &batch), LOG_RECORDS); /* two comes again */
    expect_record(&batch.records[0], 0, 1, "two");
    open_log(f);
    beyond = (struct log_mark){.position = 9, .lines = 3};
    assert_int_equal(f->log->does->read(f->log, 9, 0, &batch), LOG_ASSIGNED);
    assert_false(f->log->does->begin(f->log, 0, &beyond));
    assert_int_equal(f->log->error.code, EX_CONFIG);
    assert_non_null(strstr(f->log->error.message, "folded 9 bytes"));
    assert_non_null(strstr(f->log->error.message, "up to byte 8"));
}

static void a_state_without_a_commit_is_assigned(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    const uint32_t stored[] = {5};
    f->config.stored = stored;
    f->config.stored_count = 1;
    add(f, "one\n");
    open_log(f);
    assert_int_equal(f->log->does->read(f->log, 9, 0, &batch), LOG_ASSIGNED);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.assigned[0].partition, 5);
    assert_int_equal(batch.assigned[0].fold_version, 0);
}

/* A line beyond the buffer goes through a file; the ones around it do not notice. */
static void a_line_longer_than_memory_comes_whole(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    size_t len = LINE_IN_MEMORY_MAX + 12345;
    char *line = malloc(len);
    assert_non_null(line);
    for (size_t i = 0; i < len; i++)
        line[i] = (char)('a' + i % 23);
    add(f, "before\n");
    add_bytes(f, line, len);
    add(f, "\nafter\n");
    open_log(f);
    size_t count = 0;
    while (read_on(f, &batch) == LOG_RECORDS)
        for (size_t i = 0; i < batch.count; i++, count++) {
            struct text value = batch.records[i].record.value;
            assert_int_equal(batch.records[i].record.offset, count);
            assert_int_equal(value.len, count == 1 ? len : count == 0 ? 6 : 5);
            assert_memory_equal(value.at, count == 1 ? line : count == 0 ? "before" : "after", value.len);
        }
    assert_int_equal(count, 3);
    free(line);
}

static void lines_cross_the_reads(void **state)
{
    enum { LINES = 300000 };
    struct fixture *f = *state;
    struct log_batch batch;
    FILE *file = fopen(f->events, "w");
    for (int i = 0; i < LINES; i++)
        fprintf(file, "line %d %*s\n", i, i % 40, "");
    fclose(file);
    open_log(f);
    int count = 0;
    while (read_on(f, &batch) == LOG_RECORDS)
        for (size_t i = 0; i < batch.count; i++, count++) {
            char expected[96];
            snprintf(expected, sizeof expected, "line %d %*s", count, count % 40, "");
            expect_record(&batch.records[i], 0, count, expected);
        }
    assert_int_equal(count, LINES);
}

static void a_followed_file_is_idle_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct log_batch batch;
    f->config.follow = true;
    add(f, "one\ntw");
    open_log(f);
    assert_int_equal(read_on(f, &batch), LOG_RECORDS);
    assert_int_equal(batch.count, 1);
    assert_int_equal(read_on(f, &batch), LOG_IDLE);
    add(f, "o\n");
    assert_int_equal(read_on(f, &batch), LOG_RECORDS);
    expect_record(&batch.records[0], 0, 1, "two");
    assert_int_equal(read_on(f, &batch), LOG_IDLE);
}

static void an_input_that_cannot_be_read_says_so(void **state)
{
    struct fixture *f = *state;
    assert_null(log_file_open(&f->config, &f->error));
    assert_int_equal(f->error.code, EX_DATAERR);
    assert_non_null(strstr(f->error.message, f->events));
    f->config.events = f->dir;
    assert_null(log_file_open(&f->config, &f->error));
    assert_int_equal(f->error.code, EX_DATAERR);
    assert_non_null(strstr(f->error.message, "is a directory"));
}

static void files_that_are_not_ours_are_left_alone(void **state)
{
    struct fixture *f = *state;
    char path[160];
    add(f, "one\n");
    assert_int_equal(mkdir(f->out, 0777), 0);
    snprintf(path, sizeof path, "%s/ledger.jsonl", f->out);
    FILE *file = fopen(path, "w");
    fputs("somebody's\n", file);
    fclose(file);
    assert_null(log_file_open(&f->config, &f->error));
    assert_int_equal(f->error.code, EX_CONFIG);
    assert_non_null(strstr(f->error.message, path));
    expect_file(f, "ledger", "somebody's\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_become_records),
        TEST(blank_lines_count_and_torn_ones_do_not),
        TEST(offsets_only_grow),
        TEST(a_commit_holds_and_what_follows_it_is_cut),
        TEST(a_state_may_lag_but_not_lead),
        TEST(a_state_without_a_commit_is_assigned),
        TEST(a_line_longer_than_memory_comes_whole),
        TEST(lines_cross_the_reads),
        TEST(a_followed_file_is_idle_and_goes_on),
        TEST(an_input_that_cannot_be_read_says_so),
        TEST(files_that_are_not_ours_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
