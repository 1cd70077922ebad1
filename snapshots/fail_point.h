/* fail_point.h - dying on purpose, for the tests of the commit rule.
 *
 * CALLFOLD_FAIL_POINT=name[:n] in the environment kills the process (SIGKILL,
 * as the kernel's own out-of-memory killer would) the n-th time, first by
 * default, that it passes the point of that name. Without it a point costs
 * one test of a flag. Names: processor/README.md.
 */
#ifndef CALLFOLD_SNAPSHOTS_FAIL_POINT_H
#define CALLFOLD_SNAPSHOTS_FAIL_POINT_H

#include <stdbool.h>

/* Set by fail_points_arm; read by the macro below only. */
extern bool fail_points_are_armed;

/* Reads the environment; called once by the program that wants the points. */
void fail_points_arm(void);
void fail_point_pass(const char *name);

#define FAIL_POINT(name)           \
    do {                           \
        if (fail_points_are_armed) \
            fail_point_pass(name); \
    } while (0)

#endif
