/* cmd_export.c - callfold-replay export: the books, for the tools that finance uses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "events/encode.h"
#include "events/instant.h"
#include "replay-tool/books.h"
#include "replay-tool/commands.h"
#include "replay-tool/history.h"
#include "replay-tool/journal.h"
#include "replay-tool/outfile.h"
#include "replay-tool/query.h"
#include "replay-tool/scratch.h"
#include "snapshots/files.h"
#include "terminal/message.h"

enum subject { LEDGER, CALLS, BALANCES, SUBJECT_COUNT };
enum format { CSV, NDJSON, SQLITE, HLEDGER, FORMAT_COUNT };
static const char *const formats[FORMAT_COUNT] = {"csv", "ndjson", "sqlite", "hledger"};

struct export
{
    struct history_options from;
    struct range range;
    const char *format_name, *output;
    enum subject subject;
    enum format format;
    struct outfile file;
    struct books *books; /* not with the records' own lines */
    struct buffer line;
    struct store_error error;
};

/* The columns are part of the interface: new ones go to the end. */

static const struct table_column ledger_columns[] = {
    {"partition", "", COLUMN_NUMBER, NULL, 0},    {"entry", "", COLUMN_NUMBER, NULL, 0},
    {"posting", "", COLUMN_NUMBER, NULL, 0},      {"offset", "", COLUMN_NUMBER, NULL, 0},
    {"time", "", COLUMN_WORD, NULL, 0},           {"date", "", COLUMN_WORD, NULL, 0},
    {"for_date", "", COLUMN_WORD, NULL, 0},       {"kind", "", COLUMN_WORD, NULL, 0},
    {"account", "", COLUMN_NAME, NULL, 0},        {"reference", "", COLUMN_NAME, NULL, 0},
    {"ledger_account", "", COLUMN_NAME, NULL, 0}, {"amount", "", COLUMN_AMOUNT, NULL, 0},
    {"currency", "", COLUMN_WORD, NULL, 0},       {"balance", "", COLUMN_AMOUNT, NULL, 0},
};
#define LEDGER_ROWS                                                                                             \
    "SELECT partition, entry, posting, offset, time, date, for_date, kind, account, reference, ledger_account," \
    " p.amount_micros, p.currency, balance_micros FROM entries JOIN postings p USING (partition, entry)"        \
    " ORDER BY partition, entry, posting"

static const struct table_column call_columns[] = {
    {"partition", "", COLUMN_NUMBER, NULL, 0},
    {"offset", "", COLUMN_NUMBER, NULL, 0},
    {"account", "", COLUMN_NAME, NULL, 0},
    {"call_id", "", COLUMN_NAME, NULL, 0},
    {"direction", "", COLUMN_WORD, NULL, 0},
    {"from", "", COLUMN_NAME, NULL, 0},
    {"to", "", COLUMN_NAME, NULL, 0},
    {"member_id", "", COLUMN_NAME, NULL, 0},
    {"origin", "", COLUMN_NAME, NULL, 0},
    {"charged", "", COLUMN_FLAG, NULL, 0},
    {"destination", "", COLUMN_NAME, NULL, 0},
    {"prefix", "", COLUMN_WORD, NULL, 0},
    {"deck_id", "", COLUMN_NAME, NULL, 0},
    {"price", "", COLUMN_AMOUNT, NULL, 0},
    {"currency", "", COLUMN_WORD, NULL, 0},
    {"fx_from", "", COLUMN_WORD, NULL, 0},
    {"fx_rate", "", COLUMN_WORD, NULL, 0},
    {"started_at", "", COLUMN_WORD, NULL, 0},
    {"ended_at", "", COLUMN_WORD, NULL, 0},
    {"duration_ms", "", COLUMN_DURATION, NULL, 0},
    {"billed_ms", "", COLUMN_DURATION, NULL, 0},
    {"amount", "", COLUMN_AMOUNT, NULL, 0},
    {"uncollected", "", COLUMN_AMOUNT, NULL, 0},
    {"voicemail", "", COLUMN_FLAG, NULL, 0},
    {"ended_by", "", COLUMN_WORD, NULL, 0},
};
#define CALL_ROWS                                                                                                 \
    "SELECT partition, offset, account, call_id, direction, from_number, to_number, member_id, origin, charged,"  \
    " destination, prefix, deck_id, price_micros, currency, fx_from, fx_rate, started_at, ended_at, duration_ms," \
    " billed_ms, amount_micros, uncollected_micros, voicemail, ended_by FROM calls"                               \
    " WHERE ended_at IS NOT NULL AND (?1 IS NULL OR substr(ended_at, 1, 10) >= ?1)"                               \
    " AND (?2 IS NULL OR substr(ended_at, 1, 10) <= ?2) ORDER BY partition, offset"

