/* record_fields.c - see record_fields.h. */
#include "replay-tool/record_fields.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "events/currency.h"
#include "events/hex.h"
#include "processor/fold/records.h"
#include "snapshots/stock.h"

#define ELEMENT_MAX 512 /* bytes shown of an element of any size */

enum field_type {
    FIELD_SIGNED,
    FIELD_UNSIGNED,
    FIELD_BYTES, /* shown as hex, as a whole */
    FIELD_TEXT,  /* shown as it is, as a whole */
    FIELD_CURRENCY,
    FIELD_STRUCT, /* of a layout */
};

struct layout;
struct field {
    const char *name;
    size_t at, size; /* bytes of an element, or of the whole that is shown */
    size_t count;    /* elements; 0: as many as the body has room for */
    enum field_type type;
    const struct layout *layout;
};
struct layout {
    const struct field *fields;
    size_t count;
    size_t size;
};

#define MEMBER(record, member) (((struct record *)0)->member)
#define TYPE(record, member) \
    _Generic(MEMBER(record, member), int64_t: FIELD_SIGNED, int32_t: FIELD_SIGNED, int64_t *: FIELD_SIGNED,   \
             uint8_t *: FIELD_BYTES, char *: FIELD_TEXT, default: FIELD_UNSIGNED)
#define ONE(record, member)                                                                                    \
    {                                                                                                          \
#member, offsetof(struct record, member), sizeof MEMBER(record, member), 1, TYPE(record, member), NULL \
    }
#define CURRENCY(record, member)                                                                         \
    {                                                                                                    \
#member, offsetof(struct record, member), sizeof MEMBER(record, member), 1, FIELD_CURRENCY, NULL \
    }
/* An array of numbers, each a field of its own. */
#define EACH(record, member)                                                                                   \
    {                                                                                                          \
#member, offsetof(struct record, member),                                                              \
            sizeof MEMBER(record, member)[0], sizeof MEMBER(record, member) /                                  \
                                                  sizeof MEMBER(record, member)[0], TYPE(record, member), NULL \
    }
#define INSIDE(record, member, inner)                                                              \
    {                                                                                              \
#member, offsetof(struct record, member), sizeof(struct inner),                            \
            sizeof MEMBER(record, member) / sizeof(struct inner), FIELD_STRUCT, &layout_of_##inner \
    }
/* What follows the fixed part. */
#define REST_TEXT(record, member)                                        \
    {                                                                    \
#member, offsetof(struct record, member), 0, 0, FIELD_TEXT, NULL \
    }
#define REST_BYTES(record, member)                                        \
    {                                                                     \
#member, offsetof(struct record, member), 0, 0, FIELD_BYTES, NULL \
    }
#define REST_STRUCTS(record, member, inner)                                                                 \
    {                                                                                                       \
#member, offsetof(struct record, member), sizeof(struct inner), 0, FIELD_STRUCT, &layout_of_##inner \
    }
#define LAYOUT(record, ...)                                                                            \
    static const struct field fields_of_##record[] = {__VA_ARGS__};                                    \
    static const struct layout layout_of_##record = {fields_of_##record,                               \
                                                     sizeof fields_of_##record / sizeof(struct field), \
                                                     sizeof(struct record)}

/* clang-format off */
LAYOUT(contents, EACH(contents, half));
LAYOUT(expiry_queue, ONE(expiry_queue, head), ONE(expiry_queue, tail), ONE(expiry_queue, head_time_ms),
       ONE(expiry_queue, forgotten_ms));
LAYOUT(amount_record, ONE(amount_record, micros), CURRENCY(amount_record, currency), ONE(amount_record, zero));
LAYOUT(origin_record, ONE(origin_record, name), ONE(origin_record, country), ONE(origin_record, name_len),
       ONE(origin_record, zero), CURRENCY(origin_record, currency));
LAYOUT(partition_record, ONE(partition_record, next_offset), ONE(partition_record, inputs),
       ONE(partition_record, entries), ONE(partition_record, duplicates), ONE(partition_record, time_ms),
       ONE(partition_record, clock_ms), ONE(partition_record, timestamp_ms), ONE(partition_record, minute),
       ONE(partition_record, live_calls), INSIDE(partition_record, expiry, expiry_queue),
       ONE(partition_record, next_deck_no), ONE(partition_record, next_fx_seq),
       ONE(partition_record, next_publication), ONE(partition_record, final_day), ONE(partition_record, chain),
       ONE(partition_record, attested_input), ONE(partition_record, input_state), EACH(partition_record, events),
       EACH(partition_record, rejects));
