/* status.h - a stored state shown as tables.
 *
 * Each table is a function that prints it from the state directory; which are
 * printed, and how they are told apart, is status.c's business. Below
 * status_show stands what these functions share.
 */
#ifndef CALLFOLD_PROCESSOR_STATUS_H
#define CALLFOLD_PROCESSOR_STATUS_H

#include "processor/state_view.h"
#include "terminal/options.h"
#include "terminal/table.h"

/* What is to be shown. */
struct status_question {
    const char *dir;
    const char *account; /* NULL: the whole state */
    const char *table;   /* only this one; NULL: all that are usual */
    enum table_format format;
};
#define STATUS_OPTION_SPECS(question, json, csv)                                                             \
    {.name = "account",                                                                                      \
     .kind = OPTION_TEXT,                                                                                    \
     .target = &(question).account,                                                                          \
     .value = "ID",                                                                                          \
     .help = "one account: credits, numbers, members, live calls"},                                          \
        {.name = "table",                                                                                    \
         .kind = OPTION_TEXT,                                                                                \
         .target = &(question).table,                                                                        \
         .value = "NAME",                                                                                    \
         .help = "only this table: partitions, decks, fx, policy,\n"                                         \
                 "accounts, calls, events or rejects; with --account:\n"                                     \
                 "account, numbers, members or calls"},                                                      \
        {.name = "json",                                                                                     \
         .kind = OPTION_FLAG,                                                                                \
         .target = &(json),                                                                                  \
         .help = "one object with an array a table; with --table\nthe array, for programs"},                 \
    {                                                                                                        \
        .name = "csv", .kind = OPTION_FLAG, .target = &(csv),                                                \
        .help = "comma-separated values of one table (the first\nunless --table names it), for spreadsheets" \
    }
/* Prints it on stdout; the exit code. */
int status_show(const struct status_question *question);

struct status {
    const char *dir;
    enum table_format format;
    const char *title; /* of the table that is printed, NULL for none */
    size_t partition_count;
    uint32_t *partitions;
    /* of an account only */
    struct text account_id;
    struct state_view view;
    struct account_record account;
};

/* Each prints one table and returns the exit code. */
typedef int status_table(struct status *status);

/* status_overview.c: the whole state */
status_table status_partitions, status_decks, status_fx, status_policy, status_events, status_rejects;
/* status_accounts.c: every account, every live call */
status_table status_accounts, status_calls;
/* status_account.c: one account */
status_table status_account, status_numbers, status_members, status_account_calls;

/* table_begin on stdout, and table_title. */
struct table *status_begin(struct status *status, const struct table_column *columns, size_t count);

/* Six cells: currency, balance, accrued, available, uncommitted, live calls. */
void table_credits(struct table *table, const struct account_record *account);

/* Live calls of the account, or of all when it is absent, into a table of theirs. */
struct table *status_calls_begin(struct status *status);
int status_calls_add(struct table *table, struct state_view *view, struct text account);

/* A cell of a COLUMN_LIST under construction. Zero it to begin; buffer_free
 * when done. */
struct buffer;
void join(struct buffer *joined, const char *before, struct text text);
void table_joined(struct table *table, const struct buffer *joined);

/* Runs visit for each partition, opened; stops at the first exit code that is
 * not EX_OK, visit's or the view's, and returns it. */
int each_partition(struct status *status, int (*visit)(void *context, struct state_view *view), void *context);

#endif