static const struct table_column balance_columns[] = {
    {"partition", "", COLUMN_NUMBER, NULL, 0},  {"account", "", COLUMN_NAME, NULL, 0},
    {"currency", "", COLUMN_WORD, NULL, 0},     {"opening", "", COLUMN_AMOUNT, NULL, 0},
    {"topups", "", COLUMN_AMOUNT, NULL, 0},     {"calls", "", COLUMN_AMOUNT, NULL, 0},
    {"reversals", "", COLUMN_AMOUNT, NULL, 0},  {"closing", "", COLUMN_AMOUNT, NULL, 0},
    {"receivable", "", COLUMN_AMOUNT, NULL, 0}, {"entries", "", COLUMN_NUMBER, NULL, 0},
    {"last_entry", "", COLUMN_NUMBER, NULL, 0},
};
#define BALANCE_ROWS                                                                                      \
    "SELECT partition, account, currency, opening_micros, topups_micros, calls_micros, reversals_micros," \
    " closing_micros, receivable_micros, entries, last_entry FROM balances ORDER BY partition, account"

static const struct {
    const char *name;
    enum output_type type; /* of the record whose own line is the ndjson of it */
    bool has_lines;
    bool has_sums; /* its table needs all that came before */
    const struct table_column *columns;
    size_t count;
    const char *rows;
} subjects[SUBJECT_COUNT] = {
    {"ledger", OUTPUT_LEDGER_POSTED, true, false, ledger_columns, sizeof ledger_columns / sizeof ledger_columns[0],
     LEDGER_ROWS},
    {"calls", OUTPUT_CALL_RECORDED, true, true, call_columns, sizeof call_columns / sizeof call_columns[0], CALL_ROWS},
    {"balances", OUTPUT_BALANCE_CHANGED, false, true, balance_columns,
     sizeof balance_columns / sizeof balance_columns[0], BALANCE_ROWS},
};

/* The records' own lines. */

static bool is_of_lines(const struct export *export)
{
    return export->format == NDJSON && subjects[export->subject].has_lines;
}

static bool is_wanted(const struct export *export, uint32_t partition, const struct output *output)
{
    const struct range *range = &export->range;
    if (output->type != subjects[export->subject].type || !range_has_account(range, partition, output->subject))
        return false;
    if (output->type == OUTPUT_CALL_RECORDED)
        return range_has_day(range, instant_day(output->data.call.ended_at_ms));
    return range_of_entry(range, partition, output->data.entry.entry, output->data.entry.date) == RANGE_WITHIN;
}

static bool write_lines(void *context, const struct history_step *step)
{
    struct export *export = context;
    export->line.len = 0;
    for (size_t i = 0; i < step->outputs->count; i++) {
        if (!is_wanted(export, step->partition, &step->outputs->items[i]))
            continue;
        output_encode(&export->line, step->outputs, i);
        buffer_text(&export->line, "\n");
    }
    if (export->line.len > 0)
        fwrite(export->line.at, 1, export->line.len, export->file.stream);
    return !ferror(export->file.stream); /* outfile_keep says why */
}

/* What is asked of the books. */

