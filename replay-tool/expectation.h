/* expectation.h - what an auditor kept from an earlier year.
 *
 * Hashes of the two chains at places that were noted then: the ledger's after
 * an entry, the input's after so many records. Whoever finds them again in the
 * history of today knows that nothing before them was changed, added or left
 * out.
 */
#ifndef CALLFOLD_REPLAY_TOOL_EXPECTATION_H
#define CALLFOLD_REPLAY_TOOL_EXPECTATION_H

#include "events/output.h"
#include "processor/fold/fold.h"
#include "terminal/options.h"

enum expectation_kind { EXPECT_ENTRY, EXPECT_INPUT };

struct expectation {
    enum expectation_kind kind;
    uint32_t partition;
    int64_t number; /* of the entry, or of input records */
    char hash[HASH_HEX];
    const char *text; /* as it was given; borrowed */
    bool is_seen;
    char folded[HASH_HEX]; /* once it was seen */
};
struct expectation_list {
    struct expectation *items;
    size_t count;
};

/* Adds the values of an option, PARTITION:NUMBER:HASH each. False after a message. */
bool expectations_add(struct expectation_list *list, enum expectation_kind kind, const char *option,
                      const struct option_list *values);
void expectations_free(struct expectation_list *list);

/* A fold begins after this entry: with it, entries 0 is the beginning. */
void expectations_begin(struct expectation_list *list, uint32_t partition, int64_t entries, const char chain[HASH_HEX]);
/* Looks at one record's outputs. */
void expectations_step(struct expectation_list *list, const struct output_list *outputs);
/* The first that was seen and has another hash; NULL when there is none. */
const struct expectation *expectations_broken(const struct expectation_list *list);
/* The first that was not seen. */
const struct expectation *expectations_unseen(const struct expectation_list *list);

#endif