LAYOUT(policy_record, EACH(policy_record, number), EACH(policy_record, number_time_ms),
       EACH(policy_record, map_time_ms), EACH(policy_record, map_count), ONE(policy_record, version),
       ONE(policy_record, zero), REST_STRUCTS(policy_record, maps, amount_record));
LAYOUT(fx_record, ONE(fx_record, effective_at_ms), ONE(fx_record, seq), CURRENCY(fx_record, base),
       ONE(fx_record, count), ONE(fx_record, zero), REST_STRUCTS(fx_record, rates, amount_record));
LAYOUT(deck_record, ONE(deck_record, effective_at_ms), ONE(deck_record, rate_count), ONE(deck_record, deck_no),
       CURRENCY(deck_record, currency), ONE(deck_record, publication), ONE(deck_record, origin_count),
       ONE(deck_record, id), ONE(deck_record, id_len), ONE(deck_record, spoilt), ONE(deck_record, zero),
       REST_STRUCTS(deck_record, origins, origin_record));
LAYOUT(rate_record, ONE(rate_record, price_micros), ONE(rate_record, connect_micros), ONE(rate_record, first_s),
       ONE(rate_record, step_s), ONE(rate_record, status), ONE(rate_record, domestic),
       ONE(rate_record, destination_len), ONE(rate_record, kind_len), ONE(rate_record, zero),
       REST_TEXT(rate_record, strings));
LAYOUT(recharge_record, ONE(recharge_record, clock_ms), ONE(recharge_record, timeout_ms),
       ONE(recharge_record, offset), ONE(recharge_record, n), ONE(recharge_record, zero));
LAYOUT(call_record, ONE(call_record, last_time_ms), ONE(call_record, last_clock_ms), ONE(call_record, duration_ms),
       ONE(call_record, limit_ms), ONE(call_record, charged_micros), ONE(call_record, posted_micros),
       ONE(call_record, committed_micros), ONE(call_record, revision), ONE(call_record, limit_reason),
       ONE(call_record, zero), ONE(call_record, price_micros), ONE(call_record, connect_micros),
       ONE(call_record, first_s), ONE(call_record, step_s), ONE(call_record, charging), ONE(call_record, direction),
       ONE(call_record, from_len), ONE(call_record, to_len), ONE(call_record, member_len),
       ONE(call_record, destination_len), ONE(call_record, prefix_len), ONE(call_record, deck_len),
       ONE(call_record, start_offset), ONE(call_record, started_at_ms), ONE(call_record, fx_nanos),
       CURRENCY(call_record, fx_from), ONE(call_record, none), INSIDE(call_record, contents, contents),
       REST_TEXT(call_record, strings));
LAYOUT(account_record, ONE(account_record, posted_micros), ONE(account_record, accrued_micros),
       ONE(account_record, held_micros), ONE(account_record, committed_micros), EACH(account_record, spent_micros),
       ONE(account_record, horizon_ms), ONE(account_record, max_call_ms), ONE(account_record, policy_version),
       CURRENCY(account_record, currency), ONE(account_record, unfrozen_calls), ONE(account_record, limited_calls),
       ONE(account_record, spent_day), ONE(account_record, flags), ONE(account_record, recharge_failures),
       ONE(account_record, block_lengths), ONE(account_record, live_calls), ONE(account_record, charged_calls),
       ONE(account_record, stale_after_ms), ONE(account_record, recharge_micros),
       ONE(account_record, threshold_micros), ONE(account_record, recharge_time_ms),
       CURRENCY(account_record, recharge_currency), ONE(account_record, recharge_daily_limit),
       ONE(account_record, recharge_commands), ONE(account_record, recharge_day),
       ONE(account_record, recharge_limit_day), ONE(account_record, zero), INSIDE(account_record, contents, contents),
       INSIDE(account_record, recharge_contents, contents));
LAYOUT(member_record, ONE(member_record, time_ms), ONE(member_record, removed_at_ms), ONE(member_record, generation),
       ONE(member_record, role), ONE(member_record, present), ONE(member_record, zero));
LAYOUT(number_record, ONE(number_record, time_ms), ONE(number_record, removed_at_ms),
       ONE(number_record, toggle_time_ms), ONE(number_record, generation), ONE(number_record, block_lengths),
       ONE(number_record, present), ONE(number_record, international), ONE(number_record, origin_len),
       ONE(number_record, zero), ONE(number_record, origin));
