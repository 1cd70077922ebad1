/* commands.h - what the program callfold can be asked to do.
 *
 * Each command is one function in one file, cmd_NAME.c, called with the words
 * from its own name on (argv[0] is "run") and returning the exit code: 0, or
 * one of sysexits.h. main.c lists them and does nothing else.
 */
#ifndef CALLFOLD_PROCESSOR_COMMANDS_H
#define CALLFOLD_PROCESSOR_COMMANDS_H

#include "terminal/program.h"

int cmd_run(int argc, char **argv);
int cmd_topics(int argc, char **argv);
int topics_create(int argc, char **argv);
int cmd_produce(int argc, char **argv);
int cmd_rates(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
