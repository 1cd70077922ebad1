/* say.c - see say.h. */
#include "replay-tool/say.h"

#include <inttypes.h>
#include <stdio.h>

#include "events/currency.h"
#include "events/instant.h"
#include "events/money.h"
#include "terminal/message.h"

struct words say_amount(int64_t micros)
{
    struct words words;
    money_format(micros, words.at);
    return words;
}

struct words say_currency(uint32_t currency)
{
    struct words words;
    currency_format(currency, words.at);
    return words;
}

struct words say_money(int64_t micros, uint32_t currency)
{
    struct words words;
    snprintf(words.at, sizeof words.at, "%.40s %.3s", say_amount(micros).at, say_currency(currency).at);
    return words;
}

struct words say_count(int64_t count)
{
    struct words words;
    count_format(count, words.at);
    return words;
}

struct words say_ms(int64_t ms)
{
    struct words words;
    snprintf(words.at, sizeof words.at, "%.40s ms", say_count(ms).at);
    return words;
}

struct words say_instant(int64_t ms)
{
    struct words words;
    instant_format(ms, words.at);
    return words;
}

struct words say_day(int32_t day)
{
    struct words words;
    day_format(day, words.at);
    return words;
}

struct words say_place(struct place place)
{
    struct words words;
    if (place.offset < 0)
        return (struct words){"before what was folded"};
    snprintf(words.at, sizeof words.at, "%" PRIu32 ":%" PRId64, place.partition, place.offset);
    return words;
}

struct words say_where(struct place place)
{
    struct words words;
    if (place.offset < 0)
        return say_place(place);
    snprintf(words.at, sizeof words.at, "at %.40s, %.24s", say_place(place).at, say_instant(place.time_ms).at);
    return words;
}

struct sentence say_text(const char *text)
{
    struct sentence sentence;
    size_t len = 0;
    for (; *text != '\0' && len + 5 < sizeof sentence.at; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            len += (size_t)snprintf(sentence.at + len, 5, "\\x%02x", c);
        else
            sentence.at[len++] = *text;
    }
    sentence.at[len] = '\0';
    return sentence;
}
