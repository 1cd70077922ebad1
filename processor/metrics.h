/* metrics.h - figures as Prometheus reads them: its text format, version 0.0.4.
 *
 * Base units: seconds, bytes, money in units of its currency. No label per
 * account: the number of lines does not grow with the accounts. docs/operations.md
 * says what each is good for.
 */
#ifndef CALLFOLD_PROCESSOR_METRICS_H
#define CALLFOLD_PROCESSOR_METRICS_H

#include "events/encode.h"
#include "processor/figures.h"

/* Appends all of it, and what the system says of this process. */
void metrics_format(struct buffer *out, const struct figures *figures);

#endif
