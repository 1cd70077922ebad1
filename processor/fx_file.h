/* fx_file.h - an fx table from a file: what one unit of a base currency costs.
 *
 * Three forms are taken: an fx.published event or its `data` as JSON,
 *
 *     {"base":"USD","rates":{"EUR":"0.92","GBP":"0.79"}}
 *
 * or CSV with the base at its head:
 *
 *     # base: USD
 *     currency,rate
 *     EUR,0.92
 */
#ifndef CALLFOLD_PROCESSOR_FX_FILE_H
#define CALLFOLD_PROCESSOR_FX_FILE_H

#include "processor/fold/records.h"

/* EX_OK and *table (malloc'd), or the exit code after a message and NULL.
 * Whatever the form, the table passes through the decoder of the meter's own
 * events; it holds at any time. */
int fx_read(struct fx_record **table, const char *path);

#endif
