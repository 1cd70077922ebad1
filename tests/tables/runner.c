/* runner.c - runs table files against the fold and reports by case.
 *
 *     runner [-v] [-w DIR] TABLE...
 *
 * Each case is run four times. First as it stands, judged line by line and
 * audited. Then with the state stored, dropped and opened again after every
 * record; then with everything evicted after every record: both must give the
 * same bytes and the same digests. Last with every record sent twice: a second
 * copy may cause only what repeats by its nature, and the table must hold.
 *
 * -v prints each record's outputs; -w leaves the events and the outputs of the
 * first run in DIR/inputs.jsonl and DIR/outputs.jsonl, for schemas.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "events/decode.h"
#include "events/encode.h"
#include "tests/tables/audit.h"
#include "tests/tables/judge.h"
#include "tests/tables/memory.h"
#include "tests/tables/input.h"
#include "tests/tables/table.h"

#define CLOCK_STEP_MS      60000         /* the most the second clock takes in one step */
#define FIRST_TIMESTAMP_MS 1795420800000 /* of raw records before any event: 2026-11-23T08:00:00Z */

enum variant { AS_IT_STANDS, RESTARTED, EVICTED, TWICE, VARIANT_COUNT };
static const char *const variant_names[] = {"as it stands", "with a restart after every record",
                                            "with everything evicted after every record", "with every record twice"};

struct options {
    bool verbose;
    FILE *inputs, *outputs; /* NULL unless asked for */
};

struct run {
    const struct table_case *table;
    const struct options *options;
    enum variant variant;
    struct fold *fold;
    struct decoder *decoder;
    struct memory memory;
    struct audit *audit;
    json_t *labels;
    struct buffer bytes; /* all outputs, and the digest after each record */
    int64_t offset, timestamp_ms;
    size_t size; /* records stored at the last `size` */
    char place[1200];
};

/* ---- one record ---- */

static void write_record(FILE *file, struct text bytes)
{
    if (file) {
        fwrite(bytes.at, 1, bytes.len, file);
        fputc('\n', file);
    }
}

static json_t *encode_all(struct run *run, const struct output_list *list)
{
    json_t *outputs = json_array();
    for (size_t i = 0; i < list->count; i++) {
        size_t start = run->bytes.len;
        output_encode(&run->bytes, list, i);
        json_t *output = json_loadb(run->bytes.at + start, run->bytes.len - start, JSON_REJECT_DUPLICATES, NULL);
        if (run->variant == AS_IT_STANDS) {
            struct text text = {run->bytes.at + start, run->bytes.len - start};
            write_record(run->options->outputs, text);
            write_record(run->options->verbose ? stdout : NULL, text);
        }
        buffer_text(&run->bytes, "\n");
        json_array_append_new(outputs, output ? output : json_string("not JSON"));
    }
    return outputs;
}

static bool faulty(const struct run *run, const char *what)
{
    fprintf(stderr, "%s: %s\n", run->place, what);
    return false;
}

/* Stores what changed, compares a full scan's digest, and goes on from there. */
static bool store_and_forget(struct run *run)
{
    char digest[DIGEST_HEX];
    if (run->variant != RESTARTED && run->variant != EVICTED) {
        return true;
    }
    memory_checkpoint(&run->memory, run->fold);
    memory_digest(&run->memory, digest);
    if (memcmp(digest, run->memory.digest, DIGEST_HEX) != 0) {
        return faulty(run, "the stored records do not add up to the digest");
    }
    if (run->variant == EVICTED) {
        fold_evict(run->fold, 0);
        return true;
    }
    fold_free(run->fold);
    run->fold = memory_open(&run->memory, run->table->partition, run->table->partition_count);
    return run->fold || faulty(run, "the fold refuses its own stored records");
}

/* Folds one record; *outputs is a new array of what it caused. */
static bool fold_one(struct run *run, const struct fold_record *record, json_t **outputs)
{
    struct event event;
    struct decode_error error;
    struct output_list list;
    char digest[DIGEST_HEX];
    const char *broken;
    bool decoded = event_decode(run->decoder, record->value, &event, &error);
    int64_t time_ms = decoded ? event.time_ms : 0;
    write_record(decoded && run->variant == AS_IT_STANDS ? run->options->inputs : NULL, record->value);
    fold_step(run->fold, record, decoded ? &event : NULL, decoded ? NULL : &error, &list);
    *outputs = encode_all(run, &list);
    fold_digest(run->fold, digest);
    buffer_append(&run->bytes, digest, sizeof digest);
    buffer_text(&run->bytes, "\n");
    if (fold_is_broken(run->fold, &broken)) {
        return faulty(run, broken);
    }
    if (list.partition != run->table->partition || list.offset != record->offset) {
        return faulty(run, "partition or offset of the output list");
    }
    return audit_step(run->audit, record, decoded ? &time_ms : NULL, *outputs, digest, run->place) &&
           store_and_forget(run);
}

