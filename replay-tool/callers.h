/* callers.h - whose call is it? Ids of calls belong to their account.
 *
 * Reads the log once without folding it, and finds the accounts that began a
 * call of this id. */
#ifndef CALLFOLD_REPLAY_TOOL_CALLERS_H
#define CALLFOLD_REPLAY_TOOL_CALLERS_H

#include "replay-tool/source.h"
#include "replay-tool/witness.h"

struct caller {
    struct name account;
    struct place first; /* its first call.started with this id */
};
struct callers {
    struct caller *items;
    size_t count;
    uint32_t partition_count; /* of the source, 0 = not known */
};
/* False on error. free(callers->items). */
bool callers_find(struct callers *callers, const struct source_options *from, struct text call,
                  struct store_error *error);

#endif
