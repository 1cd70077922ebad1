/* attested.h - what is folded again, held against what was attested before.
 *
 * While a partition is folded up to its last commit in silence, its fold makes
 * the attestations again that were published then: each minute, the chain of
 * the ledger, the chain of the input, the digest of the whole state. They must
 * be the same bytes. So a state that is not the one that was (a snapshot of
 * another history, a log whose records were changed) is found where it
 * differs, and before anything is committed.
 */
#ifndef CALLFOLD_PROCESSOR_ATTESTED_H
#define CALLFOLD_PROCESSOR_ATTESTED_H

#include "events/encode.h"
#include "processor/log.h"

struct attested {
    int64_t inputs;     /* that the state knew when it was opened */
    bool has_matched;   /* one was the same already: from then on none may be missing */
    bool is_read;       /* the next one that was published is here: */
    struct buffer line; /* it, or nothing when none is left */
    const char *where;
    int64_t place;
    struct buffer again; /* the one being compared with it */
};

/* Holds the attestations among the outputs of one record against those that
 * were published. False with *error: EX_SOFTWARE, naming topic, partition,
 * offset and both sides, or why the log could not be read. */
bool attested_agree(struct attested *attested, struct log *log, const struct output_list *outputs,
                    struct store_error *error);
void attested_free(struct attested *attested);

/* The partition of a published attestation, and after how many of its input
 * records it was made, which unlike offsets only grows. False: it is none. */
bool attested_read(struct text line, uint32_t *partition, int64_t *inputs);

#endif
