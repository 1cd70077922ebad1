/* commands.h - what the program callfold-replay can be asked to do.
 *
 * Each command is one function in one file, cmd_NAME.c, called with the words
 * from its own name on (argv[0] is "verify") and returning the exit code: 0, 1
 * when a difference was found, or one of sysexits.h. main.c lists them.
 */
#ifndef CALLFOLD_REPLAY_TOOL_COMMANDS_H
#define CALLFOLD_REPLAY_TOOL_COMMANDS_H

#include "terminal/program.h"

int cmd_verify(int argc, char **argv);
int cmd_state(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_what_if(int argc, char **argv);
int cmd_reconcile(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_statement(int argc, char **argv);
int cmd_archive(int argc, char **argv);

#endif
