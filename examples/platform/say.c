/* say.c - what the platform tells the meter, and how it goes wrong.
 *
 * An honest account's events are written once, at once. Of the others' some
 * come twice, and some ticks get lost or are overtaken by later ones: what
 * networks and retries do to a real platform. */
#include "examples/platform/platform.h"

#include "examples/platform/memory.h"

#define TWICE_PER_MILLE 15
#define LOST_PER_MILLE  12
#define LATE_PER_MILLE  12

struct event event_now(const struct platform *platform, enum event_type type, const struct account *account)
{
    return (
        struct event){.type = type, .time_ms = platform->now_ms, .subject = account ? text_of(account->id) : TEXT_NONE};
}

void do_later(struct platform *platform, int64_t delay_ms, agenda_act *act, size_t subject)
{
    agenda_add(&platform->agenda, platform->now_ms + delay_ms, act, subject, 0);
}

/* An agenda_act: a line from the drawer. */
static void say_line(struct platform *platform, size_t place, uint64_t ticket)
{
    (void)ticket;
    journal_line(&platform->journal, text_of(platform->drawer[place]));
    free(platform->drawer[place]);
    platform->drawer[place] = NULL;
}

void say_later(struct platform *platform, char *line, int64_t delay_ms)
{
    platform->drawer =
        grown(platform->drawer, platform->drawer_count, &platform->drawer_capacity, sizeof *platform->drawer);
    platform->drawer[platform->drawer_count] = line;
    do_later(platform, delay_ms, say_line, platform->drawer_count++);
}

void say(struct platform *platform, struct account *account, const struct event *event)
{
    if (account->habits.honest || !random_chance(&account->random, TWICE_PER_MILLE)) {
        journal_event(&platform->journal, event, account->site->source);
        return;
    }
    char *line = journal_encode(&platform->journal, event, account->site->source);
    journal_line(&platform->journal, text_of(line));
    say_later(platform, line, random_between(&account->random, 0, 30000));
    platform->tallies[TALLY_TWICE]++;
}

void say_tick(struct platform *platform, struct account *account, const struct event *event)
{
    uint64_t fate = account->habits.honest ? 1000 : random_below(&account->random, 1000);
    if (fate < LOST_PER_MILLE) {
        platform->tallies[TALLY_LOST]++;
    } else if (fate < LOST_PER_MILLE + LATE_PER_MILLE) {
        char *line = journal_encode(&platform->journal, event, account->site->source);
        say_later(platform, line, random_between(&account->random, 2000, 40000));
        platform->tallies[TALLY_LATE]++;
    } else {
        say(platform, account, event);
    }
}
