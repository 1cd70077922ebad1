/* money.h - exact decimal amounts.
 *
 * An amount is an int64_t count of micros: millionths of one unit of its
 * currency, whatever the currency's own exponent. An fx rate is an int64_t
 * count of nanos: billionths. No function here rounds unless its name says so,
 * and none overflows silently.
 */
#ifndef CALLFOLD_EVENTS_MONEY_H
#define CALLFOLD_EVENTS_MONEY_H

#include "events/text.h"

#define MICROS_PER_UNIT 1000000
#define NANOS_PER_UNIT  1000000000
/* Room for the longest formatted amount and its NUL: "-9223372036854.775808". */
#define MONEY_TEXT_MAX 24

/* Reads -?(0|[1-9][0-9]*)(\.[0-9]{1,6})? . False when the text is anything
 * else or the amount does not fit int64 micros; *micros is then untouched. */
bool money_parse(struct text t, int64_t *micros);

/* Reads (0|[1-9][0-9]*)(\.[0-9]{1,9})? into nanos; no sign. */
bool fx_rate_parse(struct text t, int64_t *nanos);

/* Writes the shortest decimal form ("12.5", "0", "-0.17") and a NUL.
 * Returns its length without the NUL. */
size_t money_format(int64_t micros, char out[MONEY_TEXT_MAX]);
size_t fx_rate_format(int64_t nanos, char out[MONEY_TEXT_MAX]);

/* *out = value * numerator / denominator rounded half up (half away from
 * zero), in 128 bits. value, numerator >= 0, denominator > 0. False when the
 * result does not fit int64; *out is then untouched. */
bool mul_div_half_up(int64_t value, int64_t numerator, int64_t denominator, int64_t *out);

#endif
