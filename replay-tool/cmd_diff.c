/* cmd_diff.c - callfold-replay diff: in what two states, snapshots or directories of outputs differ. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "replay-tool/commands.h"
#include "replay-tool/diff.h"
#include "snapshots/isolated.h"
#include "terminal/message.h"

#define SHOWN_MAX 40 /* bytes of a value on a terminal */

/* A terminal has no room for hashes and running states; programs get them whole. */
static void show_value(const struct diff *diff, struct text value)
{
    char shown[SHOWN_MAX + 4];
    if (diff->format != TABLE_ALIGNED || value.len <= SHOWN_MAX) {
        table_text(diff->table, value);
        return;
    }
    snprintf(shown, sizeof shown, "%.*s...", SHOWN_MAX, value.at);
    table_string(diff->table, shown);
}

void diff_row(struct diff *diff, uint32_t partition, enum diff_change change, const char *kind, struct text key,
              struct text field, struct text a, struct text b)
{
    static const char *const words[] = {"changed", "added", "removed"};
    static const char *const colours[] = {NULL, "green", "red"};
    diff->count++;
    table_row(diff->table, colours[change]);
    table_number(diff->table, partition, 0);
    table_string(diff->table, words[change]);
    table_string(diff->table, kind);
    table_text(diff->table, key);
    table_text(diff->table, field);
    show_value(diff, a);
    show_value(diff, b);
}

static bool has_outputs(const char *dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.jsonl", dir, output_topic_name(TOPIC_LEDGER));
    return access(path, R_OK) == 0;
}

static int compare(struct diff *diff)
{
    struct diff_stores a, b;
    int exit_code;
    diff_stores_find(diff->a, &a);
    diff_stores_find(diff->b, &b);
    if (a.count > 0 && b.count > 0)
        exit_code = diff_states(diff, &a, &b);
    else if (has_outputs(diff->a) && has_outputs(diff->b))
        exit_code = diff_outputs(diff);
    else
        exit_code = message_fail(EX_CONFIG,
                                 "%s and %s are not two states, snapshots or directories of outputs: name what "
                                 "--state, --snapshots or --out of callfold run was given, or one snapshot",
                                 diff->a, diff->b);
    diff_stores_free(&a);
    diff_stores_free(&b);
    return exit_code;
}

static int run(void *context)
{
    static const struct table_column columns[] = {
        {"partition", "PARTITION", COLUMN_NUMBER, "0", 1},
        {"change", "CHANGE", COLUMN_WORD, NULL, 0},
        {"kind", "KIND", COLUMN_WORD, NULL, 0},
        {"record", "RECORD", COLUMN_NAME, NULL, 0},
        {"field", "FIELD", COLUMN_WORD, NULL, 0},
        {"a", "A", COLUMN_NAME, NULL, 0},
        {"b", "B", COLUMN_NAME, NULL, 0},
    };
    struct diff *diff = context;
    signal(SIGPIPE, SIG_IGN); /* who reads has seen enough: that is no damage */
    diff->table = table_begin(diff->format, stdout, columns, sizeof columns / sizeof columns[0]);
    int exit_code = compare(diff);
    if (!table_end(diff->table))
        return errno == EPIPE ? EX_IOERR : message_fail(EX_IOERR, "standard output could not be written");
    if (exit_code != EX_OK)
        return exit_code;
    return diff->count > 0 ? EXIT_DIFFERS : EX_OK;
}

/* In a process of its own: what is compared may be damaged, and LMDB trusts what it maps. */
static int run_isolated(struct diff *diff)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (realpath(diff->a, a) != NULL && realpath(diff->b, b) != NULL && strcmp(a, b) == 0)
        return message_fail(EX_USAGE, "'%s' and '%s' are one and the same directory", diff->a, diff->b);
    int exit_code = isolated_end(isolated_start(run, diff));
    return exit_code != EX_SOFTWARE
               ? exit_code
               : message_fail(EX_DATAERR, "%s or %s is damaged: callfold-snapshot verify tells which", diff->a,
                              diff->b);
}

int cmd_diff(int argc, char **argv)
{
    struct diff diff = {0};
    bool json = false, csv = false;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "the differences as JSON"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "the differences as CSV"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay diff",
        .usage = "A B [--json|--csv]",
        .about = "Compares two states record by record and says which differ in which fields\n"
                 "(names as in snapshots/FORMAT.md), or two directories of outputs line by line.\n"
                 "A state is a state directory, a snapshot, or a directory of snapshots: the\n"
                 "newest ones then. Exits with 1 when they differ.",
        .examples = "  callfold-replay diff state snapshots\n"
                    "  callfold-replay diff snapshots/partition-0/*10000-* state/partition-0\n"
                    "  callfold-replay diff out other/out --json | jq '.[0]'",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_least = 2,
        .operands_most = 2,
    };
    if (!options_parse(&table, &argc, argv, &exit_code))
        return exit_code;
    if (!table_format_chosen(json, csv, &diff.format))
        return EX_USAGE;
    diff.a = argv[1];
    diff.b = argv[2];
    return run_isolated(&diff);
}