LAYOUT(assignment_record, ONE(assignment_record, time_ms), ONE(assignment_record, number_generation),
       ONE(assignment_record, member_generation), ONE(assignment_record, assigned), ONE(assignment_record, zero));
LAYOUT(block_record, ONE(block_record, time_ms), ONE(block_record, number_generation), ONE(block_record, blocked),
       ONE(block_record, zero));
LAYOUT(topup_record, INSIDE(topup_record, contents, contents), INSIDE(topup_record, reversal, contents),
       ONE(topup_record, granted_micros), ONE(topup_record, paid_micros), CURRENCY(topup_record, paid_currency),
       ONE(topup_record, flags));
LAYOUT(closed_call_record, INSIDE(closed_call_record, contents, contents), ONE(closed_call_record, closed_at_ms),
       ONE(closed_call_record, duration_ms), ONE(closed_call_record, closing), ONE(closed_call_record, zero),
       REST_BYTES(closed_call_record, call));
LAYOUT(expiry_record, ONE(expiry_record, time_ms), REST_TEXT(expiry_record, key));
/* clang-format on */

/* Layouts and parts of keys by kind: 't' a text, '4' '2' '8' a number of so many bytes. */
static const struct {
    enum record_kind kind;
    const struct layout *layout;
    const char *parts;
} kinds[] = {
    {RECORD_PARTITION, &layout_of_partition_record, ""},
    {RECORD_POLICY, &layout_of_policy_record, ""},
    {RECORD_FX, &layout_of_fx_record, "4"},
    {RECORD_DECK, &layout_of_deck_record, "4"},
    {RECORD_RATE, &layout_of_rate_record, "42t"},
    {RECORD_RECHARGE, &layout_of_recharge_record, "t"},
    {RECORD_LIVE_CALL, &layout_of_call_record, "tt"},
    {RECORD_ACCOUNT, &layout_of_account_record, "t"},
    {RECORD_MEMBER, &layout_of_member_record, "tt"},
    {RECORD_NUMBER, &layout_of_number_record, "tt"},
    {RECORD_ASSIGNMENT, &layout_of_assignment_record, "ttt"},
    {RECORD_BLOCK, &layout_of_block_record, "ttt"},
    {RECORD_TOPUP, &layout_of_topup_record, "tt"},
    {RECORD_CLOSED_CALL, &layout_of_closed_call_record, "tt"},
    {RECORD_EXPIRY, &layout_of_expiry_record, "18"},
};

static size_t kind_index(char kind)
{
    size_t i = 0;
    while (i < sizeof kinds / sizeof kinds[0] && (char)kinds[i].kind != kind)
        i++;
    return i;
}

const char *record_kind_name(char kind)
{
    for (size_t i = 0; i < STOCK_KINDS; i++)
        if ((char)stock_kinds[i].kind == kind)
            return stock_kinds[i].name;
    return NULL;
}

/* Keys. */

static void show_number(struct buffer *buffer, const char *format, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, format, number);
    buffer_text(buffer, text);
}

static uint64_t big_endian(const char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

/* Printable or not: a state may be damaged. */
static void show_text(struct buffer *buffer, struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        char escaped[5];
        unsigned char byte = (unsigned char)text.at[i];
        snprintf(escaped, sizeof escaped, byte < 0x20 || byte >= 0x7f ? "\\x%02x" : "%c", byte);
        buffer_text(buffer, escaped);
    }
}

void record_key_show(struct buffer *buffer, struct text key)
{
    size_t kind = key.len > 0 ? kind_index(key.at[0]) : sizeof kinds / sizeof kinds[0], at = 1;
    const char *parts = kind < sizeof kinds / sizeof kinds[0] ? kinds[kind].parts : "t";
    for (const char *part = parts; *part != '\0' && at <= key.len; part++) {
        struct text rest = {key.at + at, key.len - at};
        if (part != parts)
            buffer_text(buffer, "/");
        if (*part == 't') {
            const char *nul = memchr(rest.at, '\0', rest.len);
            rest.len = nul != NULL ? (size_t)(nul - rest.at) : rest.len;
            show_text(buffer, rest);
            at += rest.len + 1;
        } else if (*part == '1') { /* the letter of a queue */
            show_text(buffer, (struct text){rest.at, rest.len > 0 ? 1 : 0});
            at++;
        } else {
            size_t bytes = (size_t)(*part - '0');
            show_number(buffer, "%" PRIu64, big_endian(rest.at, bytes < rest.len ? bytes : rest.len));
            at += bytes;
        }
    }
}

