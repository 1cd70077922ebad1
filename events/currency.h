/* currency.h - ISO 4217 codes.
 *
 * A currency is its three letters packed into a uint32_t ('U'<<16|'S'<<8|'D'),
 * which needs no table to be carried, compared, stored and written. Whether ISO
 * 4217 knows a code is a separate question, asked by the fold.
 */
#ifndef CALLFOLD_EVENTS_CURRENCY_H
#define CALLFOLD_EVENTS_CURRENCY_H

#include "events/text.h"

#define CURRENCY_TEXT_MAX 4

/* Three capital ASCII letters; false (and *code untouched) for anything else. */
bool currency_parse(struct text t, uint32_t *code);
/* Writes the three letters and a NUL. */
void currency_format(uint32_t code, char out[CURRENCY_TEXT_MAX]);
/* True when ISO 4217 lists the code (table: currency_table.c, generated). */
bool currency_known(uint32_t code);
/* Decimal places of the minor unit; 2 for a code without one or unknown. */
int currency_exponent(uint32_t code);

#endif
