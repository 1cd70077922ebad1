/* decode_internal.h - what the files of the jansson decoder share.
 *
 * decode.c turns bytes into a JSON object and reads its envelope; one function
 * per event type, found in its table, reads `data`. fields.h is how they read.
 */
#ifndef CALLFOLD_EVENTS_DECODE_INTERNAL_H
#define CALLFOLD_EVENTS_DECODE_INTERNAL_H

#include <jansson.h>

#include "events/decode.h"
#include "events/fields.h"

/* A JSON string's bytes, borrowed. */
static inline struct text json_text(const json_t *string)
{
    return (struct text){json_string_value(string), json_string_length(string)};
}

/* Writes at most `most` bytes of t, "..." behind them if it is longer; never
 * cuts a UTF-8 sequence. */
void detail_text(char out[DETAIL_MAX], struct text t, size_t most);

/* Room for count items of size bytes, valid until the next decode; an event
 * has at most DECODER_ARRAYS of them, told apart by which. Never NULL. */
#define DECODER_ARRAYS 2
void *decoder_array(struct decoder *decoder, size_t which, size_t count, size_t size);

/* Fills event->data from the event's data; event->type is set. False with the
 * error filled. */
typedef bool decode_data(const struct fields *data, struct event *event);

decode_data decode_account_opened, decode_member_set, decode_member_removed, decode_number_added, decode_number_removed,
    decode_assignment, decode_toggle, decode_block; /* decode_account.c */
decode_data decode_auto_recharge, decode_topped_up, decode_topup_reversed, decode_recharge_failed; /* decode_credit.c */
decode_data decode_call_started, decode_call_ticked, decode_call_ended, decode_sms;                /* decode_call.c */
decode_data decode_deck_opened, decode_deck_rates, decode_deck_published;                          /* decode_deck.c */
decode_data decode_fx, decode_policy;                                                              /* decode_policy.c */

#endif
