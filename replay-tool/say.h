/* say.h - figures as people read them, each in a value of its own:
 *
 *     printf("%s of %s\n", say_money(micros, currency).at, say_ms(ms).at);
 */
#ifndef CALLFOLD_REPLAY_TOOL_SAY_H
#define CALLFOLD_REPLAY_TOOL_SAY_H

#include "replay-tool/witness.h"

struct words {
    char at[96];
};
struct words say_money(int64_t micros, uint32_t currency); /* "0.11472 EUR" */
struct words say_amount(int64_t micros);                   /* "0.11472" */
struct words say_count(int64_t count);                     /* "96,000" */
struct words say_ms(int64_t ms);                           /* "96,000 ms" */
struct words say_currency(uint32_t currency);
struct words say_instant(int64_t ms);
struct words say_day(int32_t day);
/* "0:17"; "before what was folded" where the place is not known. */
struct words say_place(struct place place);
/* "at 0:17, 2026-11-23T08:00:00.000Z" */
struct words say_where(struct place place);

/* Text that somebody chose: control characters are shown as \x1b, never sent to
 * a terminal. */
struct sentence {
    char at[4 * DETAIL_MAX + 1];
};
struct sentence say_text(const char *text);

#endif
