/* fail_point.c - see fail_point.h. */
#include "snapshots/fail_point.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

bool fail_points_are_armed;

static char point_name[64];
static long passes_left;

void fail_points_arm(void)
{
    const char *wanted = getenv("CALLFOLD_FAIL_POINT");
    if (wanted == NULL)
        return;
    size_t len = strcspn(wanted, ":");
    if (len >= sizeof point_name)
        return;
    memcpy(point_name, wanted, len);
    passes_left = wanted[len] == ':' ? strtol(wanted + len + 1, NULL, 10) : 1;
    fail_points_are_armed = true;
}

void fail_point_pass(const char *name)
{
    if (strcmp(name, point_name) == 0 && --passes_left == 0)
        raise(SIGKILL);
}
