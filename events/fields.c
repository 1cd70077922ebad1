#include "events/fields.h"

#include <inttypes.h>
#include <stdio.h>

#include "events/currency.h"
#include "events/decode_internal.h"
#include "events/instant.h"
#include "events/money.h"
#include "events/phone.h"

#define SHOWN_MAX 40 /* bytes of an offending value that a message repeats */

/* The largest length <= most that does not cut a UTF-8 sequence. */
static size_t whole_sequences(struct text t, size_t most)
{
    if (t.len <= most)
        return t.len;
    while (most > 0 && ((unsigned char)t.at[most] & 0xc0) == 0x80)
        most--;
    return most;
}

void detail_text(char out[DETAIL_MAX], struct text t, size_t most)
{
    bool cut = t.len > most;

    snprintf(out, DETAIL_MAX, "%.*s%s", (int)whole_sequences(t, most), t.at, cut ? "..." : "");
}

/* A value as a message shows it: a string in quotes, a number as it is, the
 * rest by the name of its type. */
static void show_value(const json_t *value, char out[DETAIL_MAX])
{
    char string[DETAIL_MAX];

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        detail_text(string, json_text(value), SHOWN_MAX);
        snprintf(out, DETAIL_MAX, "\"%.*s\"", SHOWN_MAX + 3, string);
        break;
    case JSON_INTEGER: snprintf(out, DETAIL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
    case JSON_REAL: snprintf(out, DETAIL_MAX, "a number with a fraction or exponent"); break;
    case JSON_OBJECT: snprintf(out, DETAIL_MAX, "an object"); break;
    case JSON_ARRAY: snprintf(out, DETAIL_MAX, "an array"); break;
    case JSON_TRUE: snprintf(out, DETAIL_MAX, "true"); break;
    case JSON_FALSE: snprintf(out, DETAIL_MAX, "false"); break;
    case JSON_NULL: snprintf(out, DETAIL_MAX, value ? "null" : "missing"); break;
    }
}

bool field_wrong(const struct fields *fields, const char *name, const json_t *value, const char *expected)
{
    char shown[DETAIL_MAX], place[DETAIL_MAX], index[24] = "", member[DETAIL_MAX];
    bool dot = name && *fields->path;

    detail_text(member, text_of(name ? name : ""), SHOWN_MAX);
    if (fields->index != NO_INDEX)
        snprintf(index, sizeof(index), "[%zu]", fields->index);
    snprintf(place, sizeof(place), "%.60s%s%s%.60s", fields->path, index, dot ? "." : "", member);
    show_value(value, shown);
    fields->error->reason = REJECT_INVALID_FIELD;
    snprintf(fields->error->detail, DETAIL_MAX, "%.90s: %.48s, expected %.100s", place, shown, expected);
    return false;
}

static const json_t *member_of(const struct fields *fields, const char *name)
{
    return json_object_get(fields->object, name);
}

bool field_given(const struct fields *fields, const char *name)
{
    return member_of(fields, name) != NULL;
}

/* A string that `valid` takes. */
static bool field_text(const struct fields *fields, const char *name, bool (*valid)(struct text), const char *expected,
                       struct text *out)
{
    const json_t *value = member_of(fields, name);

    if (!json_is_string(value) || !valid(json_text(value)))
        return field_wrong(fields, name, value, expected);
    *out = json_text(value);
    return true;
}

bool field_id(const struct fields *fields, const char *name, struct text *out)
{
    return field_text(fields, name, id_is_valid, "an id: 1 to 64 characters of A-Z a-z 0-9 . _ : -", out);
}

bool field_e164(const struct fields *fields, const char *name, struct text *out)
{
    return field_text(fields, name, phone_is_e164, "a number in E.164: + and 2 to 15 digits, the first not 0", out);
}

bool field_prefix(const struct fields *fields, const char *name, struct text *out)
{
    return field_text(fields, name, phone_is_prefix, "a prefix: + and 1 to 15 digits", out);
}

bool field_words(const struct fields *fields, const char *name, struct text *out)
{
    return field_text(fields, name, words_are_valid, "a string of 1 to 128 bytes", out);
}

bool field_dialled(const struct fields *fields, const char *name, struct text *out)
{
    return field_text(fields, name, dialled_is_valid, "a string of at most 64 bytes", out);
}

