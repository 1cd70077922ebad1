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

#include "events/event.h"

struct fx_table {
    uint32_t base; /* 0: an empty table */
    size_t count;
    struct fx_rate *rates; /* malloc'd */
};

/* EX_OK and *table (fx_free it), or the exit code after a message. Whatever
 * the form, the table passes through the decoder of the meter's own events. */
int fx_read(struct fx_table *table, const char *path);
void fx_free(struct fx_table *table);

/* What one `from` costs in `to` as the ratio *numerator / *denominator; false
 * when the table lacks one of them. One currency is 1/1 in any table. */
bool fx_table_ratio(const struct fx_table *table, uint32_t from, uint32_t to, int64_t *numerator, int64_t *denominator);

#endif