static int64_t duplicates(const struct run *run)
{
    struct fold_counts counts;
    fold_counts(run->fold, &counts);
    return counts.duplicates;
}

/* What a second copy may cause: what is answered without memory. */
static bool repeats(const char *type)
{
    static const char *const repeating[] = {"event.rejected", "sms.allowed", "sms.denied", "call.denied"};
    for (size_t i = 0; i < sizeof repeating / sizeof *repeating; i++) {
        if (strcmp(type, repeating[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A second copy of a record is counted as a duplicate and says nothing, unless
 * it is answered again; clock.advanced is neither, and raw bytes (no type) are
 * not asked. */
static bool send_copy(struct run *run, const char *type, struct fold_record *record)
{
    json_t *outputs = NULL, *output;
    int64_t before = duplicates(run);
    bool answered = !type || strcmp(type, "clock.advanced") == 0;
    size_t index;
    record->offset = run->offset++;
    bool good = fold_one(run, record, &outputs);
    json_array_foreach (outputs, index, output) {
        const char *said = json_string_value(json_object_get(output, "type")) + strlen(TYPE_PREFIX);
        answered = answered || repeats(said);
        if (good && !repeats(said) && strcmp(said, "state.attested") != 0) {
            fprintf(stderr, "%s: a second copy of the record caused %s\n", run->place, said);
            good = false;
        }
    }
    json_decref(outputs);
    return good && (answered || duplicates(run) == before + 1 ||
                    faulty(run, "a second copy of the record was not counted as a duplicate"));
}

/* Set-up lines are not judged, but they must take effect. */
static bool setup_is_good(const struct step *step, const json_t *outputs)
{
    const struct step nothing = {.file = step->file, .line = step->line};
    size_t index;
    json_t *output;
    json_array_foreach (outputs, index, output) {
        const char *type = json_string_value(json_object_get(output, "type"));
        if (!type || strcmp(type, TYPE_PREFIX "event.rejected") == 0) {
            return judge(&nothing, outputs, NULL);
        }
    }
    return true;
}

/* Sends one record of a step and judges its outputs where they are judged. */
static bool send(struct run *run, const struct step *step, const struct step *judged, struct text key,
                 struct text value)
{
    struct fold_record record = {
        .offset = run->offset++,
        .has_timestamp = !run->table->bare,
        .timestamp_ms = run->table->bare ? 0 : run->timestamp_ms,
        .has_key = !run->table->bare,
        .key = run->table->bare ? TEXT_NONE : key,
        .value = value,
    };
    json_t *outputs = NULL;
    int64_t before = duplicates(run);
    snprintf(run->place, sizeof run->place, "%s:%d", step->file, step->line);
    bool good = fold_one(run, &record, &outputs);
    if (good) {
        bool counted = run->variant == RESTARTED || duplicates(run) == before + (judged && judged->duplicate);
        good = (judged ? judge(judged, outputs, run->labels) : setup_is_good(step, outputs)) &&
               (counted ||
                faulty(run, judged && judged->duplicate ? "not counted as a duplicate" : "counted as a duplicate"));
    }
    json_decref(outputs);
    return good && (run->variant != TWICE || send_copy(run, step->type, &record));
}

/* ---- one step ---- */

static bool send_event(struct run *run, const struct step *step)
{
    char *value = input_value(step, run->labels);
    bool good = value != NULL;
    run->timestamp_ms = input_timestamp(step);
    for (int64_t i = 1; good && i <= step->repeat; i++) {
        const struct step quiet = {.file = step->file, .line = step->line, .duplicate = step->duplicate};
        const struct step *judged = i < step->repeat ? &quiet : step;
        good = send(run, step, step->checked ? judged : NULL, input_key(step), text_of(value));
    }
    free(value);
    return good;
}

/* clock.advanced each minute, so that the second clock takes every step whole;
 * what it brings about may come with the last one only. */
static bool send_clock(struct run *run, const struct step *step)
{
    bool good = true;
    while (good && run->timestamp_ms < step->time_ms) {
        struct step tick = *step;
        tick.type = "clock.advanced";
        tick.time_ms = run->timestamp_ms + CLOCK_STEP_MS;
        if (tick.time_ms < step->time_ms) {
            tick.expected_count = 0;
        } else {
            tick.time_ms = step->time_ms;
        }
        good = send_event(run, &tick);
    }
    return good;
}

static bool send_step(struct run *run, const struct step *step)
{
    switch (step->kind) {
    case STEP_EVENT: return send_event(run, step);
    case STEP_UNTIL: return send_clock(run, step);
    case STEP_RAW: return send(run, step, step->checked ? step : NULL, TEXT_NONE, step->raw);
    case STEP_SIZE: run->size = run->memory.count; return true;
    case STEP_SIZE_AGAIN:
        return run->memory.count == run->size || faulty(run, "the state has not gone back to its size");
    }
    return false;
}

/* ---- one case ---- */

/* Runs one variant; its outputs and digests are appended to *bytes. */
static bool run_variant(const struct table_case *table, const struct options *options, enum variant variant,
                        struct buffer *bytes)
{
    struct run run = {
        .table = table,
        .options = options,
        .variant = variant,
        .decoder = decoder_new(),
        .audit = audit_new(table->partition),
        .labels = json_object(),
        .timestamp_ms = FIRST_TIMESTAMP_MS,
    };
    run.fold = memory_open(&run.memory, table->partition, table->partition_count);
    bool good = true;
    for (size_t i = 0; good && i < table->step_count; i++) {
        good = send_step(&run, &table->steps[i]);
    }
    good = good && audit_end(run.audit, run.place);
    *bytes = run.bytes;
    if (run.fold) {
        fold_free(run.fold);
    }
    decoder_free(run.decoder);
    audit_free(run.audit);
    memory_clear(&run.memory);
    json_decref(run.labels);
    return good;
}

/* The first line in which two runs differ. */
static void print_difference(const struct buffer *a, const struct buffer *b)
{
    size_t line = 0, at = 0;
    for (; at < a->len && at < b->len && a->at[at] == b->at[at]; at++) {
        line = a->at[at] == '\n' ? at + 1 : line;
    }
    const struct buffer *const both[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        size_t len = line < both[i]->len ? both[i]->len - line : 0;
        const char *end = len ? memchr(both[i]->at + line, '\n', len) : NULL;
        fprintf(stderr, "  %s  %.*s\n", i == 0 ? "expected" : "got     ",
                end ? (int)(end - both[i]->at - (ptrdiff_t)line) : (int)len, len ? both[i]->at + line : "");
    }
}

static bool run_case(const struct table_case *table, const struct options *options)
{
    struct buffer bytes[VARIANT_COUNT] = {0};
    bool good = true;
    for (enum variant variant = AS_IT_STANDS; good && variant < VARIANT_COUNT; variant++) {
        struct buffer *first = &bytes[AS_IT_STANDS], *these = &bytes[variant];
        if (variant == TWICE && table->once) {
            continue;
        }
        good = run_variant(table, options, variant, these);
        if (good && variant != TWICE && (these->len != first->len || memcmp(these->at, first->at, first->len) != 0)) {
            print_difference(first, these);
            good = false;
        }
        if (!good) {
            fprintf(stderr, "%s:%d: case failed %s: %s\n\n", table->file, table->line, variant_names[variant],
                    table->name);
        }
    }
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        buffer_free(&bytes[i]);
    }
    return good;
}

static FILE *open_in(const char *dir, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void read_options(struct options *options, int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "vw:")) != -1;) {
        if (option == 'v') {
            options->verbose = true;
        } else if (option == 'w') {
            options->inputs = open_in(optarg, "inputs.jsonl");
            options->outputs = open_in(optarg, "outputs.jsonl");
        } else {
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct tables tables = {0};
    size_t failed = 0;
    read_options(&options, argc, argv);
    for (int i = optind; i < argc; i++) {
        if (!tables_read(&tables, argv[i])) {
            tables_free(&tables);
            return 1;
        }
    }
    for (size_t i = 0; i < tables.case_count; i++) {
        failed += !run_case(&tables.cases[i], &options);
    }
    printf("%zu passed, %zu failed\n", tables.case_count - failed, failed);
    if (options.inputs) {
        fclose(options.inputs);
        fclose(options.outputs);
    }
    tables_free(&tables);
    return failed > 0 || tables.case_count == 0;
}
