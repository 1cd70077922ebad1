/* cmd_what_if.c - callfold-replay what-if: the same history at other prices, or by another policy. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/fold/state.h"
#include "replay-tool/alteration.h"
#include "replay-tool/commands.h"
#include "replay-tool/tally.h"
#include "terminal/message.h"
#include "terminal/table.h"

struct what_if {
    struct history_options from;
    struct alteration_options options;
    enum table_format format;
    struct alteration *alteration;
    struct tally *tally;
    enum tally_side side;
    bool is_refused; /* the alteration; said */
    struct store_error error;
    /* while it is printed */
    struct table *table;
    enum tally_group group;
    bool is_split; /* a table for each group */
};

/* --- folding --- */

static bool visit(void *context, const struct history_step *step)
{
    struct what_if *what_if = context;
    if (what_if->side == SIDE_BEFORE)
        alteration_learn(what_if->alteration, step);
    else
        what_if->is_refused = !alteration_check(what_if->alteration, step);
    tally_step(what_if->tally, what_if->side, step);
    return !what_if->is_refused;
}

static bool fold(struct what_if *what_if, enum tally_side side)
{
    what_if->side = side;
    what_if->from.label = side == SIDE_BEFORE ? "as it was" : "as it might have been";
    struct history *history = history_open(&what_if->from, &HISTORY_TO_THE_END, &what_if->error);
    if (history != NULL && side == SIDE_AFTER)
        history_set_alter(history, alteration_alter, what_if->alteration);
    bool is_done = history != NULL && history_run(history, visit, what_if, &what_if->error);
    history_close(history);
    return is_done;
}

/* --- telling --- */

