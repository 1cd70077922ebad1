/* cmd_reconcile.c - callfold-replay reconcile: our call records against a carrier's. */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/instant.h"
#include "events/money.h"
#include "processor/fold/state.h"
#include "replay-tool/commands.h"
#include "replay-tool/reconciliation.h"
#include "replay-tool/witness.h"
#include "terminal/message.h"
#include "terminal/table.h"

/* Of a destination, in a currency. */
struct sums {
    struct name destination;
    uint32_t currency;
    int64_t our_calls, their_calls, matched, different, missing, extra;
    int64_t our_ms, their_ms, our_micros, their_micros;
};

struct reconcile {
    struct history_options from;
    struct cdr_options options;
    const char *match, *from_day, *to_day, *tolerance_amount;
    bool totals;
    struct tolerances tolerances;
    int64_t first_ms, end_ms;
    enum table_format format;
    struct cdr *cdr;
    bool by_id;
    struct reconciliation *reconciliation;
    struct store_error error;
    /* what was found */
    struct table *table; /* NULL: only totals are wanted */
    void *sums;          /* a tree of struct sums */
    int64_t differences, matched;
};

/* --- differences --- */

static const struct table_column columns[] = {
    {"differs", "Differs", COLUMN_LIST, NULL, 0},
    {"line", "Line", COLUMN_NUMBER, NULL, 0},
    {"account", "Account", COLUMN_WORD, "", 0},
    {"call_id", "Call", COLUMN_NAME, "", 0},
    {"from", "From", COLUMN_NAME, "", 3},
    {"to", "To", COLUMN_NAME, "", 0},
    {"destination", "Destination", COLUMN_NAME, "", 2},
    {"start", "Start", COLUMN_WORD, "", 0},
    {"their_start", "theirs", COLUMN_WORD, "", 1},
    {"duration_ms", "Talk", COLUMN_DURATION, NULL, 0},
    {"their_duration_ms", "theirs", COLUMN_DURATION, NULL, 0},
    {"billed_ms", "Billed", COLUMN_DURATION, NULL, 4},
    {"their_billed_ms", "theirs", COLUMN_DURATION, "", 4},
    {"amount", "Amount", COLUMN_AMOUNT, NULL, 0},
    {"their_amount", "theirs", COLUMN_AMOUNT, "", 0},
    {"currency", "", COLUMN_WORD, "", 0},
};

static const char *kinds_text(unsigned kinds, char text[128])
{
    static const char *const names[] = {"missing",  "extra",  "repeated", "number",  "start",
                                        "duration", "billed", "amount",   "currency"};
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (kinds & (1u << i))
            len += (size_t)snprintf(text + len, 128 - len, "%s%s", len > 0 ? " " : "", names[i]);
    return text;
}

static void duration_cell(struct table *table, bool has, int64_t ms)
{
    if (has)
        table_duration(table, ms);
    else
        table_blank(table);
}

static void money_cell(struct table *table, bool has, int64_t micros)
{
    if (has)
        table_money(table, micros);
    else
        table_blank(table);
}

static void instant_cell(struct table *table, bool has, int64_t ms)
{
    if (has)
        table_instant(table, ms);
    else
        table_blank(table);
}

static void print_names(struct table *table, const struct difference_found *found)
{
    const struct our_call *ours = found->ours;
    const struct cdr_line *theirs = found->theirs;
    table_text(table, ours != NULL ? ours->account : theirs->account);
    table_text(table, ours != NULL ? ours->call_id : theirs->call_id);
    table_text(table, ours != NULL ? ours->from : theirs->from);
    table_text(table, ours != NULL ? ours->to : theirs->to);
    table_text(table, ours != NULL && ours->destination.len > 0 ? ours->destination
                      : theirs != NULL                          ? theirs->destination
                                                                : TEXT_NONE);
}

static void print_difference(const struct reconcile *reconcile, const struct difference_found *found)
{
    struct table *table = reconcile->table;
    const struct our_call *ours = found->ours;
    const struct cdr_line *theirs = found->theirs;
    bool we = ours != NULL, they = theirs != NULL;
    char kinds[128];
    table_row(table, NULL);
    table_string(table, kinds_text(found->kinds, kinds));
    if (they)
        table_number(table, theirs->line, 0);
    else
        table_blank(table);
    print_names(table, found);
    instant_cell(table, we, we ? ours->start_ms : 0);
    instant_cell(table, they && cdr_has(reconcile->cdr, CDR_START), they ? theirs->start_ms : 0);
    duration_cell(table, we, we ? ours->duration_ms : 0);
    duration_cell(table, they && cdr_has(reconcile->cdr, CDR_DURATION), they ? theirs->duration_ms : 0);
    duration_cell(table, we, we ? ours->billed_ms : 0);
    duration_cell(table, they && cdr_has(reconcile->cdr, CDR_BILLED), they ? theirs->billed_ms : 0);
    money_cell(table, we, we ? ours->amount_micros : 0);
    money_cell(table, they && cdr_has(reconcile->cdr, CDR_AMOUNT), they ? theirs->amount_micros : 0);
    if (we || theirs->currency != 0)
        table_currency(table, we ? ours->currency : theirs->currency);
    else
        table_blank(table);
}

