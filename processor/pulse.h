/* pulse.h - is the meter alive?
 *
 * Whoever does long work beats: the engine's loop, and every wait that may be
 * long. Alive is who has beaten within the last PULSE_STUCK_S seconds. That one
 * idea is what /healthz asks for and what a service's watchdog is told: a meter
 * that waits for brokers is alive, one that hangs is not.
 *
 * Whoever waits for something outside asks, too, whether the process is to end:
 * then the answer is not worth the wait.
 *
 * Beats come from one thread; any thread may ask.
 */
#ifndef CALLFOLD_PROCESSOR_PULSE_H
#define CALLFOLD_PROCESSOR_PULSE_H

#include <signal.h>
#include <stdbool.h>

#define PULSE_STUCK_S 30
#define PULSE_HEARD_S 5 /* between two beats that are passed on, at least */

/* Costs a clock reading. */
void pulse_beat(void);
/* Beats; false once the process is to end, which stop says by not being 0. Until
 * pulse_stops_by it never is. */
bool pulse_goes_on(void);
void pulse_stops_by(const volatile sig_atomic_t *stop);
/* Seconds since the last beat; 0 before the first. */
double pulse_age(void);
/* hear is called from pulse_beat, every PULSE_HEARD_S at most. */
void pulse_pass_on(void (*hear)(void));

#endif
