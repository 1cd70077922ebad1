/* traffic.c - who calls whom, when and for how long.
 *
 * Calls come at random moments, more of them in an office's hours of the day
 * at the account's own place. Half go abroad; the rest is what a telephone
 * system carries besides: domestic and inbound calls, free numbers, mistakes.
 */
#include "examples/platform/platform.h"

#include <stdio.h>

#include "examples/platform/memory.h"

/* How busy each hour of a working day is, in percent of the busiest. */
static const unsigned busy[24] = {2,  1,  1,  1,   1,  2,  5,  15, 45, 90, 100, 95,
                                  60, 70, 95, 100, 90, 70, 40, 25, 18, 12, 7,   4};
#define BUSY_SUM 949.0

#define TALK_MEDIAN_MS    80000.0
#define TALK_SIGMA        1.2
#define TALK_LONGEST_MS   (3 * MS_PER_HOUR)
#define BURST_PAUSE_LEAST (1 * MS_PER_HOUR)
#define BURST_PAUSE_MOST  (6 * MS_PER_HOUR)

static int64_t draw_talk_ms(struct random *random, double median_ms)
{
    double talk = random_log_normal(random, median_ms, TALK_SIGMA);
    return talk < TALK_LONGEST_MS ? 1000 + (int64_t)talk : TALK_LONGEST_MS;
}

/* Whether somebody answers, when, and for how long they talk. */
static void draw_course(struct random *random, struct call_plan *plan)
{
    plan->ring_ms = random_between(random, 2500, 28000);
    plan->talk_ms = draw_talk_ms(random, TALK_MEDIAN_MS);
    uint64_t course = random_below(random, 100);
    if (course < 17) { /* nobody at home */
        plan->ring_ms = random_between(random, 15000, 45000);
        plan->talk_ms = 0;
    } else if (course < 26) {
        plan->voicemail = true;
        plan->talk_ms = random_between(random, 4000, 40000);
    }
}

/* Platforms lose an end now and then; some find it again when it is too late. */
static enum call_loss draw_loss(struct account *account)
{
    uint64_t drawn = random_below(&account->random, 1000);
    if (account->habits.honest || drawn >= 8)
        return LOSS_NONE;
    return drawn < 4 ? LOSS_END : LOSS_END_LATE;
}

struct call_plan plan_to_rate(struct platform *platform, struct account *account, const struct deck_rate *rate)
{
    struct call_plan plan = {.direction = DIRECTION_OUTBOUND};
    draw_course(&account->random, &plan);
    book_dial(&platform->book, &account->random, rate, plan.to);
    return plan;
}

/* Numbers that no deck has to be asked about. */
static const char *draw_odd_number(struct random *random)
{
    static const char *const odd[] = {"112",        "911",         "17",           "999",         "0033142685300",
                                      "conference", "+0441632960", "+99912345678", "+21012345678"};
    return odd[random_below(random, sizeof odd / sizeof *odd)];
}

static enum book_want draw_want(struct random *random)
{
    uint64_t drawn = random_below(random, 100);
    return drawn < 27 ? WANT_DOMESTIC : drawn < 31 ? WANT_FREE : drawn < 32 ? WANT_BLOCKED : WANT_INTERNATIONAL;
}

/* A member that may call from the number; now and then whoever is at hand. */
static unsigned draw_member(struct account *account, unsigned number)
{
    unsigned member = (unsigned)random_below(&account->random, account->member_count);
    if (random_chance(&account->random, 15))
        return member;
    while (!(account->members[member].assigned & (1u << number)) || account->members[member].removed)
        member = (member + 1) % account->member_count;
    return member;
}

static void plan_inbound(struct random *random, struct call_plan *plan)
{
    draw_course(random, plan);
    plan->direction = DIRECTION_INBOUND;
    if (random_chance(random, 50)) {
        snprintf(plan->to, sizeof plan->to, "anonymous");
        return;
    }
    int rest = (int)random_below(random, 10000);
    snprintf(plan->to, sizeof plan->to, "+44207946%04d", rest);
}

