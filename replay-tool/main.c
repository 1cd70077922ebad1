/* main.c - the program callfold-replay: a table of its commands. */
#include "replay-tool/commands.h"
#include "replay-tool/interrupt.h"
#include "snapshots/fail_point.h"
#include "terminal/message.h"
#include "terminal/options.h"

static const struct command commands[] = {
    {"verify", cmd_verify, "fold the history again and compare with all that was published"},
    {"state", cmd_state, "what was known at a moment: balances, toggles, live calls, decks"},
    {"diff", cmd_diff, "where two states, snapshots or outputs differ, record by record"},
    {"explain", cmd_explain, "where an amount came from: a call, an entry, an account's day"},
    {"what-if", cmd_what_if, "the same history at other prices or by another policy"},
    {"reconcile", cmd_reconcile, "our call records against a carrier's"},
    {"export", cmd_export, "ledger, calls or balances as CSV, JSON lines, SQLite or hledger"},
    {"statement", cmd_statement, "what a customer sees of a month: balances, top-ups, calls"},
    {"archive", cmd_archive, "keep the log as compressed files with their SHA-256"},
};

static const struct command_table table = {
    .program = "callfold-replay",
    .about = "callfold-replay answers questions about the past by folding it again: the log of\n"
             "events, from a file or from Kafka, gives the same state and the same bytes\n"
             "whenever it is folded. It changes nothing and disturbs no meter that runs.",
    .examples = "  callfold-replay verify --events events.jsonl --outputs out --all\n"
                "  callfold-replay verify --kafka kafka.properties\n"
                "  callfold-replay explain --events events.jsonl --call c1",
    .version = CALLFOLD_VERSION,
    .commands = commands,
    .count = sizeof commands / sizeof commands[0],
};

int main(int argc, char **argv)
{
    message_program("callfold-replay");
    interrupt_arm();
    fail_points_arm();
    int exit_code = command_dispatch(&table, argc, argv);
    interrupt_obey();
    return exit_code;
}
