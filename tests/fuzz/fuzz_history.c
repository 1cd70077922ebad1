/* fuzz_history.c - any history, folded in one go and folded with interruptions.
 *
 * An input is an events file, lines bare or in archive form. Two folds take it
 * side by side: one is left alone; the other is stored after some records (the
 * lines' own bytes say where) and then goes on, with everything evicted, or
 * opened again from what was stored. After every record both must have said the
 * same bytes and have the same digest, neither may have broken an invariant,
 * what is stored must add up to the digest, and the audit of the tables must
 * find nothing. Of an archive line partition and offset do not count: a history
 * has one partition, and a line's offset is its number.
 *
 * What is wrong is printed with its line, and the process aborts.
 */
#include <stdlib.h>

#include "events/encode.h"
#include "tests/tables/audit.h"
#include "tests/tables/memory.h"

struct history {
    struct decoder *decoder;
    struct fold *calm, *disturbed;
    struct memory memory; /* what the disturbed one stored */
    struct audit *audit;
    struct buffer calm_bytes, disturbed_bytes; /* of the last record: a JSON array of its outputs */
    char place[32];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(const struct history *history, bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_history: %s: %s\n  calm      %.*s\n  disturbed %.*s\n", history->place, what,
            (int)history->calm_bytes.len, history->calm_bytes.at, (int)history->disturbed_bytes.len,
            history->disturbed_bytes.at);
    abort();
}

/* ---- a line as a record ---- */

static struct text text_member(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);

    return json_is_string(member) ? (struct text){json_string_value(member), json_string_length(member)} : TEXT_NONE;
}

/* *archived owns what the record borrows, or is NULL for a bare line. */
static void read_record(struct text line, int64_t offset, struct fold_record *record, json_t **archived)
{
    *archived = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    *record = (struct fold_record){.offset = offset, .value = text_member(*archived, "value")};
    if (!text_present(record->value)) {
        record->value = line;
        return;
    }
    const json_t *timestamp = json_object_get(*archived, "timestamp");
    record->has_timestamp = json_integer_value(timestamp) > 0;
    record->timestamp_ms = record->has_timestamp ? json_integer_value(timestamp) : 0;
    record->has_key = true;
    record->key = text_member(*archived, "key");
}

/* ---- one record ---- */

static void step(struct fold *fold, const struct fold_record *record, const struct event *event,
                 const struct decode_error *error, struct buffer *bytes)
{
    struct output_list outputs;

    fold_step(fold, record, event, error, &outputs);
    bytes->len = 0;
    buffer_text(bytes, "[");
    for (size_t i = 0; i < outputs.count; i++) {
        buffer_text(bytes, i > 0 ? "," : "");
        output_encode(bytes, &outputs, i);
    }
    buffer_text(bytes, "]");
}

static void check_outputs(struct history *history, const struct fold_record *record, const struct event *event,
                          const char digest[DIGEST_HEX])
{
    json_t *outputs = json_loadb(history->calm_bytes.at, history->calm_bytes.len, JSON_REJECT_DUPLICATES, NULL);

    require(history, outputs != NULL, "the outputs are not JSON");
    require(history,
            audit_step(history->audit, record, event ? &event->time_ms : NULL, outputs, digest, history->place),
            "the audit");
    json_decref(outputs);
}

static void fold_both(struct history *history, const struct fold_record *record)
{
    struct event event;
    struct decode_error error;
    char digest[DIGEST_HEX], disturbed_digest[DIGEST_HEX];
    const char *broken;
    bool decoded = event_decode(history->decoder, record->value, &event, &error);
    const struct event *given = decoded ? &event : NULL;

    step(history->calm, record, given, &error, &history->calm_bytes);
    step(history->disturbed, record, given, &error, &history->disturbed_bytes);
    require(history, !fold_is_broken(history->calm, &broken), "a broken invariant");
    require(history, !fold_is_broken(history->disturbed, &broken), "a broken invariant, disturbed");
    require(history,
            text_equal((struct text){history->calm_bytes.at, history->calm_bytes.len},
                       (struct text){history->disturbed_bytes.at, history->disturbed_bytes.len}),
            "other outputs when disturbed");
    fold_digest(history->calm, digest);
    fold_digest(history->disturbed, disturbed_digest);
    require(history, memcmp(digest, disturbed_digest, DIGEST_HEX) == 0, "another digest when disturbed");
    check_outputs(history, record, given, digest);
}

/* ---- what disturbs ---- */

static void store(struct history *history)
{
    char digest[DIGEST_HEX];

    memory_checkpoint_end(&history->memory, history->disturbed);
    memory_digest(&history->memory, digest);
    require(history, memcmp(digest, history->memory.digest, DIGEST_HEX) == 0,
            "the stored records do not add up to the digest");
}

static void open_again(struct history *history)
{
    fold_free(history->disturbed);
    history->disturbed = memory_open(&history->memory, 0, 0);
    require(history, history->disturbed != NULL, "the fold refuses its own stored records");
}

static void disturb(struct history *history, const struct fold_record *record)
{
    uint64_t hash[2];

    fold_record_hash(TEXT_LIT("?"), record->value, hash); /* dice that each history throws for itself */
    unsigned choice = (unsigned)(hash[0] + (uint64_t)record->offset) % 16;
    if (choice < 8 && history->memory.taken) /* the fold has gone on since */
        store(history);
    if (choice < 12 && !history->memory.taken)
        memory_checkpoint_take(&history->memory, history->disturbed);
    if (choice < 8)
        store(history);
    if (choice == 0)
        open_again(history);
    if (choice == 1 || choice == 2)
        fold_evict(history->disturbed, choice == 1 ? 0 : 5);
}

/* ---- a history ---- */

static void fold_line(struct history *history, struct text line, int64_t number)
{
    struct fold_record record;
    json_t *archived;

    snprintf(history->place, sizeof(history->place), "line %lld", (long long)number + 1);
    read_record(line, number, &record, &archived);
    fold_both(history, &record);
    disturb(history, &record);
    json_decref(archived);
}

static void fold_lines(struct history *history, struct text lines)
{
    int64_t number = 0;

    while (lines.len > 0) {
        const char *newline = memchr(lines.at, '\n', lines.len);
        size_t len = newline ? (size_t)(newline - lines.at) : lines.len;
        if (len > 0)
            fold_line(history, (struct text){lines.at, len}, number);
        lines.at += newline ? len + 1 : len;
        lines.len -= newline ? len + 1 : len;
        number++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history history = {.decoder = decoder_new(), .audit = audit_new(0), .calm = fold_new(0, 0, NULL)};

    history.disturbed = memory_open(&history.memory, 0, 0);
    fold_lines(&history, (struct text){(const char *)data, size});
    require(&history, audit_end(history.audit, history.place), "the audit of calls");
    fold_free(history.calm);
    fold_free(history.disturbed);
    memory_clear(&history.memory);
    audit_free(history.audit);
    decoder_free(history.decoder);
    buffer_free(&history.calm_bytes);
    buffer_free(&history.disturbed_bytes);
    return 0;
}