/* --- sums --- */

static int compare_sums(const void *left, const void *right)
{
    const struct sums *a = left, *b = right;
    int order = strcmp(a->destination.at, b->destination.at);
    return order != 0 ? order : (a->currency > b->currency) - (a->currency < b->currency);
}

static struct sums *sums_of(struct reconcile *reconcile, struct text destination, uint32_t currency)
{
    const struct sums wanted = {.destination = name_of(destination), .currency = currency};
    struct sums **found = (struct sums **)tfind(&wanted, &reconcile->sums, compare_sums);
    if (found != NULL)
        return *found;
    struct sums *sums = must_alloc(malloc(sizeof *sums));
    *sums = wanted;
    if (tsearch(sums, &reconcile->sums, compare_sums) == NULL)
        abort();
    return sums;
}

/* Theirs count where ours does: by our name of the destination, in our currency unless they say another. */
static void add_up(struct reconcile *reconcile, const struct difference_found *found)
{
    const struct our_call *ours = found->ours;
    const struct cdr_line *theirs = found->theirs;
    struct text destination = ours != NULL ? ours->destination : theirs->destination;
    uint32_t currency = ours != NULL ? ours->currency : theirs->currency;
    struct sums *sums = sums_of(reconcile, destination, currency);
    sums->matched += ours != NULL && theirs != NULL;
    sums->different += ours != NULL && theirs != NULL && found->kinds != 0;
    sums->missing += theirs == NULL;
    sums->extra += ours == NULL;
    if (ours != NULL) {
        sums->our_calls++;
        sums->our_ms += ours->duration_ms;
        sums->our_micros += ours->amount_micros;
    }
    if (theirs == NULL)
        return;
    sums->their_calls++;
    sums->their_ms += theirs->duration_ms;
    if (theirs->currency == 0 || theirs->currency == currency)
        sums->their_micros += theirs->amount_micros;
    else
        sums_of(reconcile, destination, theirs->currency)->their_micros += theirs->amount_micros;
}

static void visit_found(void *context, const struct difference_found *found)
{
    struct reconcile *reconcile = context;
    add_up(reconcile, found);
    reconcile->matched += found->ours != NULL && found->theirs != NULL;
    if (found->kinds == 0)
        return;
    reconcile->differences++;
    if (reconcile->table != NULL)
        print_difference(reconcile, found);
}

/* clang-format off */
static const struct table_column sum_columns[] = {
    {"destination", "Destination", COLUMN_NAME, NULL, 0},
    {"currency", "", COLUMN_WORD, "", 0},
    {"calls", "Calls", COLUMN_NUMBER, NULL, 0},
    {"their_calls", "theirs", COLUMN_NUMBER, NULL, 0},
    {"matched", "Matched", COLUMN_NUMBER, NULL, 3},
    {"different", "Different", COLUMN_NUMBER, "0", 0},
    {"missing", "Missing", COLUMN_NUMBER, "0", 0},
    {"extra", "Extra", COLUMN_NUMBER, "0", 0},
    {"duration_ms", "Talk", COLUMN_DURATION, NULL, 0},
    {"their_duration_ms", "theirs", COLUMN_DURATION, "", 0},
    {"amount", "Amount", COLUMN_AMOUNT, NULL, 0},
    {"their_amount", "theirs", COLUMN_AMOUNT, "", 0},
    {"difference", "Difference", COLUMN_AMOUNT, "", 0},
};
/* clang-format on */

static void print_sums(const void *node, VISIT visit, void *context)
{
    const struct reconcile *reconcile = context;
    struct table *table = reconcile->table;
    const struct sums *sums = *(struct sums *const *)node;
    if (visit != postorder && visit != leaf)
        return;
    table_row(table, NULL);
    if (sums->destination.at[0] != '\0')
        table_string(table, sums->destination.at);
    else
        table_blank(table);
    if (sums->currency != 0)
        table_currency(table, sums->currency);
    else
        table_blank(table);
    const int64_t counts[] = {sums->our_calls, sums->their_calls, sums->matched,
                              sums->different, sums->missing,     sums->extra};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        table_number(table, counts[i], 0);
    table_duration(table, sums->our_ms);
    duration_cell(table, cdr_has(reconcile->cdr, CDR_DURATION), sums->their_ms);
    table_money(table, sums->our_micros);
    money_cell(table, cdr_has(reconcile->cdr, CDR_AMOUNT), sums->their_micros);
    money_cell(table, cdr_has(reconcile->cdr, CDR_AMOUNT), sums->their_micros - sums->our_micros);
}