static const struct table_column columns[] = {
    {"by", "", COLUMN_WORD, "", 0}, /* people have a table for each */
    {"name", "Name", COLUMN_NAME, "", 0},
    {"currency", "", COLUMN_WORD, NULL, 0},
    {"calls_before", "Calls", COLUMN_NUMBER, NULL, 0},
    {"calls_after", "after", COLUMN_NUMBER, NULL, 3},
    {"talked_before_ms", "Talk", COLUMN_DURATION, NULL, 4},
    {"talked_after_ms", "after", COLUMN_DURATION, NULL, 4},
    {"billed_before_ms", "Billed", COLUMN_DURATION, NULL, 2},
    {"billed_after_ms", "after", COLUMN_DURATION, NULL, 2},
    {"revenue_before", "Revenue", COLUMN_AMOUNT, NULL, 0},
    {"revenue_after", "after", COLUMN_AMOUNT, NULL, 0},
    {"difference", "Difference", COLUMN_AMOUNT, NULL, 0},
    {"uncollected_before", "Uncollected", COLUMN_AMOUNT, "0", 1},
    {"uncollected_after", "after", COLUMN_AMOUNT, "0", 1},
    {"cut_before", "Cut", COLUMN_NUMBER, "0", 0},
    {"cut_after", "after", COLUMN_NUMBER, "0", 0},
    {"refused", "Refused", COLUMN_NUMBER, "0", 0},
    {"allowed", "Allowed", COLUMN_NUMBER, "0", 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static const struct table_column reason_columns[] = {
    {"reason", "Reason", COLUMN_WORD, NULL, 0},
    {"refused", "Refused", COLUMN_NUMBER, NULL, 0},
};

static void print_figures(struct table *table, const struct tally_row *row)
{
    for (int side = 0; side < TALLY_SIDES; side++)
        table_number(table, row->side[side].calls, 0);
    for (int side = 0; side < TALLY_SIDES; side++)
        table_duration(table, row->side[side].talked_ms);
    for (int side = 0; side < TALLY_SIDES; side++)
        table_duration(table, row->side[side].billed_ms);
    for (int side = 0; side < TALLY_SIDES; side++)
        table_money(table, row->side[side].revenue_micros);
    table_money(table, row->side[SIDE_AFTER].revenue_micros - row->side[SIDE_BEFORE].revenue_micros);
    for (int side = 0; side < TALLY_SIDES; side++)
        table_money(table, row->side[side].uncollected_micros);
    for (int side = 0; side < TALLY_SIDES; side++)
        table_number(table, row->side[side].cut, 0);
}

static void print_row(void *context, const struct tally_row *row)
{
    static const char *const groups[] = {[BY_TOTAL] = "total",
                                         [BY_ORIGIN] = "origin",
                                         [BY_DESTINATION] = "destination",
                                         [BY_ACCOUNT] = "account",
                                         [BY_REASON] = "refused for"};
    struct what_if *what_if = context;
    struct table *table = what_if->table;
    if (what_if->is_split && row->group != what_if->group)
        return;
    table_row(table, NULL);
    table_string(table, what_if->is_split ? "" : groups[row->group]);
    if (row->name.at[0] != '\0')
        table_string(table, row->name.at);
    else
        table_blank(table);
    if (row->group == BY_REASON) {
        for (size_t i = 2; i < COLUMNS - 2; i++)
            table_blank(table);
    } else {
        table_currency(table, row->currency);
        print_figures(table, row);
    }
    table_number(table, row->refused, 0);
    table_number(table, row->allowed, 0);
}

static void print_reason(void *context, const struct tally_row *row)
{
    struct what_if *what_if = context;
    if (row->group != BY_REASON)
        return;
    table_row(what_if->table, NULL);
    table_string(what_if->table, row->name.at);
    table_number(what_if->table, row->refused, 0);
}

/* One table for programs. */
static bool tell_programs(struct what_if *what_if)
{
    what_if->table = table_begin(what_if->format, stdout, columns, COLUMNS);
    tally_each(what_if->tally, print_row, what_if);
    return table_end(what_if->table);
}

/* For people one for each group, and one for the reasons of those refused. */
static bool tell_people(struct what_if *what_if)
{
    static const char *const titles[] = {"In all", "By origin of the number", "By destination", "By account",
                                         "Refused now, authorized before"};
    bool is_written = true;
    what_if->is_split = true;
    for (unsigned group = 0; group < TALLY_GROUPS; group++) {
        bool by_reason = group == BY_REASON;
        what_if->group = (enum tally_group)group;
        if (group > 0)
            printf("\n");
        what_if->table = by_reason ? table_begin(TABLE_ALIGNED, stdout, reason_columns, 2)
                                   : table_begin(TABLE_ALIGNED, stdout, columns, COLUMNS);
        table_title(what_if->table, titles[group]);
        tally_each(what_if->tally, by_reason ? print_reason : print_row, what_if);
        is_written &= table_end(what_if->table);
    }
    return is_written;
}

static int tell(struct what_if *what_if)
{
    bool is_written = what_if->format == TABLE_ALIGNED ? tell_people(what_if) : tell_programs(what_if);
    return is_written ? EX_OK : message_fail(EX_IOERR, "standard output could not be written");
}

static int run(struct what_if *what_if)
{
    int code = alteration_open(&what_if->alteration, &what_if->options);
    if (code != EX_OK)
        return code;
    what_if->tally = tally_new();
    if (!fold(what_if, SIDE_BEFORE) || !fold(what_if, SIDE_AFTER))
        return message_fail(what_if->error.code, "%s", what_if->error.message);
    return what_if->is_refused ? EX_USAGE : tell(what_if);
}

static bool check(struct what_if *what_if, bool json, bool csv)
{
    const char *events = what_if->from.source.events;
    if (!source_check(&what_if->from.source, "callfold-replay what-if") ||
        !table_format_chosen(json, csv, &what_if->format))
        return false;
    if (what_if->options.deck_path == NULL && what_if->options.policy.count == 0)
        message_error("what would have been otherwise? --deck DECK.csv, --policy NAME=VALUE, or both");
    else if (events != NULL && strcmp(events, "-") == 0)
        message_error("the history is folded twice, and standard input is read only once: name a file");
    else
        return true;
    return false;
}

static void finish(struct what_if *what_if)
{
    alteration_close(what_if->alteration);
    tally_free(what_if->tally);
    history_options_free(&what_if->from);
    free(what_if->options.deck.origins.values);
    free(what_if->options.policy.values);
}

int cmd_what_if(int argc, char **argv)
{
    struct what_if what_if = {.options.deck_id = "what-if"};
    bool json = false, csv = false;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "deck", .kind = OPTION_TEXT, .target = &what_if.options.deck_path, .value = "DECK.csv",
         .help = "this rate deck instead of the history's for all of\nits origins, from the first record on"},
        {.name = "deck-id", .kind = OPTION_TEXT, .target = &what_if.options.deck_id, .value = "ID",
         .help = "what it is called (what-if)"},
        DECK_OPTION_SPECS("currency", what_if.options.deck),
        {.name = "policy", .kind = OPTION_LIST, .target = &what_if.options.policy, .value = "NAME=VALUE",
         .help = "this policy instead of the history's; the value as in\n"
                 "policy.configured: max_call_ms=3600000,\n"
                 "'daily_spend={\"USD\":\"25\"}'; may be repeated"},
        SOURCE_OPTION_SPECS(what_if.from.source),
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "an array of objects, for programs"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "comma-separated values, for spreadsheets"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay what-if",
        .usage = "--events FILE --deck DECK.csv\n--events FILE --policy NAME=VALUE...",
        .about = "Folds the history twice, as it was and with another rate deck or policy from\n"
                 "its first record on, and compares: revenue, minutes, calls cut, calls refused\n"
                 "that were authorized and the other way round, by origin, destination and\n"
                 "account, in each currency. Everybody is taken to call, talk and top up as they\n"
                 "did: who was cut talked on, which counts as uncollected; a call that would\n"
                 "have been allowed brings nothing, for nobody knows how long it had been.",
        .examples = "  callfold-replay what-if --events events.jsonl --deck 2027.csv\n"
                    "  callfold-replay what-if --events events.jsonl --policy max_call_ms=3600000",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check(&what_if, json, csv) ? run(&what_if) : EX_USAGE;
    finish(&what_if);
    return exit_code;
}
