/* range.h - which part of the books is asked for.
 *
 * By day: the UTC day that money belongs to, the `date` of a ledger entry; of a
 * call record the day on which the call ended. By entry: numbers of the ledger,
 * which each partition counts by itself; once one is given, only the partitions
 * named are meant. Both at once: what both let through. By account.
 *
 * What comes before the range is not left out of the sums: it is where they
 * begin.
 *
 *     struct range range = {0};
 *     const struct option_spec specs[] = {RANGE_OPTION_SPECS(range), ...};
 *     if (!range_check(&range)) return EX_USAGE;
 */
#ifndef CALLFOLD_REPLAY_TOOL_RANGE_H
#define CALLFOLD_REPLAY_TOOL_RANGE_H

#include "processor/log.h"
#include "replay-tool/base.h"
#include "terminal/options.h"

/* The entries of one partition. */
struct entry_range {
    bool is_named;
    int64_t first, last; /* 0: no limit */
};

struct range {
    /* What the command line says. All zeros to begin; range_free at the end. */
    const char *from, *to, *account;
    struct option_list from_entries, to_entries;
    /* What range_check made of it. */
    int32_t first_day, last_day; /* INT32_MIN and INT32_MAX: no limit */
    bool is_by_entry;            /* only the partitions named */
    struct entry_range entries[PARTITIONS_MAX];
};
#define RANGE_OPTION_SPECS(range)                                                                                    \
    {.name = "from",                                                                                                 \
     .kind = OPTION_TEXT,                                                                                            \
     .target = &(range).from,                                                                                        \
     .value = "DAY",                                                                                                 \
     .help = "the first day, UTC, such as 2026-11-01: the day that\nmoney belongs to, or on which a call ended"},    \
        {.name = "to", .kind = OPTION_TEXT, .target = &(range).to, .value = "DAY", .help = "the last day"},          \
        {.name = "from-entry",                                                                                       \
         .kind = OPTION_LIST,                                                                                        \
         .target = &(range).from_entries,                                                                            \
         .value = "[PARTITION:]ENTRY",                                                                               \
         .help = "the first ledger entry of a partition (0 when none is\nnamed); may be given again for others; of " \
                 "partitions\nthat no entry names nothing is exported"},                                             \
        {.name = "to-entry",                                                                                         \
         .kind = OPTION_LIST,                                                                                        \
         .target = &(range).to_entries,                                                                              \
         .value = "[PARTITION:]ENTRY",                                                                               \
         .help = "the last ledger entry of a partition"},                                                            \
    {                                                                                                                \
        .name = "account", .kind = OPTION_TEXT, .target = &(range).account, .value = "ID",                           \
        .help = "of one account only"                                                                                \
    }

/* False after a message when the words are no range. */
bool range_check(struct range *range);
void range_free(struct range *range);

enum range_side { RANGE_BEFORE, RANGE_WITHIN, RANGE_AFTER };
/* Where a ledger entry lies: BEFORE what is exported, WITHIN it, or beside it
 * (AFTER), which is to be forgotten. */
enum range_side range_of_entry(const struct range *range, uint32_t partition, int64_t entry, int32_t day);
/* Whether anything of this account, and of this partition, is asked for. */
bool range_has_account(const struct range *range, uint32_t partition, struct text account);
bool range_has_day(const struct range *range, int32_t day);
/* The latest place in a partition before which nothing is of the range. */
struct base_place range_begin(const struct range *range, uint32_t partition);

#endif
