/* interrupt.h - ending in good order when a signal says so.
 *
 * SIGINT, SIGTERM and SIGHUP are noted; who works for long asks now and then,
 * gives up as after any failure, and what is scratch gets removed. */
#ifndef CALLFOLD_REPLAY_TOOL_INTERRUPT_H
#define CALLFOLD_REPLAY_TOOL_INTERRUPT_H

#include "snapshots/store.h"

void interrupt_arm(void);
/* True, with *error, once a signal has come. */
bool interrupt_check(struct store_error *error);
/* Ends the process by the signal that came, if one did. */
void interrupt_obey(void);

#endif