static void write_table(struct export *export)
{
    const char *rows = subjects[export->subject].rows;
    struct sql_statement *question = sql_prepare(books_sql(export->books), rows);
    struct table *table = table_begin(export->format == CSV ? TABLE_CSV : TABLE_LINES, export->file.stream,
                                      subjects[export->subject].columns, subjects[export->subject].count);
    sql_begin(question);
    if (export->subject == CALLS) {
        sql_string(question, export->range.from);
        sql_string(question, export->range.to);
    }
    query_rows(question, table, subjects[export->subject].columns, subjects[export->subject].count);
    table_end(table);
}

static bool copy_database(const char *path, FILE *out, struct store_error *error)
{
    char bytes[65536];
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return fail_with_errno(error, errno, "read", path);
    for (size_t len; (len = fread(bytes, 1, sizeof bytes, in)) > 0;)
        fwrite(bytes, 1, len, out);
    bool is_read = !ferror(in) || fail_with_errno(error, errno, "read", path);
    fclose(in);
    return is_read;
}

/* Doing it. */

static bool fill_books(void *context, const struct history_step *step)
{
    struct export *export = context;
    return books_step(export->books, step);
}

/* A name that was never opened is a slip of the pen, not an account without entries. */
static bool check_account(const struct export *export, const struct history *history, struct store_error *error)
{
    const char *account = export->range.account;
    bool is_known = account == NULL;
    for (uint32_t i = 0; i < PARTITIONS_MAX && !is_known; i++) {
        struct fold *fold = history_fold(history, i);
        is_known = fold != NULL && books_find_account(fold, text_of(account)) != NULL;
    }
    return is_known || fail_with(error, EX_DATAERR, "no account %s was opened in these events", account);
}

static bool fold(struct export *export)
{
    struct store_error *error = &export->error;
    export->from.account = export->range.account;
    export->from.range = &export->range;
    struct history *history = history_open(&export->from, &HISTORY_TO_THE_END, error);
    error->code = history != NULL ? EX_OK : error->code;
    bool is_done = history != NULL && (export->books == NULL || books_begin(export->books, history)) &&
                   history_run(history, export->books != NULL ? fill_books : write_lines, export, error) &&
                   error->code == EX_OK && check_account(export, history, error) &&
                   (export->books == NULL || books_end(export->books, history));
    history_close(history);
    return is_done;
}

/* The database is the file itself, or one in a scratch directory. */
static bool write_books(struct export *export, const char *path)
{
    struct store_error *error = &export->error;
    export->books = books_open(path, &export->range, error);
    bool is_done = export->books != NULL && fold(export);
    if (is_done && export->format == SQLITE)
        sql_script(books_sql(export->books), "VACUUM"); /* calls that no range wants have left their room */
    else if (is_done && export->format == HLEDGER)
        journal_write(export->books, &export->range, export->file.stream);
    else if (is_done)
        write_table(export);
    is_done = books_close(export->books) && is_done;
    if (!is_done || export->format != SQLITE || export->output != NULL)
        return is_done;
    return copy_database(path, export->file.stream, error);
}

static bool write_from_scratch(struct export *export)
{
    char *dir = scratch_make(&export->error), *path;
    if (dir == NULL)
        return false;
    if (asprintf(&path, "%s/books.db", dir) < 0)
        abort();
    bool is_done = write_books(export, path);
    free(path);
    scratch_remove(dir);
    return is_done;
}

static bool write_all(struct export *export)
{
    if (is_of_lines(export))
        return fold(export);
    if (export->format == SQLITE && export->output != NULL)
        return write_books(export, export->file.partial);
    return write_from_scratch(export);
}

static int run(struct export *export)
{
    struct store_error *error = &export->error;
    bool is_done = outfile_open(&export->file, export->output, error);
    if (is_done)
        is_done = write_all(export) && outfile_keep(&export->file, error);
    outfile_drop(&export->file);
    return is_done ? EX_OK : message_fail(error->code, "%s", error->message);
}

/* The command line. */

