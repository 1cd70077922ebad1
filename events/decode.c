#include "events/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "events/decode_internal.h"
#include "events/json_fault.h"
#include "events/phone.h"
#include "events/scan.h"

#define ARRAY_KEPT_MAX 1048576 /* bytes that an array keeps from one event to the next */
#define TYPE_SHOWN_MAX 100     /* bytes of an unknown type that the error repeats */

struct decoder {
    json_t *root; /* of the last record: owns its strings */
    struct {
        void *at;
        size_t capacity;
    } arrays[DECODER_ARRAYS];
    struct scanner scanner;
};

static void *must_have(void *memory)
{
    if (!memory) {
        fputs("callfold: out of memory while decoding an event\n", stderr);
        abort();
    }
    return memory;
}

/* jansson reports a failed allocation like a fault of its input; a record must
 * never be rejected for the state of the machine. */
static void *allocate(size_t size)
{
    return must_have(malloc(size));
}

struct decoder *decoder_new(void)
{
    json_set_alloc_funcs(allocate, free);
    return calloc(1, sizeof(struct decoder));
}

/* Lets go of the last record, and of more memory than a usual one needs. */
static void decoder_reset(struct decoder *decoder)
{
    json_decref(decoder->root);
    decoder->root = NULL;
    for (size_t i = 0; i < DECODER_ARRAYS; i++)
        if (decoder->arrays[i].capacity > ARRAY_KEPT_MAX) {
            free(decoder->arrays[i].at);
            decoder->arrays[i].at = NULL;
            decoder->arrays[i].capacity = 0;
        }
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    decoder_reset(decoder);
    for (size_t i = 0; i < DECODER_ARRAYS; i++)
        free(decoder->arrays[i].at);
    free(decoder);
}

void *decoder_array(struct decoder *decoder, size_t which, size_t count, size_t size)
{
    size_t bytes = (count ? count : 1) * size; /* count is below RECORD_MAX: no overflow */

    if (decoder->arrays[which].capacity < bytes) {
        free(decoder->arrays[which].at);
        decoder->arrays[which].at = must_have(malloc(bytes));
        decoder->arrays[which].capacity = bytes;
    }
    return decoder->arrays[which].at;
}

/* The first byte that opens a container too deep; -1 when there is none.
 * Meant for valid JSON: of anything else jansson has the last word. */
static ptrdiff_t too_deep_at(struct text value)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_LEVELS)
                return (ptrdiff_t)i;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return -1;
}

static bool malformed(struct decode_error *error, const char *what, ptrdiff_t at)
{
    error->reason = REJECT_MALFORMED;
    snprintf(error->detail, DETAIL_MAX, "%s at byte %td", what, at + 1);
    return false;
}

/* What jansson would take, take for something else, or not say as plainly. */
static bool check_bytes(struct text value, struct decode_error *error)
{
    const char *nul = value.len ? memchr(value.at, '\0', value.len) : NULL;
    ptrdiff_t deep;

    if (value.len > RECORD_MAX) {
        error->reason = REJECT_MALFORMED;
        snprintf(error->detail, DETAIL_MAX, "%zu bytes, expected at most %d", value.len, RECORD_MAX);
        return false;
    }
    if (value.len == 0)
        return malformed(error, "nothing where a JSON object was expected", 0);
    if (nul)
        return malformed(error, "NUL", nul - value.at);
    if (value.len >= 3 && memcmp(value.at, "\xef\xbb\xbf", 3) == 0)
        return malformed(error, "byte order mark, expected a JSON object", 0);
    if ((deep = too_deep_at(value)) >= 0)
        return malformed(error, "more than 32 levels of JSON", deep);
    return true;
}

/* What json_fault leaves to jansson; "invalid JSON" is for the case, unknown so
 * far, that the two disagree on the grammar. */
static const char *refusal_text(const json_error_t *refusal)
{
    switch (json_error_code(refusal)) {
    case json_error_duplicate_key: return "duplicate key";
    case json_error_numeric_overflow: return "number too large";
    default: return "invalid JSON";
    }
}

/* The record's JSON object, owned by the decoder; NULL with the error filled. */
static json_t *parse(struct decoder *decoder, struct text value, struct decode_error *error)
{
    json_error_t refusal;
    const char *what;
    size_t at;

    if (!check_bytes(value, error))
        return NULL;
    decoder->root = json_loadb(value.at, value.len, JSON_REJECT_DUPLICATES, &refusal);
    if (!decoder->root) {
        error->reason = REJECT_MALFORMED;
        if (json_fault(value, &what, &at))
            malformed(error, what, (ptrdiff_t)at);
        else
            snprintf(error->detail, DETAIL_MAX, "%s", refusal_text(&refusal));
        return NULL;
    }
    if (!json_is_object(decoder->root)) {
        malformed(error, "a JSON array, expected an object", 0);
        return NULL;
    }
    return decoder->root;
}