/* False when the deck has nothing of the kind that was drawn. */
static bool draw_plan(struct platform *platform, struct account *account, struct call_plan *plan)
{
    struct random *random = &account->random;
    unsigned number = (unsigned)random_below(random, account->number_count);
    uint64_t kind = random_below(random, 1000);
    *plan = (struct call_plan){.direction = DIRECTION_OUTBOUND};
    if (kind < 150) {
        plan_inbound(random, plan);
    } else if (kind < 160) {
        draw_course(random, plan);
        snprintf(plan->to, sizeof plan->to, "%s", draw_odd_number(random));
    } else {
        const struct deck_rate *rate =
            book_draw(&platform->book, random, account->numbers[number].origin, draw_want(random));
        if (!rate)
            return false;
        *plan = plan_to_rate(platform, account, rate);
    }
    if (random_chance(random, 3))
        snprintf(plan->from, sizeof plan->from, "+15005550006"); /* a number nobody gave the account */
    plan->number = number;
    plan->member = draw_member(account, number);
    plan->loss = draw_loss(account);
    return true;
}

void sms_ask(struct platform *platform, struct account *account, enum book_want want)
{
    struct random *random = &account->random;
    const struct number *from = &account->numbers[0];
    const struct deck_rate *rate = book_draw(&platform->book, random, from->origin, want);
    if (!rate)
        return;
    char to[PHONE_MAX + 1], id[24];
    book_dial(&platform->book, random, rate, to);
    snprintf(id, sizeof id, "s%zu", platform->sms_count);
    struct event event = event_now(platform, EVENT_SMS_REQUESTED, account);
    event.data.sms.message_id = text_of(id);
    event.data.sms.from = text_of(random_chance(random, 10) ? "+15005550006" : from->digits);
    event.data.sms.to = text_of(to);
    platform->sms = grown(platform->sms, platform->sms_count, &platform->sms_capacity, sizeof *platform->sms);
    platform->sms[platform->sms_count++] = (struct sms){.account = account_index(platform, account)};
    platform->tallies[TALLY_SMS]++;
    /* Nobody remembers a message: sent twice it is asked twice, so it is not. */
    journal_event(&platform->journal, &event, account->site->source);
}

void traffic_think(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    struct random *random = &account->random;
    int64_t local_ms = platform->now_ms + account->site->utc_offset_h * MS_PER_HOUR;
    size_t hour = (size_t)(local_ms / MS_PER_HOUR % 24);
    /* Thinning: thoughts come at the busiest hour's rate, quiet hours drop most. */
    double mean_ms = BUSY_SUM * MS_PER_HOUR / (100.0 * account->habits.calls_per_day);
    do_later(platform, 1 + (int64_t)random_exponential(random, mean_ms), traffic_think, index);
    if (!random_chance(random, 10 * busy[hour]))
        return;
    struct call_plan plan;
    if (random_chance(random, 120))
        sms_ask(platform, account, random_chance(random, 700) ? WANT_DOMESTIC : WANT_INTERNATIONAL);
    else if (draw_plan(platform, account, &plan))
        call_place(platform, account, &plan);
}

/* An agenda_act: one of the calls of a burst. */
static void burst_call(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    struct call_plan plan = plan_to_rate(platform, account, account->favourite);
    plan.voicemail = false;
    plan.talk_ms = draw_talk_ms(&account->random, 8 * TALK_MEDIAN_MS);
    plan.ring_ms = random_between(&account->random, 2500, 14000);
    call_place(platform, account, &plan);
}

void traffic_burst(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    struct random *random = &account->random;
    do_later(platform, random_between(random, BURST_PAUSE_LEAST, BURST_PAUSE_MOST), traffic_burst, index);
    if (!account->favourite)
        return;
    /* Who knows that there are no credits tries with one call. */
    unsigned calls = account->exhausted ? 1 : account->habits.parallel;
    for (unsigned i = 0; i < calls; i++)
        do_later(platform, random_between(random, 0, 20000), burst_call, index);
}
