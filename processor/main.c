/* main.c - the program callfold: a table of its commands. */
#include "processor/commands.h"
#include "terminal/options.h"

static const struct command commands[] = {
    {"run", cmd_run, "meter events: fold them into commands, ledger and call records"},
    {"topics", cmd_topics, "make the topics of Apache Kafka that the meter reads and writes"},
    {"produce", cmd_produce, "write a file of events to Kafka, each to its partition"},
    {"rates", cmd_rates, "publish, list, compare, diff and estimate with rate decks"},
    {"status", cmd_status, "what a state directory knows: balances, live calls, decks"},
};

static const struct command_table table = {
    .program = "callfold",
    .about = "callfold meters prepaid international calls. One ordered log of events goes in;\n"
             "commands to the telephony platform, a double-entry ledger and call records come\n"
             "out, the same bytes whenever the log is folded again.",
    .examples = "  callfold rates publish deck.csv --deck-id 2026-11 \\\n"
                "      --effective-at 2026-11-01T00:00:00Z > events.jsonl\n"
                "  callfold run --events events.jsonl --out out --state state\n"
                "  callfold status --state state",
    .version = CALLFOLD_VERSION,
    .commands = commands,
    .count = sizeof commands / sizeof commands[0],
};

int main(int argc, char **argv)
{
    return command_dispatch(&table, argc, argv);
}
