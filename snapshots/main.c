/* main.c - the program callfold-snapshot: a table of its commands. */
#include <signal.h>

#include "snapshots/commands.h"
#include "snapshots/fail_point.h"
#include "terminal/message.h"

static const struct command commands[] = {
    {"create", cmd_create, "copy the partitions of a state directory, while they are in use"},
    {"list", cmd_list, "which snapshots there are"},
    {"verify", cmd_verify, "hold snapshots against their manifests and signatures"},
    {"restore", cmd_restore, "make a state directory from snapshots"},
    {"prune", cmd_prune, "remove old ones, never the last good one"},
};

static const struct command_table table = {
    .program = "callfold-snapshot",
    .about = "Copies of what callfold knows, each with a manifest that says where in the log\n"
             "it stands and lets anyone check it. A meter that has lost its state starts from\n"
             "the newest one (callfold run --snapshots) instead of from the first event.",
    .examples = "  callfold-snapshot create --state state --snapshots snapshots\n"
                "  callfold-snapshot verify --snapshots snapshots\n"
                "  callfold-snapshot restore --snapshots snapshots --state new-state\n"
                "  callfold-snapshot prune --snapshots snapshots --keep 24 --keep-for 30d",
    .version = CALLFOLD_VERSION,
    .commands = commands,
    .count = sizeof commands / sizeof commands[0],
};

int main(int argc, char **argv)
{
    message_program("callfold-snapshot");
    fail_points_arm();
    signal(SIGXFSZ, SIG_IGN); /* a write beyond a limit shall be an error like a full disk */
    return command_dispatch(&table, argc, argv);
}
