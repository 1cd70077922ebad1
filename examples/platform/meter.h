/* meter.h - the meter as its platform sees it: how far it has come, and what it
 * wants done.
 *
 * The two speak by files (files.h) or by Kafka's topics (topics.h). Either way
 * tells when all that was said has been committed, and then hands out every
 * command which that caused, and no other. That makes a day repeatable although
 * two processes play it.
 */
#ifndef CALLFOLD_EXAMPLES_METER_H
#define CALLFOLD_EXAMPLES_METER_H

#include <jansson.h>

#include "events/output.h"

/* One of the meter's commands, parsed. Texts are absent and numbers 0 where it has no such
 * member; they live until the next meter_order. */
struct order {
    enum output_type type;
    struct text id, subject;
    struct text call_id, message_id, deck_id, recharge_id;
    struct text reason; /* of a cutoff or denial; the kind of a notification */
    int64_t at_duration_ms, revision, raised_count;
    bool charged, has_max_duration;
    struct amount amount; /* of a recharge */
};

/* A way to reach the meter. */
struct meter_way {
    const char *commands; /* where they come from, for messages */
    /* Waits until the meter has committed the journal's first `lines` lines. False
     * after a message: it died, or nothing moved for too long. */
    bool (*await)(void *own, int64_t lines);
    /* The next command's record, if there is one; borrowed until the next call. */
    bool (*next)(void *own, struct text *record);
    void (*close)(void *own);
};

struct meter {
    const struct meter_way *way;
    void *own;      /* the way's */
    json_t *record; /* of the last order */
};

/* Milliseconds of a clock that only goes forward. */
int64_t meter_clock_ms(void);
/* A record of the meter's, parsed; what is none ends the program with EX_PROTOCOL. */
json_t *meter_parse(struct text record, const char *where);
/* Waits until the meter has committed the journal's first `lines` lines; as meter_way's. */
bool meter_await(struct meter *meter, int64_t lines);
/* The next command, if there is one. A record that is no command ends the
 * program with EX_PROTOCOL. */
bool meter_order(struct meter *meter, struct order *order);
void meter_close(struct meter *meter);

#endif