/* Bodies. */

static int64_t read_signed(const char *at, size_t size)
{
    int64_t wide = 0;
    int32_t narrow;
    if (size == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

static uint64_t read_unsigned(const char *at, size_t size)
{
    uint64_t number = 0;
    memcpy(&number, at, size); /* little endian, as records.h asserts */
    return number;
}

static void show_element(struct buffer *buffer, enum field_type type, struct text bytes)
{
    char text[2 * ELEMENT_MAX + 1];
    size_t shown = bytes.len < ELEMENT_MAX ? bytes.len : ELEMENT_MAX;
    switch (type) {
    case FIELD_SIGNED: snprintf(text, sizeof text, "%" PRId64, read_signed(bytes.at, bytes.len)); break;
    case FIELD_UNSIGNED: snprintf(text, sizeof text, "%" PRIu64, read_unsigned(bytes.at, bytes.len)); break;
    case FIELD_CURRENCY: currency_format((uint32_t)read_unsigned(bytes.at, bytes.len), text); break;
    case FIELD_TEXT: show_text(buffer, (struct text){bytes.at, strnlen(bytes.at, shown)}); return;
    case FIELD_BYTES:
    case FIELD_STRUCT:
        hex_encode((const uint8_t *)bytes.at, shown, text);
        text[2 * shown] = '\0';
        break;
    }
    buffer_text(buffer, text);
}

struct comparing {
    struct text a, b;
    record_difference *visit;
    void *context;
    size_t found;
    struct buffer shown[2];
};

/* The element's bytes in a body; absent when the body ends before them. */
static struct text element_of(struct text body, size_t at, size_t size)
{
    return at + size <= body.len ? (struct text){body.at + at, size} : TEXT_NONE;
}

static struct text show_side(struct buffer *buffer, enum field_type type, struct text bytes)
{
    buffer->len = 0;
    if (!text_present(bytes))
        return TEXT_NONE;
    show_element(buffer, type, bytes);
    return (struct text){buffer->at != NULL ? buffer->at : "", buffer->len};
}

static void compare_element(struct comparing *comparing, const struct field *field, const char *path, struct text a,
                            struct text b)
{
    if (text_present(a) == text_present(b) && text_equal(a, b))
        return;
    comparing->found++;
    comparing->visit(comparing->context, text_of(path), show_side(&comparing->shown[0], field->type, a),
                     show_side(&comparing->shown[1], field->type, b));
}

static void compare_layout(struct comparing *comparing, const struct layout *layout, size_t at, const char *before);

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void compare_field(struct comparing *comparing, const struct field *field, size_t at, const char *before)
{
    char path[96];
    size_t end = larger(comparing->a.len, comparing->b.len), count = field->count;
    if (field->count == 0 && field->size == 0) { /* what follows, as a whole */
        snprintf(path, sizeof path, "%s%s", before, field->name);
        size_t a = comparing->a.len > at ? comparing->a.len - at : 0,
               b = comparing->b.len > at ? comparing->b.len - at : 0;
        compare_element(comparing, field, path, element_of(comparing->a, at, a), element_of(comparing->b, at, b));
        return;
    }
    if (count == 0)
        count = end > at ? (end - at + field->size - 1) / field->size : 0;
    for (size_t i = 0; i < count; i++, at += field->size) {
        bool is_array = count > 1 || field->count == 0;
        snprintf(path, sizeof path, is_array ? "%s%s[%zu]" : "%s%s", before, field->name, i);
        if (field->type == FIELD_STRUCT) {
            strncat(path, ".", sizeof path - strlen(path) - 1);
            compare_layout(comparing, field->layout, at, path);
        } else {
            compare_element(comparing, field, path, element_of(comparing->a, at, field->size),
                            element_of(comparing->b, at, field->size));
        }
    }
}

static void compare_layout(struct comparing *comparing, const struct layout *layout, size_t at, const char *before)
{
    for (size_t i = 0; i < layout->count; i++)
        compare_field(comparing, &layout->fields[i], at + layout->fields[i].at, before);
}

size_t record_compare(char kind, struct text a, struct text b, record_difference *visit, void *context)
{
    struct comparing comparing = {.a = a, .b = b, .visit = visit, .context = context};
    size_t i = kind_index(kind);
    if (i < sizeof kinds / sizeof kinds[0])
        compare_layout(&comparing, kinds[i].layout, 0, "");
    buffer_free(&comparing.shown[0]);
    buffer_free(&comparing.shown[1]);
    return comparing.found;
}
