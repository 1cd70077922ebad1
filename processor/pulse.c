/* pulse.c - see pulse.h. */
#include "processor/pulse.h"

#include <stdatomic.h>
#include <stddef.h>

#include "terminal/message.h"

static _Atomic double beaten_at; /* seconds_now() */
static void (*passed_on)(void);
static double passed_on_at;
static const volatile sig_atomic_t *stop_wanted;

void pulse_beat(void)
{
    double now = seconds_now();
    atomic_store_explicit(&beaten_at, now, memory_order_relaxed);
    if (passed_on == NULL || now - passed_on_at < PULSE_HEARD_S)
        return;
    passed_on_at = now;
    passed_on();
}

bool pulse_goes_on(void)
{
    pulse_beat();
    return stop_wanted == NULL || *stop_wanted == 0;
}

void pulse_stops_by(const volatile sig_atomic_t *stop)
{
    stop_wanted = stop;
}

double pulse_age(void)
{
    double at = atomic_load_explicit(&beaten_at, memory_order_relaxed);
    double age = at > 0 ? seconds_now() - at : 0;
    return age > 0 ? age : 0;
}

void pulse_pass_on(void (*hear)(void))
{
    passed_on = hear;
}
