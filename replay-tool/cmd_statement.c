/* cmd_statement.c - callfold-replay statement: what a customer sees of a month. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/instant.h"
#include "replay-tool/commands.h"
#include "replay-tool/history.h"
#include "replay-tool/outfile.h"
#include "replay-tool/scratch.h"
#include "replay-tool/statement.h"
#include "terminal/message.h"

struct command_line {
    struct history_options from;
    const char *month, *output;
    bool json, csv, html;
};

struct work {
    struct command_line given;
    enum table_format format;
    struct range range;
    char first[DAY_TEXT_MAX], last[DAY_TEXT_MAX];
    struct outfile file;
    struct books *books;
    struct store_error error;
};

/* Folding. */

/* The month is final once its last day is: what comes later is of a later month,
 * and a statement drawn up today says the same next year. */
static bool is_over(const struct work *work, const struct history_step *step)
{
    struct fold_position position;
    if (instant_day(step->outputs->time_ms) <= work->range.last_day)
        return false;
    fold_position(step->fold, &position);
    return position.final_day >= work->range.last_day &&
           books_find_account(step->fold, text_of(work->range.account)) != NULL;
}

static bool fill_books(void *context, const struct history_step *step)
{
    struct work *work = context;
    return books_step(work->books, step) && !is_over(work, step);
}

static bool fold(struct work *work)
{
    struct history_options *from = &work->given.from;
    from->account = work->range.account;
    from->range = &work->range;
    struct history *history = history_open(from, &HISTORY_TO_THE_END, &work->error);
    work->error.code = history != NULL ? EX_OK : work->error.code;
    bool is_done = history != NULL && books_begin(work->books, history) &&
                   history_run(history, fill_books, work, &work->error) && work->error.code == EX_OK &&
                   books_end(work->books, history);
    history_close(history);
    return is_done;
}

/* Writing. */

static bool write_statement(struct work *work)
{
    struct statement statement = {.sql = books_sql(work->books), .range = &work->range, .month = work->given.month};
    if (!statement_sums(&statement, &work->error))
        return false;
    if (work->given.html)
        statement_html(&statement, work->file.stream);
    else
        statement_table(&statement, work->format, work->file.stream);
    return sql_is_sound(statement.sql);
}

static bool work_in(struct work *work, const char *dir)
{
    char *path;
    if (asprintf(&path, "%s/books.db", dir) < 0)
        abort();
    work->books = books_open(path, &work->range, &work->error);
    bool is_done = work->books != NULL && fold(work) && write_statement(work);
    is_done = books_close(work->books) && is_done;
    free(path);
    return is_done;
}

static int run(struct work *work)
{
    char *dir = NULL;
    bool is_done = outfile_open(&work->file, work->given.output, &work->error) &&
                   (dir = scratch_make(&work->error)) != NULL && work_in(work, dir) &&
                   outfile_keep(&work->file, &work->error);
    outfile_drop(&work->file);
    scratch_remove(dir);
    return is_done ? EX_OK : message_fail(work->error.code, "%s", work->error.message);
}

/* The command line. */

/* "2026-11" to its first and last day. */
static bool read_month(struct work *work)
{
    const char *month = work->given.month;
    snprintf(work->first, sizeof work->first, "%s-01", month);
    int32_t day;
    if (strlen(month) != 7 || !day_parse(text_of(work->first), &day)) {
        message_error("--month: '%s' is no month such as 2026-11", month);
        return false;
    }
    for (char next[DAY_TEXT_MAX] = ""; memcmp(work->first, next, 7) == 0 || next[0] == '\0'; day++) {
        memcpy(work->last, next[0] != '\0' ? next : work->first, DAY_TEXT_MAX);
        day_format(day + 1, next);
    }
    work->range.from = work->first;
    work->range.to = work->last;
    return true;
}

static bool check(struct work *work)
{
    const struct command_line *given = &work->given;
    if (given->html && (given->json || given->csv))
        message_error("--html, --json and --csv exclude each other: choose one");
    else
        return table_format_chosen(given->json, given->csv, &work->format) && read_month(work) &&
               range_check(&work->range) && history_check(&given->from, "callfold-replay statement");
    return false;
}

int cmd_statement(int argc, char **argv)
{
    static struct work work; /* the range alone has room for every partition */
    struct command_line *given = &work.given;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "account", .kind = OPTION_TEXT, .target = &work.range.account, .value = "ID", .required = true,
         .help = "whose statement"},
        {.name = "month", .kind = OPTION_TEXT, .target = &given->month, .value = "YYYY-MM", .required = true,
         .help = "of which month, in UTC"},
        HISTORY_OPTION_SPECS(given->from),
        {.name = "html", .kind = OPTION_FLAG, .target = &given->html, .help = "a page that prints on A4 and Letter"},
        {.name = "json", .kind = OPTION_FLAG, .target = &given->json, .help = "one JSON object"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &given->csv, .help = "CSV, all lines in one table"},
        OUTPUT_OPTION_SPEC(given->output),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay statement",
        .usage = "--account ID --month YYYY-MM\n--events FILE|DIR|-\n"
                 "--account ID --month YYYY-MM\n--kafka FILE [-X NAME=VALUE]...",
        .about = "Folds the events again and writes a customer's month: opening balance, top-ups,\n"
                 "calls, chargebacks, closing balance. Amounts are seen from the customer, exact,\n"
                 "and add up; days are UTC. Folding ends where the month is final, so that the\n"
                 "statement is the same whenever it is drawn up; before that it is provisional.",
        .examples = "  callfold-replay statement --account acct-17 --month 2026-11 --events day.jsonl\n"
                    "  callfold-replay statement --account acct-17 --month 2026-11 \\\n"
                    "      --events day.jsonl --html --output acct-17.html",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check(&work) ? run(&work) : EX_USAGE;
    range_free(&work.range);
    history_options_free(&given->from);
    return exit_code;
}