static bool print_totals(struct reconcile *reconcile)
{
    reconcile->table = table_begin(reconcile->format, stdout, sum_columns, sizeof sum_columns / sizeof sum_columns[0]);
    table_title(reconcile->table, "By destination");
    twalk_r(reconcile->sums, print_sums, reconcile);
    return table_end(reconcile->table);
}

/* --- doing it --- */

static bool visit_step(void *context, const struct history_step *step)
{
    struct reconcile *reconcile = context;
    reconciliation_step(reconcile->reconciliation, step);
    return true;
}

static bool fold(struct reconcile *reconcile)
{
    struct history *history = history_open(&reconcile->from, &HISTORY_TO_THE_END, &reconcile->error);
    bool is_done = history != NULL && history_run(history, visit_step, reconcile, &reconcile->error);
    history_close(history);
    return is_done;
}

static void match(struct reconcile *reconcile)
{
    reconciliation_run(reconcile->reconciliation, reconcile->cdr, reconcile->by_id, reconcile->first_ms,
                       reconcile->end_ms, &reconcile->tolerances, visit_found, reconcile);
}

/* Differences and sums; of JSON an object of both. CSV has one table. */
static bool tell(struct reconcile *reconcile)
{
    bool is_both = !reconcile->totals && reconcile->format == TABLE_JSON, is_written = true;
    if (is_both)
        printf("{\"differences\":");
    if (!reconcile->totals) {
        reconcile->table = table_begin(reconcile->format, stdout, columns, sizeof columns / sizeof columns[0]);
        table_title(reconcile->table, "Differences");
    }
    match(reconcile);
    if (reconcile->table != NULL)
        is_written = table_end(reconcile->table);
    if (reconcile->format == TABLE_ALIGNED && !reconcile->totals)
        printf("\n");
    if (is_both)
        printf(",\"totals\":");
    if (reconcile->totals || reconcile->format != TABLE_CSV)
        is_written &= print_totals(reconcile);
    if (is_both)
        printf("}\n");
    return fflush(stdout) == 0 && is_written;
}

static int judge(const struct reconcile *reconcile)
{
    char matched[COUNT_TEXT_MAX], differences[COUNT_TEXT_MAX];
    message_note("calls matched: %s, differences: %s", count_format(reconcile->matched, matched),
                 count_format(reconcile->differences, differences));
    return reconcile->differences > 0 ? EXIT_DIFFERS : EX_OK;
}

/* What the calls are matched by, and whether the file has that. */
static int choose_match(struct reconcile *reconcile)
{
    static const enum cdr_column by_numbers[] = {CDR_FROM, CDR_TO, CDR_START};
    reconcile->by_id =
        reconcile->match != NULL ? strcmp(reconcile->match, "call-id") == 0 : cdr_has(reconcile->cdr, CDR_CALL_ID);
    if (reconcile->by_id)
        return cdr_has(reconcile->cdr, CDR_CALL_ID)
                   ? EX_OK
                   : message_fail(EX_USAGE, "%s has no column call_id: --map call_id=THEIRS says which it is",
                                  reconcile->options.path);
    for (size_t i = 0; i < 3; i++)
        if (!cdr_has(reconcile->cdr, by_numbers[i]))
            return message_fail(EX_USAGE,
                                "%s has no column %s, which calls without an id are matched by: --map %s=THEIRS says "
                                "which it is",
                                reconcile->options.path, cdr_column_word(by_numbers[i]),
                                cdr_column_word(by_numbers[i]));
    return EX_OK;
}

static int run(struct reconcile *reconcile)
{
    int code = cdr_open(&reconcile->cdr, &reconcile->options);
    if (code == EX_OK)
        code = choose_match(reconcile);
    if (code != EX_OK)
        return code;
    reconcile->reconciliation = reconciliation_new();
    if (!fold(reconcile))
        return message_fail(reconcile->error.code, "%s", reconcile->error.message);
    return tell(reconcile) ? judge(reconcile) : message_fail(EX_IOERR, "standard output could not be written");
}

/* --- the question --- */

static bool check_day(const char *option, const char *text, int after, int64_t *ms)
{
    int32_t day;
    if (text == NULL)
        return true;
    if (!day_parse(text_of(text), &day)) {
        message_error("--%s: '%s' is no day; write it as 2026-11-23", option, text);
        return false;
    }
    *ms = day_start_ms(day + after);
    return true;
}

static bool is_one_of(const char *option, const char *value, const char *first, const char *second)
{
    if (value == NULL || strcmp(value, first) == 0 || strcmp(value, second) == 0)
        return true;
    message_error("--%s: '%s' is neither %s nor %s", option, value, first, second);
    return false;
}

