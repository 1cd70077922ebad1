#include "events/currency.h"

#include <stdlib.h>

#include "events/tables.h"

bool currency_parse(struct text t, uint32_t *code)
{
    uint32_t packed = 0;

    if (t.len != CURRENCY_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < 'A' || t.at[i] > 'Z')
            return false;
        packed = packed << 8 | (unsigned char)t.at[i];
    }
    *code = packed;
    return true;
}

void currency_format(uint32_t code, char out[CURRENCY_TEXT_MAX])
{
    out[0] = (char)(code >> 16 & 0xff);
    out[1] = (char)(code >> 8 & 0xff);
    out[2] = (char)(code & 0xff);
    out[3] = '\0';
}

static int compare_code(const void *code, const void *row)
{
    uint32_t a = *(const uint32_t *)code, b = ((const struct currency_row *)row)->code;

    return (a > b) - (a < b);
}

static const struct currency_row *find(uint32_t code)
{
    return bsearch(&code, currency_table, currency_count, sizeof(currency_table[0]), compare_code);
}

bool currency_known(uint32_t code)
{
    return find(code) != NULL;
}

int currency_exponent(uint32_t code)
{
    const struct currency_row *row = find(code);

    return row && row->exponent >= 0 ? row->exponent : 2;
}
