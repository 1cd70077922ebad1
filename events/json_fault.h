/* json_fault.h - the byte at which JSON stops being JSON.
 *
 * Whether a record is JSON is for jansson to say. What is wrong with one that
 * is not goes into event.rejected, and a replay must give the same bytes with
 * another version of jansson, which may count or call things otherwise: so the
 * place and its words are found here. Strict RFC 8259, left to right; keys
 * given twice and numbers too large are no faults of the grammar.
 */
#ifndef CALLFOLD_EVENTS_JSON_FAULT_H
#define CALLFOLD_EVENTS_JSON_FAULT_H

#include "events/text.h"

/* True: *what (static) is wrong at byte *at (from 0; value.len where something
 * is missing at the end). False: value is one JSON object or array. It calls
 * itself once a level: the caller has limited those. */
bool json_fault(struct text value, const char **what, size_t *at);

#endif
