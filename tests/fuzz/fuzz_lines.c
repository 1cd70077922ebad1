/* fuzz_lines.c - the embedded log on any bytes: an input is an events file.
 *
 * Every line that ends and is not blank must come out of processor/log_file.h
 * as one record, in order and with the right end: byte for byte as it stands
 * there with its line number for an offset, or as the record of the archive
 * form that jansson finds in it. The input's first byte says how many records a
 * read may give.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "events/encode.h"
#include "processor/log_file.h"

/* The file as this test sees it. */
struct walk {
    struct text rest;
    int64_t position, number; /* of the next line */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const struct walk *walk, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_lines: before byte %lld: %s\n", (long long)walk->position, what);
    abort();
}

static bool next_line(struct walk *walk, struct text *line)
{
    const char *newline = walk->rest.len > 0 ? memchr(walk->rest.at, '\n', walk->rest.len) : NULL;

    if (!newline)
        return false;
    *line = (struct text){walk->rest.at, (size_t)(newline - walk->rest.at)};
    walk->rest = (struct text){newline + 1, walk->rest.len - line->len - 1};
    walk->position += (int64_t)line->len + 1;
    walk->number++;
    return true;
}

static bool is_blank(struct text line)
{
    while (line.len > 0 && strchr(" \t\r", line.at[line.len - 1]) && line.at[line.len - 1] != '\0')
        line.len--;
    return line.len == 0;
}

static bool next_filled_line(struct walk *walk, struct text *line)
{
    while (next_line(walk, line))
        if (!is_blank(*line))
            return true;
    return false;
}

static bool same_member(const json_t *object, const char *name, struct text found)
{
    const json_t *member = json_object_get(object, name);

    return json_is_string(member) &&
           text_equal((struct text){json_string_value(member), json_string_length(member)}, found);
}

static void check_archived(const struct walk *walk, struct text line, const struct log_record *record)
{
    json_t *object = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    require(json_is_object(object) && !json_object_get(object, "specversion"), walk, "no archive form");
    require(json_integer_value(json_object_get(object, "partition")) == record->partition, walk, "its partition");
    require(json_integer_value(json_object_get(object, "offset")) == record->record.offset, walk, "its offset");
    require(json_object_get(object, "value_base64") || same_member(object, "value", record->record.value), walk,
            "its value");
    require(!text_present(record->record.key) || json_object_get(object, "key_base64") ||
                same_member(object, "key", record->record.key),
            walk, "its key");
    json_decref(object);
}

/* A record that was a bare line before it was archived. */
static bool is_marked_bare(struct text line, const struct log_record *record)
{
    json_t *object = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool marked = json_is_true(json_object_get(object, "bare")) && !text_equal(record->record.value, line);

    json_decref(object);
    return marked;
}

static void check_record(struct walk *walk, const struct log_record *record)
{
    struct text line;

    require(next_filled_line(walk, &line), walk, "a record where no line is");
    require(record->end == walk->position, walk, "a record that ends elsewhere");
    if (record->record.has_key || is_marked_bare(line, record)) {
        check_archived(walk, line, record);
        return;
    }
    require(text_equal(record->record.value, line), walk, "a bare record of other bytes");
    require(record->partition == 0 && record->record.offset == walk->number - 1, walk, "a bare record elsewhere");
    require(!record->record.has_timestamp, walk, "a bare record with a timestamp");
}

static void begin_partitions(struct log *log, const struct log_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (!log->does->begin(log, batch->assigned[i].partition, &(struct log_mark){0}))
            abort();
}

static void read_all(struct log *log, struct walk *walk, size_t most)
{
    struct log_batch batch;
    struct text line;
    enum log_answer answer;

    while ((answer = log->does->read(log, most, 0, &batch)) == LOG_ASSIGNED || answer == LOG_RECORDS) {
        if (answer == LOG_ASSIGNED)
            begin_partitions(log, &batch);
        for (size_t i = 0; answer == LOG_RECORDS && i < batch.count; i++)
            check_record(walk, &batch.records[i]);
    }
    require(answer == LOG_END, walk, log->error.message);
    require(!next_filled_line(walk, &line), walk, "a line that became no record");
}

/* A directory in memory for the log's own files; one for all inputs. */
static const char *scratch_directory(void)
{
    static char path[64];

    if (path[0])
        return path;
    snprintf(path, sizeof path, "%s/callfold-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(path))
        abort();
    return path;
}

static void remove_scratch(void)
{
    char command[96];

    snprintf(command, sizeof command, "rm -r %s", scratch_directory());
    if (system(command) != 0)
        perror(command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool prepared;
    char events[64];
    struct store_error error = {0};
    struct walk walk = {.rest = {(const char *)data, size}};
    int file = memfd_create("events", MFD_CLOEXEC);

    if (!prepared)
        atexit(remove_scratch);
    prepared = true;
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(events, sizeof events, "/proc/self/fd/%d", file);
    struct log *log = log_file_open(
        &(struct log_file_config){.events = events, .out = scratch_directory(), .state = scratch_directory()}, &error);
    require(log != NULL, &walk, error.message);
    read_all(log, &walk, size > 0 ? 1 + data[0] % 16 : 1);
    log->does->close(log);
    close(file);
    return 0;
}
