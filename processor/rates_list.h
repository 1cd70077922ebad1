/* rates_list.h - the list of what a number pays, from a file or from a state.
 *
 * cmd_rates_list.c has a deck from a CSV, rates_live.c one from the state that
 * meters; both print it here.
 */
#ifndef CALLFOLD_PROCESSOR_RATES_LIST_H
#define CALLFOLD_PROCESSOR_RATES_LIST_H

#include "processor/rates.h"

/* Which rates are asked for. */
struct list_filter {
    const char *destination; /* part of the destination's name; NULL: any */
    const char *prefix;      /* what the number called begins with; NULL: anything */
};

/* Prints the rates of an origin. blocked are prefixes that the account has
 * blocked for the number (none for a file). Returns the exit code. */
int print_rate_list(const struct deck *deck, size_t origin, const struct pricing *pricing,
                    const struct list_filter *filter, const struct text *blocked, size_t block_count,
                    enum table_format format);

/* A prefix as --prefix takes it; false after a message. */
bool check_prefix_option(const char *prefix);

/* What `rates list --state` was asked. */
struct live_question {
    const char *state_dir, *account, *number;
    const char *currency; /* NULL: the account's */
    struct list_filter filter;
    enum table_format format;
};
/* rates_live.c */
int list_live_rates(const struct live_question *question);

#endif
