/* explanation.h - what is explained, in words for people and as JSON for programs. */
#ifndef CALLFOLD_REPLAY_TOOL_EXPLANATION_H
#define CALLFOLD_REPLAY_TOOL_EXPLANATION_H

#include <jansson.h>

#include "replay-tool/story.h"

/* story_text.c, to stdout */
void story_print(const struct call_story *story);
/* Why a call that was authorized costs nothing. */
const char *story_no_charge(const struct call_story *story);
#define LINE "  %-13s " /* a label and what follows it */
/* Billed talk time taken apart, line by line. */
void print_cost(const struct tariff *tariff, uint32_t currency, int64_t billed_ms);
/* The rate of exchange; and one amount by it: the product, and its rounding. */
void print_exchange(const struct conversion *by);
void print_conversion(const char *label, int64_t from, const struct conversion *by, int64_t to, uint32_t currency);

/* story_json.c; owned by the caller */
json_t *story_json(const struct call_story *story);
json_t *conversion_json(const struct conversion *by);
json_t *json_money(int64_t micros);
json_t *json_instant(int64_t ms);
json_t *json_place(struct place place); /* {"partition","offset","time"} or null */

/* entry_explain.c: the ledger entry of this number, if the step posted it; to stdout.
 * NOT_KNOWN, and nothing is said: what it rests on was published before a state with
 * which the history began (is_whole: there was none). */
enum entry_outcome { ENTRY_NOT_HERE, ENTRY_EXPLAINED, ENTRY_NOT_KNOWN };
enum entry_outcome entry_explain(int64_t number, bool as_json, bool is_whole, const struct witness *witness,
                                 const struct history_step *step);

/* day_explain.c: all entries of an account on a UTC day, and the calls of that day. */
struct day_story;
struct day_story *day_begin(int32_t day);
void day_free(struct day_story *story);
void day_step(struct day_story *story, const struct witness *witness, const struct history_step *step);
void day_explain(const struct day_story *story, const struct witness *witness, bool as_json);
/* False when a call's figures do not add up: a fault of this program or of the fold. */
bool day_adds_up(const struct day_story *story);

#endif
