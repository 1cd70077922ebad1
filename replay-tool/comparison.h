/* comparison.h - the outputs of a history that is folded again, held against
 * those that were published.
 *
 * Give it every step's outputs in order; it walks along the published records
 * of the same partition and stops at the first that is not the same bytes. What
 * it found says which topic and record, and has both sides.
 *
 * A meter that stopped before the end of the events has published less than
 * there is to fold: that is no difference where nothing says it had gone
 * further, neither its progress record nor a later record in another topic.
 * What a topic on Kafka no longer has (retention, compaction) is passed over.
 */
#ifndef CALLFOLD_REPLAY_TOOL_COMPARISON_H
#define CALLFOLD_REPLAY_TOOL_COMPARISON_H

#include "events/encode.h"
#include "replay-tool/published.h"

enum difference_kind {
    DIFFERENCE_NONE,
    DIFFERENCE_CHANGED,     /* one id, other bytes */
    DIFFERENCE_MISSING,     /* folded and not published */
    DIFFERENCE_ADDED,       /* published and not folded, or twice, or no output at all */
    DIFFERENCE_EVENTS_END,  /* published, but the history ends before the event that caused it */
    DIFFERENCE_FOLD_VERSION /* an attestation of another version of the rules */
};

struct difference {
    enum difference_kind kind;
    enum output_topic topic;
    uint32_t partition;
    int64_t offset; /* of the published record in its topic, -1 when there is none */
    /* The id of the output that was folded, or else of what was published. */
    int64_t event_offset;
    uint32_t n;
    int64_t at;                      /* the first byte that differs, of CHANGED */
    struct buffer folded, published; /* empty: there is none */
};

struct comparison;

/* Compares these topics (a set of PUBLISHED). published is borrowed. */
struct comparison *comparison_new(struct published *published, unsigned topics);
void comparison_free(struct comparison *comparison);

/* The partition is folded from this offset on: what was published before is passed over. */
void comparison_begin(struct comparison *comparison, uint32_t partition, int64_t offset);
/* The outputs of one record. False when a difference was found, or on error
 * (error->code is not EX_OK then). */
bool comparison_step(struct comparison *comparison, const struct output_list *outputs, struct store_error *error);
/* The history is over, and `next_offset` is where this partition's fold stands:
 * nothing more may have been published. */
bool comparison_end(struct comparison *comparison, uint32_t partition, int64_t next_offset, struct store_error *error);

/* The first difference. */
const struct difference *comparison_found(const struct comparison *comparison);
/* Records of a topic that were the same. */
int64_t comparison_matched(const struct comparison *comparison, enum output_topic topic, uint32_t partition);
/* Outputs folded that nothing claims to have published yet. */
int64_t comparison_unpublished(const struct comparison *comparison, uint32_t partition);

#endif
