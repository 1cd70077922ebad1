/* record_fields.h - what a record of the state is made of, field by field.
 *
 * The fields, their order and their names are those of the structs in
 * processor/fold/records.h, as snapshots/FORMAT.md draws them (tests/format.py
 * holds all three together). For whoever shows records to people.
 */
#ifndef CALLFOLD_REPLAY_TOOL_RECORD_FIELDS_H
#define CALLFOLD_REPLAY_TOOL_RECORD_FIELDS_H

#include "events/encode.h"
#include "processor/fold/fold.h"

/* What a kind of record is called: "account", "live_call" ... ; NULL: no kind of ours. */
const char *record_kind_name(char kind);
/* Appends the parts of a record's key, apart by "/": "acct-17/c1". */
void record_key_show(struct buffer *buffer, struct text key);

/* One difference of two bodies. Texts are valid during the call; absent where
 * only the other body has that element. */
typedef void record_difference(void *context, struct text field, struct text a, struct text b);
/* Tells every field in which two bodies of one kind differ: "posted_micros",
 * "spent_micros[1]", "maps[0].micros". Returns how many. */
size_t record_compare(char kind, struct text a, struct text b, record_difference *visit, void *context);

#endif
