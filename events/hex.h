/* hex.h - bytes as lower-case hex, as hashes are written everywhere here. */
#ifndef CALLFOLD_EVENTS_HEX_H
#define CALLFOLD_EVENTS_HEX_H

#include <stddef.h>
#include <stdint.h>

/* 2 * len digits into out, no NUL. */
static inline void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

#endif