static bool find_word(const char *word, const char *const *words, size_t count, const char *what, unsigned *index)
{
    for (*index = 0; *index < count; ++*index)
        if (strcmp(word, words[*index]) == 0)
            return true;
    const char *meant = closest_word(word, words, count);
    message_error("'%s' is no %s%s%s%s", word, what, meant != NULL ? "; did you mean '" : "",
                  meant != NULL ? meant : "", meant != NULL ? "'?" : "");
    return false;
}

static bool check_pair(const struct export *export)
{
    if (export->format == SQLITE && export->subject != LEDGER)
        message_error("a database holds ledger, calls and balances together: export ledger --format sqlite");
    else if (export->format == HLEDGER && export->subject != LEDGER)
        message_error("an hledger journal is made of ledger entries, not of %s: export ledger --format hledger",
                      subjects[export->subject].name);
    else if (export->subject == CALLS && export->range.is_by_entry)
        message_error("--from-entry and --to-entry count ledger entries: choose calls by --from and --to");
    else if (export->format == SQLITE && export->output == NULL && isatty(STDOUT_FILENO))
        message_error("a database is no text: give --output FILE");
    else
        return true;
    return false;
}

static bool check_base(const struct export *export)
{
    if (export->from.base.snapshots == NULL && export->from.base.state == NULL)
        return true;
    if (is_of_lines(export) || (export->format == CSV && !subjects[export->subject].has_sums))
        return true;
    message_error("sums and settings need all that came before: --snapshots and --state go with the ledger as csv, and "
                  "with ledger and calls as ndjson");
    return false;
}

static bool check(struct export *export, const char *subject)
{
    const char *const names[SUBJECT_COUNT] = {subjects[0].name, subjects[1].name, subjects[2].name};
    unsigned at;
    if (!find_word(subject, names, SUBJECT_COUNT, "export: ledger, calls or balances", &at))
        return false;
    export->subject = (enum subject)at;
    if (!find_word(export->format_name, formats, FORMAT_COUNT, "format: csv, ndjson, sqlite or hledger", &at))
        return false;
    export->format = (enum format)at;
    return history_check(&export->from, "callfold-replay export") && range_check(&export->range) &&
           check_pair(export) && check_base(export);
}

static void finish(struct export *export)
{
    buffer_free(&export->line);
    range_free(&export->range);
    history_options_free(&export->from);
}

int cmd_export(int argc, char **argv)
{
    static struct export export; /* the range alone has room for every partition */
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        HISTORY_OPTION_SPECS(export.from),
        {.name = "format", .kind = OPTION_TEXT, .target = &export.format_name, .value = "FORMAT", .required = true,
         .help = "csv, ndjson (JSON lines), sqlite (a database of all\nthe books) or hledger (a journal); the last two of\n"
                 "the ledger only"},
        RANGE_OPTION_SPECS(export.range),
        OUTPUT_OPTION_SPEC(export.output),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay export",
        .usage = "ledger|calls|balances --format FORMAT\n--events FILE|DIR|-\n"
                 "ledger|calls|balances --format FORMAT\n--kafka FILE [-X NAME=VALUE]...",
        .about = "Folds the events again and writes what they mean in money, for the tools that\n"
                 "finance uses. Without a range: everything. With one, what came before it is the\n"
                 "opening balances. Sums are checked on the way. With --snapshots, entries and\n"
                 "call records of a range need not be folded from the first event.\n"
                 "docs/finance.md says what the ledger's accounts mean, callfold-replay(1) what is\n"
                 "in each column.",
        .examples = "  callfold-replay export ledger --format sqlite --events day.jsonl \\\n"
                    "      --output books.db\n"
                    "  callfold-replay export ledger --format hledger --events day.jsonl \\\n"
                    "      --from 2026-11-01\n"
                    "  callfold-replay export calls --format csv --events day.jsonl --account acct-17",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_least = 1,
        .operands_most = 1,
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check(&export, argv[1]) ? run(&export) : EX_USAGE;
    finish(&export);
    return exit_code;
}
