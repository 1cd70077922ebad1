/* cmd_topics.c - callfold topics: a table of what can be done with Kafka's topics. */
#include "processor/commands.h"
#include "terminal/options.h"

static const struct command commands[] = {
    {"create", topics_create, "make the topics that are missing, say what differs in others"},
};

static const struct command_table table = {
    .program = "callfold topics",
    .about = "The topics of Apache Kafka that the meter reads and writes: callfold.events in,\n"
             "callfold.commands, ledger, calls, balances, rejects and attestations out, and\n"
             "callfold.progress for itself.",
    .examples = "  callfold topics create --kafka kafka.properties --partitions 4",
    .commands = commands,
    .count = sizeof commands / sizeof commands[0],
};

int cmd_topics(int argc, char **argv)
{
    return command_dispatch(&table, argc, argv);
}
