/* agenda.h - what is going to happen, soonest first.
 *
 * A binary heap of things to do at simulated instants. Things due at the same
 * instant are done in the order in which they were added, so that a day never
 * depends on the heap's inner order.
 */
#ifndef CALLFOLD_EXAMPLES_AGENDA_H
#define CALLFOLD_EXAMPLES_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct platform;

/* Done at its instant with the two numbers it was added with. */
typedef void agenda_act(struct platform *platform, size_t subject, uint64_t ticket);

struct agenda_item {
    int64_t at_ms;
    uint64_t order; /* of adding */
    agenda_act *act;
    size_t subject;
    uint64_t ticket;
};

/* Zero it to begin; agenda_free when done. */
struct agenda {
    struct agenda_item *items;
    size_t count, capacity;
    uint64_t added;
};

void agenda_add(struct agenda *agenda, int64_t at_ms, agenda_act *act, size_t subject, uint64_t ticket);
/* False when nothing is left; else the instant of the soonest item. */
bool agenda_next(const struct agenda *agenda, int64_t *at_ms);
/* Removes and returns the soonest item; the agenda must not be empty. */
struct agenda_item agenda_take(struct agenda *agenda);
void agenda_free(struct agenda *agenda);

#endif
