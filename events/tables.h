/* tables.h - the generated tables of facts: who may be called in an emergency,
 * which currencies exist. Written by the scripts in tools/, never by hand, and
 * asked only through phone.h and currency.h.
 */
#ifndef CALLFOLD_EVENTS_TABLES_H
#define CALLFOLD_EVENTS_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Digits only, ascending by strcmp, none twice. */
extern const char *const emergency_numbers[];
extern const size_t emergency_number_count;

struct currency_row {
    uint32_t code;   /* three letters packed, currency.h */
    int8_t exponent; /* decimal places of the minor unit; negative where ISO 4217 gives none */
};

/* Ascending by code, none twice. */
extern const struct currency_row currency_table[];
extern const size_t currency_count;

#endif
