#include "examples/platform/agenda.h"

#include <assert.h>

#include "examples/platform/memory.h"

static bool sooner(const struct agenda_item *a, const struct agenda_item *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void agenda_add(struct agenda *agenda, int64_t at_ms, agenda_act *act, size_t subject, uint64_t ticket)
{
    agenda->items = grown(agenda->items, agenda->count, &agenda->capacity, sizeof *agenda->items);
    struct agenda_item item = {at_ms, agenda->added++, act, subject, ticket};
    size_t hole = agenda->count++;
    while (hole > 0 && sooner(&item, &agenda->items[(hole - 1) / 2])) {
        agenda->items[hole] = agenda->items[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    agenda->items[hole] = item;
}

bool agenda_next(const struct agenda *agenda, int64_t *at_ms)
{
    if (agenda->count == 0)
        return false;
    *at_ms = agenda->items[0].at_ms;
    return true;
}

struct agenda_item agenda_take(struct agenda *agenda)
{
    assert(agenda->count > 0);
    struct agenda_item taken = agenda->items[0];
    struct agenda_item last = agenda->items[--agenda->count];
    size_t hole = 0;
    for (size_t child = 1; child < agenda->count; child = 2 * hole + 1) {
        if (child + 1 < agenda->count && sooner(&agenda->items[child + 1], &agenda->items[child]))
            child++;
        if (!sooner(&agenda->items[child], &last))
            break;
        agenda->items[hole] = agenda->items[child];
        hole = child;
    }
    agenda->items[hole] = last;
    return taken;
}

void agenda_free(struct agenda *agenda)
{
    free(agenda->items);
    *agenda = (struct agenda){0};
}
