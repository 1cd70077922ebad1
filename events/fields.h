/* fields.h - reading the typed fields of one JSON object.
 *
 * A decoder of an event says which fields its object has, in the contract's
 * order, and stops at the first that is wrong:
 *
 *     return field_id(data, "call_id", &call->call_id) &&
 *            field_integer(data, "duration_ms", 0, DURATION_MAX_MS, &call->duration_ms);
 *
 * Every reader returns true with *out filled, or false with the error filled:
 * "data.call_id: missing, expected an id (...)". Texts borrow from the JSON
 * values. A member that may be left out is asked for with field_given first;
 * a null is given, and wrong.
 */
#ifndef CALLFOLD_EVENTS_FIELDS_H
#define CALLFOLD_EVENTS_FIELDS_H

#include <jansson.h>

#include "events/decode.h"

#define NO_INDEX ((size_t)-1)

struct fields {
    const json_t *object;
    const char *path; /* of the object: "", "data", "data.rates" ... */
    size_t index;     /* the object's place in the array at path, or NO_INDEX */
    struct decoder *decoder;
    struct decode_error *error;
};

/* Fills the error: "<path>.<name>: <value as given>, expected <expected>".
 * name NULL stands for the object itself, value NULL for a missing field.
 * Always false, to be returned. */
bool field_wrong(const struct fields *fields, const char *name, const json_t *value, const char *expected);

bool field_given(const struct fields *fields, const char *name);

bool field_id(const struct fields *fields, const char *name, struct text *out);
bool field_e164(const struct fields *fields, const char *name, struct text *out);
bool field_prefix(const struct fields *fields, const char *name, struct text *out);
/* 1 to 128 bytes. */
bool field_words(const struct fields *fields, const char *name, struct text *out);
/* At most DIALLED_MAX bytes, none included. */
bool field_dialled(const struct fields *fields, const char *name, struct text *out);
bool field_country(const struct fields *fields, const char *name, struct text *out);
bool field_currency(const struct fields *fields, const char *name, uint32_t *out);
bool field_instant(const struct fields *fields, const char *name, int64_t *out);
bool field_boolean(const struct fields *fields, const char *name, bool *out);
bool field_integer(const struct fields *fields, const char *name, int64_t least, int64_t most, int64_t *out);
/* Micros, above zero (amount) or not below (price). */
bool field_amount(const struct fields *fields, const char *name, int64_t *out);
bool field_price(const struct fields *fields, const char *name, int64_t *out);
/* Nanos, above zero. */
bool field_fx_rate(const struct fields *fields, const char *name, int64_t *out);
/* The members `amount` and `currency`. */
bool field_money(const struct fields *fields, struct amount *out);
/* One of count words; *out is its place. */
bool field_word(const struct fields *fields, const char *name, const char *const words[], size_t count, int *out);

/* An object or array below; *out reads from it. path is its full path. */
bool field_object(const struct fields *fields, const char *name, const char *path, struct fields *out);
bool field_array(const struct fields *fields, const char *name, json_t **out);
/* Element i of an array at path; must be an object. */
bool field_element(const struct fields *fields, const json_t *array, const char *path, size_t i, struct fields *out);

#endif
