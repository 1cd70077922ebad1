/* interrupt.c - see interrupt.h. */
#include "replay-tool/interrupt.h"

#include <signal.h>
#include <sysexits.h>

#include "snapshots/files.h"

static volatile sig_atomic_t signal_came;

static void note(int number)
{
    signal_came = number;
}

/* A signal shall interrupt a wait: hence no SA_RESTART. A write beyond a limit
 * on file sizes shall be an error like a full disk. */
void interrupt_arm(void)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
}

bool interrupt_check(struct store_error *error)
{
    if (signal_came == 0)
        return false;
    fail_with(error, EX_SOFTWARE, "stopped by a signal before the end");
    return true;
}

void interrupt_obey(void)
{
    if (signal_came == 0)
        return;
    signal(signal_came, SIG_DFL);
    raise(signal_came);
}
