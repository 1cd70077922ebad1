#include "events/phone.h"

#include "events/tables.h"

#define WORDS_MAX 128

/* 1 for every byte an id may hold. */
static const unsigned char id_bytes[256] = {
    ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['.'] = 1, ['_'] = 1, [':'] = 1, ['-'] = 1,
};

bool id_is_valid(struct text t)
{
    unsigned valid = 1;

    if (t.len < 1 || t.len > ID_MAX)
        return false;
    for (size_t i = 0; i < t.len; i++)
        valid &= id_bytes[(unsigned char)t.at[i]];
    return valid;
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
