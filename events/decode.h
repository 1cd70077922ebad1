/* decode.h - a record's bytes to a typed event.
 *
 * The events of an account in their plain form go through a strict flat scanner
 * (scan.c); whatever the scanner does not take, and every other type, goes
 * through jansson (decode.c). Both accept and reject the same bytes with the
 * same result: tests hold one against the other.
 *
 * Rejections here are the first four of the contract that need no state:
 * malformed, unknown_type, invalid_field (detail names the field, e.g.
 * "data.duration_ms: ..." or "time: ..."). key_mismatch and time_ahead are the
 * fold's, which knows the record's key and timestamp.
 */
#ifndef CALLFOLD_EVENTS_DECODE_H
#define CALLFOLD_EVENTS_DECODE_H

#include "events/event.h"
#include "events/output.h"

#define RECORD_MAX  1048576 /* bytes of a record's value */
#define JSON_LEVELS 32      /* containers inside each other, the record's own object included */
#define DETAIL_MAX  256

struct decode_error {
    enum reject_reason reason;
    char detail[DETAIL_MAX]; /* NUL-terminated UTF-8 */
    struct text subject;     /* the envelope's subject, when it could be read as a valid id; else absent */
};

struct decoder;

/* NULL when memory is out. */
struct decoder *decoder_new(void);
void decoder_free(struct decoder *decoder);

/* True: *event is filled; its texts borrow from value or from the decoder and
 * live until the next call. False: *error says why. */
bool event_decode(struct decoder *decoder, struct text value, struct event *event, struct decode_error *error);

/* The scanner alone (scan.h): true when value is an event of an account in plain
 * form and valid; its texts borrow from value. False means "not for me", never
 * "invalid". The decoder's last event is not touched. */
bool event_scan(struct decoder *decoder, struct text value, struct event *event);
/* jansson alone: the reference. Same contract as event_decode. */
bool event_decode_reference(struct decoder *decoder, struct text value, struct event *event,
                            struct decode_error *error);

#endif
