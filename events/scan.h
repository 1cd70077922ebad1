/* scan.h - the strict flat scanner: the events of an account in their plain
 * form, in one pass.
 *
 * A platform writes the members of its events in the same order each time. So
 * the scanner remembers what it found behind each member, and where it finds
 * that again, one comparison stands for the name, the colon and the opening
 * quote; as the times of a stream repeat their date and minute. As what it takes
 * a record never depends on what it remembers; but where a value is of another
 * kind than the last time, it may leave it to decode.c.
 *
 * Private to scan.c and the decoder, which keeps one.
 */
#ifndef CALLFOLD_EVENTS_SCAN_H
#define CALLFOLD_EVENTS_SCAN_H

#include "events/instant.h"
#include "events/scan_judge.h"

enum attribute { SPECVERSION, ID, SOURCE, TYPE, TIME, SUBJECT, DATA, ATTRIBUTE_COUNT };

/* How a member begins, up to its value: its name in quotes, the colon, white
 * space, the opening quote of a string. */
#define OPENING_MAX 16
struct opening {
    uint64_t bytes[OPENING_MAX / 8]; /* as in memory; all ones where any byte will do */
    uint64_t any[OPENING_MAX / 8];   /* all ones where any byte will do, else 0 */
    unsigned bit;                    /* 1 << member; 0 for a name that means nothing */
    uint8_t len;
    uint8_t member; /* an enum attribute or an enum member; their COUNT for another name */
    bool is_string;
};

/* Zero it to begin: then bytes are expected that no member begins with. Item i
 * of a list is what came behind member i; the last one, behind the brace. */
struct scanner {
    struct opening attributes[ATTRIBUTE_COUNT + 2], members[MEMBER_COUNT + 2];
    struct instant_minute minute;
};

/* True when value is an event of an account in plain form and valid; its texts
 * borrow from value. */
bool scan_event(struct scanner *scanner, struct text value, struct event *event);

#endif
