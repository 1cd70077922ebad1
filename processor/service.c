/* service.c - see service.h. */
#include "processor/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "processor/pulse.h"

static bool was_ready;
static char told[128];

static void tell_alive(void)
{
    if (was_ready)
        sd_notify(0, "WATCHDOG=1");
    else
        sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, UINT64_C(1000000) * (PULSE_STUCK_S + PULSE_HEARD_S));
}

void service_begin(void)
{
    pulse_pass_on(tell_alive);
    pulse_beat();
}

void service_tell(bool is_ready, const char *status)
{
    if (strcmp(status, told) != 0) {
        snprintf(told, sizeof told, "%s", status);
        sd_notifyf(0, "STATUS=%s", status);
    }
    if (is_ready && !was_ready) {
        was_ready = true;
        sd_notify(0, "READY=1");
    }
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}
