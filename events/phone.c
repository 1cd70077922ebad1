#include "events/phone.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "events/tables.h"

#define WORDS_MAX 128

/* 1 for every byte an id may hold. */
static const unsigned char id_bytes[256] = {
    ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['.'] = 1, ['_'] = 1, [':'] = 1, ['-'] = 1,
};

#ifdef __SSE2__
/* All ones for every byte from first to first + count - 1 (none of them is above 0x7f): adding
 * moves them to the top of the signed range. */
static inline __m128i is_within(__m128i bytes, char first, int count)
{
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(0x80 - count - first)));

    return _mm_cmpgt_epi8(moved, _mm_set1_epi8((char)(0x7f - count)));
}

/* The bits of the bytes among sixteen that no id may hold. */
static inline unsigned not_of_an_id(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i letter = is_within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digit_or_colon = is_within(bytes, '0', 11), dash_or_dot = is_within(bytes, '-', 2);
    __m128i underscore = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_'));
    __m128i valid = _mm_or_si128(_mm_or_si128(letter, digit_or_colon), _mm_or_si128(dash_or_dot, underscore));

    return ~(unsigned)_mm_movemask_epi8(valid) & 0xffff;
}
#endif

const char *id_end(const char *at, const char *end)
{
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        unsigned found = not_of_an_id(at);
        if (found)
            return at + __builtin_ctz(found);
    }
#endif
    while (at < end && id_bytes[(unsigned char)*at])
        at++;
    return at;
}

bool id_is_valid(struct text t)
{
    return t.len >= 1 && t.len <= ID_MAX && id_end(t.at, t.at + t.len) == t.at + t.len;
}

bool dialled_is_valid(struct text t)
{
    return t.len <= DIALLED_MAX;
}

bool words_are_valid(struct text t)
{
    return t.len >= 1 && t.len <= WORDS_MAX;
}

/* "+" and least to most digits. */
static bool is_plus_and_digits(struct text t, size_t least, size_t most)
{
    bool digits = true;

    if (t.len < least + 1 || t.len > most + 1 || t.at[0] != '+')
        return false;
    for (size_t i = 1; i < t.len; i++)
        digits &= (unsigned char)(t.at[i] - '0') <= 9;
    return digits;
}

bool phone_is_e164(struct text t)
{
    return is_plus_and_digits(t, 2, 15) && t.at[1] != '0';
}

bool phone_is_prefix(struct text t)
{
    return is_plus_and_digits(t, 1, 15);
}

bool phone_is_emergency(struct text t)
{
    size_t low = 0, high = emergency_number_count;

    if (t.len == 0)
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = text_compare(t, text_of(emergency_numbers[middle]));
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
