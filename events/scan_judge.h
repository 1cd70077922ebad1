/* scan_judge.h - between the two halves of the scanner: scan.c notes members,
 * scan_judge.c says whether they are what their event's type asks for. */
#ifndef CALLFOLD_EVENTS_SCAN_JUDGE_H
#define CALLFOLD_EVENTS_SCAN_JUDGE_H

#include "events/event.h"

/* The members of data that mean something to a type that is scanned. */
enum member {
    CALL_ID,
    DURATION_MS,
    DIRECTION,
    FROM,
    TO,
    MEMBER_ID,
    VOICEMAIL,
    ACTOR,
    AMOUNT,
    CURRENCY,
    DAILY_LIMIT,
    ENABLED,
    MESSAGE_ID,
    NUMBER,
    ORIGIN,
    OWNER,
    PAID,
    PREFIX,
    REASON,
    RECHARGE_ID,
    ROLE,
    THRESHOLD,
    TOPUP_ID,
    MEMBER_COUNT
};

enum kind { STRING, VALID_ID, INTEGER, BOOLEAN };

struct value {
    enum kind kind;
    struct text text; /* of a string, an id included */
    int64_t integer;  /* of an integer; of a boolean 0 or 1 */
};

struct members {
    unsigned present;                      /* a bit a member: only then is there a value */
    struct value values[MEMBER_COUNT + 1]; /* the last one: of any other name */
};

/* Finds a type by its full name; false when it is not among those scanned. */
bool scanned_type(struct text name, enum event_type *type);
/* Fills event->data for event->type; false when a member is missing or is not
 * what it should be, which is for decode.c to say. */
bool judge_members(const struct members *members, struct event *event);

#endif