/* CloudEvents: an attribute that is null is an attribute left out. */
static void drop_null_attributes(json_t *root)
{
    static const char *const names[] = {"specversion", "id", "source", "type", "time", "subject", "data"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_is_null(json_object_get(root, names[i])))
            json_object_del(root, names[i]);
}

static bool attribute_not_empty(const struct fields *envelope, const char *name)
{
    const json_t *value = json_object_get(envelope->object, name);

    return json_string_length(value) > 0 || field_wrong(envelope, name, value, "a string that is not empty");
}

static bool check_specversion(const struct fields *envelope)
{
    const json_t *value = json_object_get(envelope->object, "specversion");

    return (json_is_string(value) && text_equal(json_text(value), TEXT_LIT("1.0"))) ||
           field_wrong(envelope, "specversion", value, "\"1.0\"");
}

static bool read_subject(const struct fields *envelope, struct event *event)
{
    if (!event_is_broadcast(event->type) && event->type != EVENT_CLOCK_ADVANCED)
        return field_id(envelope, "subject", &event->subject);
    return !field_given(envelope, "subject") ||
           field_wrong(envelope, "subject", json_object_get(envelope->object, "subject"),
                       "none: events of this type belong to no account");
}

/* All but `data`. */
static bool read_envelope(const struct fields *envelope, struct event *event)
{
    const json_t *type = json_object_get(envelope->object, "type");

    if (json_is_string(type) && !event_type_of(json_text(type), &event->type)) {
        envelope->error->reason = REJECT_UNKNOWN_TYPE;
        detail_text(envelope->error->detail, json_string_length(type) ? json_text(type) : TEXT_LIT("\"\""),
                    TYPE_SHOWN_MAX);
        return false;
    }
    return check_specversion(envelope) && attribute_not_empty(envelope, "id") &&
           attribute_not_empty(envelope, "source") && attribute_not_empty(envelope, "type") &&
           field_instant(envelope, "time", &event->time_ms) && read_subject(envelope, event);
}

/* NULL: nothing in the data of that type is looked at. */
static decode_data *const data_decoders[EVENT_TYPE_COUNT] = {
    [EVENT_ACCOUNT_OPENED] = decode_account_opened,
    [EVENT_MEMBER_SET] = decode_member_set,
    [EVENT_MEMBER_REMOVED] = decode_member_removed,
    [EVENT_NUMBER_ADDED] = decode_number_added,
    [EVENT_NUMBER_REMOVED] = decode_number_removed,
    [EVENT_MEMBER_ASSIGNED] = decode_assignment,
    [EVENT_MEMBER_UNASSIGNED] = decode_assignment,
    [EVENT_INTERNATIONAL_ENABLED] = decode_toggle,
    [EVENT_INTERNATIONAL_DISABLED] = decode_toggle,
    [EVENT_DESTINATION_BLOCKED] = decode_block,
    [EVENT_DESTINATION_UNBLOCKED] = decode_block,
    [EVENT_AUTO_RECHARGE_CONFIGURED] = decode_auto_recharge,
    [EVENT_CREDIT_TOPPED_UP] = decode_topped_up,
    [EVENT_TOPUP_REVERSED] = decode_topup_reversed,
    [EVENT_RECHARGE_FAILED] = decode_recharge_failed,
    [EVENT_CALL_STARTED] = decode_call_started,
    [EVENT_CALL_TICKED] = decode_call_ticked,
    [EVENT_CALL_ENDED] = decode_call_ended,
    [EVENT_SMS_REQUESTED] = decode_sms,
    [EVENT_RATEDECK_OPENED] = decode_deck_opened,
    [EVENT_RATEDECK_RATES] = decode_deck_rates,
    [EVENT_RATEDECK_PUBLISHED] = decode_deck_published,
    [EVENT_FX_PUBLISHED] = decode_fx,
    [EVENT_POLICY_CONFIGURED] = decode_policy,
};

/* The subject for whoever reports the error. */
static struct text readable_subject(const json_t *root)
{
    const json_t *subject = json_object_get(root, "subject");

    return json_is_string(subject) && id_is_valid(json_text(subject)) ? json_text(subject) : TEXT_NONE;
}

bool event_decode_reference(struct decoder *decoder, struct text value, struct event *event, struct decode_error *error)
{
    struct fields data;

    decoder_reset(decoder);
    error->subject = TEXT_NONE;
    json_t *root = parse(decoder, value, error);
    if (!root)
        return false;

    error->subject = readable_subject(root);
    *event = (struct event){0};
    drop_null_attributes(root);
    struct fields envelope = {root, "", NO_INDEX, decoder, error};
    if (!read_envelope(&envelope, event))
        return false;
    decode_data *decode = data_decoders[event->type];
    return !decode || (field_object(&envelope, "data", "data", &data) && decode(&data, event));
}

bool event_scan(struct decoder *decoder, struct text value, struct event *event)
{
    return scan_event(&decoder->scanner, value, event);
}

bool event_decode(struct decoder *decoder, struct text value, struct event *event, struct decode_error *error)
{
    return event_scan(decoder, value, event) || event_decode_reference(decoder, value, event, error);
}
