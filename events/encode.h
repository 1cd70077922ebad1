/* encode.h - outputs and events to bytes: one writer, one field order.
 *
 * Every output is one line of JSON without its newline, a CloudEvent:
 * {"specversion":"1.0","id":...,"source":"/callfold","type":...,"time":...,
 *  "subject":...,"data":{...}}, members in the order of the contract.
 */
#ifndef CALLFOLD_EVENTS_ENCODE_H
#define CALLFOLD_EVENTS_ENCODE_H

#include "events/output.h"

/* A growing byte buffer. Zero it to begin; buffer_free when done. Appending
 * aborts the process when memory is out. */
struct buffer {
    char *at;
    size_t len, capacity;
};
void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_text(struct buffer *buffer, const char *string);
/* What may go into JSON; jansson is the judge. */
bool text_is_utf8(struct text text);
/* Appends a JSON string, quotes included; text must be valid UTF-8. */
void buffer_json_string(struct buffer *buffer, struct text text);
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_free(struct buffer *buffer);

/* Appends item `index` of list as one JSON object (no newline). */
void output_encode(struct buffer *buffer, const struct output_list *list, size_t index);

/* Appends an event as the platform would write it (no newline); `id` and
 * `source` are the envelope's. Used by `rates publish`, the generator, tests. */
void event_encode(struct buffer *buffer, const struct event *event, struct text id, struct text source);

#endif
