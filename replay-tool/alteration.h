/* alteration.h - the same history at other prices or by another policy.
 *
 * Before the first record of each partition a rate deck and a policy are put, as
 * if they had always been there. From then on the history's own decks lose the
 * origins that the new deck has, and its own policy.configured events the members
 * that are given: what was not asked about stays as it was. A deck that the
 * history dropped (incomplete, published too late) stays dropped; one that is
 * left without an origin goes. All else happens as it did, at the time it did:
 * the same calls, reports and top-ups.
 */
#ifndef CALLFOLD_REPLAY_TOOL_ALTERATION_H
#define CALLFOLD_REPLAY_TOOL_ALTERATION_H

#include "processor/deck_csv.h"
#include "replay-tool/history.h"

struct alteration_options {
    const char *deck_path, *deck_id; /* NULL: no deck */
    struct deck_options deck;
    struct option_list policy; /* NAME=VALUE, the value as in JSON */
};

struct alteration;

/* EX_OK and *alteration, or the exit code after a message. options are borrowed. */
int alteration_open(struct alteration **alteration, const struct alteration_options *options);
/* NULL is let be. */
void alteration_close(struct alteration *alteration);

/* Shown every step of the history as it was: which decks it accepted. */
void alteration_learn(struct alteration *alteration, const struct history_step *step);
/* For history_set_alter, context is the alteration. */
bool alteration_alter(void *alteration, struct history *history, uint32_t partition, const struct fold_record *record,
                      struct event *event);
/* Shown every step of the altered history. False, after a message, when what was
 * put before it is rejected. */
bool alteration_check(struct alteration *alteration, const struct history_step *step);

#endif