static bool check(struct reconcile *reconcile, bool json, bool csv)
{
    const char *events = reconcile->from.source.events;
    reconcile->first_ms = INT64_MIN;
    reconcile->end_ms = INT64_MAX;
    if (!source_check(&reconcile->from.source, "callfold-replay reconcile") ||
        !table_format_chosen(json, csv, &reconcile->format) ||
        !is_one_of("match", reconcile->match, "call-id", "numbers") ||
        !is_one_of("duration-unit", reconcile->options.unit, "s", "ms") ||
        !check_day("from", reconcile->from_day, 0, &reconcile->first_ms) ||
        !check_day("to", reconcile->to_day, 1, &reconcile->end_ms))
        return false;
    if (!money_parse(text_of(reconcile->tolerance_amount), &reconcile->tolerances.amount_micros) ||
        reconcile->tolerances.amount_micros < 0)
        message_error("--tolerance-amount: '%s' is no amount, such as 0.01", reconcile->tolerance_amount);
    else if (events != NULL && strcmp(events, "-") == 0 && strcmp(reconcile->options.path, "-") == 0)
        message_error("--events and --cdr cannot both be standard input");
    else
        return true;
    return false;
}

static void finish(struct reconcile *reconcile)
{
    cdr_close(reconcile->cdr);
    reconciliation_free(reconcile->reconciliation);
    tdestroy(reconcile->sums, free);
    history_options_free(&reconcile->from);
    free(reconcile->options.map.values);
}

int cmd_reconcile(int argc, char **argv)
{
    struct reconcile reconcile = {.tolerances = {.duration_ms = 1000, .start_ms = 2000}, .tolerance_amount = "0"};
    bool json = false, csv = false;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "cdr", .kind = OPTION_TEXT, .target = &reconcile.options.path, .value = "FILE.csv|-",
         .required = true, .help = "the carrier's call records; the first line names the\ncolumns"},
        {.name = "map", .kind = OPTION_LIST, .target = &reconcile.options.map, .value = "OURS=THEIRS,...",
         .help = "which column is which: call_id, account, from, to,\n"
                 "start, duration, billed, amount, currency,\n"
                 "destination; OURS= alone: none. Usual names are known"},
        {.name = "match", .kind = OPTION_TEXT, .target = &reconcile.match, .value = "call-id|numbers",
         .help = "by call_id (where there is such a column), or by from,\nto and start"},
        {.name = "duration-unit", .kind = OPTION_TEXT, .target = &reconcile.options.unit, .value = "s|ms",
         .help = "of durations (s, unless the column is called ...ms)"},
        {.name = "tolerance-ms", .kind = OPTION_NUMBER, .target = &reconcile.tolerances.duration_ms, .value = "MS",
         .least = 0, .most = INT64_MAX, .help = "how far durations may be apart (1000)"},
        {.name = "tolerance-start-ms", .kind = OPTION_NUMBER, .target = &reconcile.tolerances.start_ms, .value = "MS",
         .least = 0, .most = INT64_MAX, .help = "how far starts may be apart (2000)"},
        {.name = "tolerance-amount", .kind = OPTION_TEXT, .target = &reconcile.tolerance_amount, .value = "AMOUNT",
         .help = "how far amounts may be apart (0)"},
        {.name = "from", .kind = OPTION_TEXT, .target = &reconcile.from_day, .value = "DAY",
         .help = "calls that started on this UTC day or later"},
        {.name = "to", .kind = OPTION_TEXT, .target = &reconcile.to_day, .value = "DAY",
         .help = "calls that started on this UTC day or earlier"},
        {.name = "totals", .kind = OPTION_FLAG, .target = &reconcile.totals, .help = "only the sums by destination"},
        SOURCE_OPTION_SPECS(reconcile.from.source),
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "an object with differences and totals"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "the differences as CSV; with --totals the sums"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay reconcile",
        .usage = "--events FILE|- --cdr FILE.csv\n[--map OURS=THEIRS,...]...",
        .about = "Compares our call records, folded from the events, with a carrier's: what is\n"
                 "missing there, what is extra, other durations and amounts, and the sums by\n"
                 "destination. Exits with 1 when something differs. Inbound calls are left out;\n"
                 "one that was never talked on is not missing.",
        .examples = "  callfold-replay reconcile --events events.jsonl --cdr october.csv\n"
                    "  callfold-replay reconcile --events archive --cdr october.csv \\\n"
                    "      --from 2026-10-01 --to 2026-10-31 --map from=ani,to=dnis,start=connect",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check(&reconcile, json, csv) ? run(&reconcile) : EX_USAGE;
    finish(&reconcile);
    return exit_code;
}
