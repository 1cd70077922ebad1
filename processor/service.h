/* service.h - what systemd is told of a meter that it runs (Type=notify).
 *
 * READY=1 once all partitions publish for the first time, STATUS= what it is
 * doing, as /readyz says it, WATCHDOG=1 as long as it is alive (pulse.h); before
 * it is ready EXTEND_TIMEOUT_USEC= instead, so that a long catch-up is no failed
 * start but a hanging one is. STOPPING=1 when it was told to stop. All of it goes
 * where NOTIFY_SOCKET says, and nowhere without it.
 */
#ifndef CALLFOLD_PROCESSOR_SERVICE_H
#define CALLFOLD_PROCESSOR_SERVICE_H

#include <stdbool.h>

/* From now on beats are passed on. */
void service_begin(void);
/* Told when it is another status than before; is_ready: the first time. */
void service_tell(bool is_ready, const char *status);
void service_stopping(void);

#endif