static bool is_country(struct text t)
{
    return t.len == 2 && t.at[0] >= 'A' && t.at[0] <= 'Z' && t.at[1] >= 'A' && t.at[1] <= 'Z';
}

bool field_country(const struct fields *fields, const char *name, struct text *out)
{
    return field_text(fields, name, is_country, "a country of ISO 3166: two capital letters", out);
}

bool field_currency(const struct fields *fields, const char *name, uint32_t *out)
{
    const json_t *value = member_of(fields, name);

    if (!json_is_string(value) || !currency_parse(json_text(value), out))
        return field_wrong(fields, name, value, "a currency of ISO 4217: three capital letters");
    return true;
}

bool field_instant(const struct fields *fields, const char *name, int64_t *out)
{
    const json_t *value = member_of(fields, name);

    if (!json_is_string(value) || !instant_parse(json_text(value), out))
        return field_wrong(fields, name, value,
                           "an instant of RFC 3339 with Z or an offset, like 2026-11-23T08:00:06Z");
    return true;
}

bool field_boolean(const struct fields *fields, const char *name, bool *out)
{
    const json_t *value = member_of(fields, name);

    if (!json_is_boolean(value))
        return field_wrong(fields, name, value, "true or false");
    *out = json_is_true(value);
    return true;
}

bool field_integer(const struct fields *fields, const char *name, int64_t least, int64_t most, int64_t *out)
{
    const json_t *value = member_of(fields, name);
    int64_t integer = json_integer_value(value);
    char expected[80];

    if (!json_is_integer(value) || integer < least || integer > most) {
        snprintf(expected, sizeof(expected), "an integer from %" PRId64 " to %" PRId64, least, most);
        return field_wrong(fields, name, value, expected);
    }
    *out = integer;
    return true;
}

/* A decimal string that parse takes, not below least. */
static bool field_decimal(const struct fields *fields, const char *name, bool (*parse)(struct text, int64_t *),
                          int64_t least, const char *expected, int64_t *out)
{
    const json_t *value = member_of(fields, name);
    int64_t scaled;

    if (!json_is_string(value) || !parse(json_text(value), &scaled) || scaled < least)
        return field_wrong(fields, name, value, expected);
    *out = scaled;
    return true;
}

bool field_amount(const struct fields *fields, const char *name, int64_t *out)
{
    return field_decimal(fields, name, money_parse, 1,
                         "a decimal string above zero with at most 6 fraction digits, like \"12.5\"", out);
}

bool field_price(const struct fields *fields, const char *name, int64_t *out)
{
    return field_decimal(fields, name, money_parse, 0,
                         "a decimal string, zero or more, with at most 6 fraction digits, like \"12.5\"", out);
}

bool field_fx_rate(const struct fields *fields, const char *name, int64_t *out)
{
    return field_decimal(fields, name, fx_rate_parse, 1,
                         "a decimal string above zero with at most 9 fraction digits, like \"0.92\"", out);
}

bool field_money(const struct fields *fields, struct amount *out)
{
    return field_amount(fields, "amount", &out->micros) && field_currency(fields, "currency", &out->currency);
}

bool field_word(const struct fields *fields, const char *name, const char *const words[], size_t count, int *out)
{
    const json_t *value = member_of(fields, name);
    char expected[80] = "one of";

    for (size_t i = 0; i < count; i++)
        if (json_is_string(value) && text_equal(json_text(value), text_of(words[i]))) {
            *out = (int)i;
            return true;
        }
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof(expected) - used, " %s", words[i]);
    }
    return field_wrong(fields, name, value, expected);
}

bool field_object(const struct fields *fields, const char *name, const char *path, struct fields *out)
{
    const json_t *value = member_of(fields, name);

    if (!json_is_object(value))
        return field_wrong(fields, name, value, "an object");
    *out = (struct fields){value, path, NO_INDEX, fields->decoder, fields->error};
    return true;
}

bool field_array(const struct fields *fields, const char *name, json_t **out)
{
    json_t *value = json_object_get(fields->object, name);

    if (!json_is_array(value))
        return field_wrong(fields, name, value, "an array");
    *out = value;
    return true;
}

bool field_element(const struct fields *fields, const json_t *array, const char *path, size_t i, struct fields *out)
{
    const json_t *value = json_array_get(array, i);

    *out = (struct fields){value, path, i, fields->decoder, fields->error};
    return json_is_object(value) || field_wrong(out, NULL, value, "an object");
}
