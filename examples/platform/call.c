/* call.c - one call, from its start to its end.
 *
 *     asked -> ringing -> talking -> over        (denied: asked -> over)
 *
 * A live call is on the agenda once: at its next tick or its end, whichever
 * comes first. A cutoff moves the end, so each call counts its wake-ups and
 * the agenda's older ones find a ticket that is not the last.
 */
#include "examples/platform/platform.h"

#include <stdio.h>

#include "examples/platform/memory.h"

#define LATE_END_MS (25 * MS_PER_MINUTE) /* an end found again: after the call went stale */

static int64_t answered_at_ms(const struct call *call)
{
    return call->started_ms + call->plan.ring_ms;
}

static bool gets_through(const struct call *call)
{
    return call->plan.talk_ms > 0 && call->limit_ms > 0;
}

int64_t call_talk_ms(const struct platform *platform, const struct call *call)
{
    int64_t talk_ms = platform->now_ms - answered_at_ms(call);
    return call->plan.talk_ms > 0 && talk_ms > 0 && call->state != CALL_ASKED ? talk_ms : 0;
}

/* When it will be over as things stand; may lie in the past when a limit came late. */
static int64_t end_at_ms(const struct call *call)
{
    if (!gets_through(call))
        return call->limit_ms > 0 ? answered_at_ms(call) : call->started_ms;
    int64_t talk_ms = call->plan.talk_ms < call->limit_ms ? call->plan.talk_ms : call->limit_ms;
    return answered_at_ms(call) + talk_ms;
}

/* Puts the call on the agenda at its next tick or its end; what stood there is void. */
static void wake_again(struct platform *platform, size_t index)
{
    struct call *call = &platform->calls[index];
    int64_t end_ms = end_at_ms(call);
    int64_t at_ms = call->next_tick_ms < end_ms ? call->next_tick_ms : end_ms;
    if (at_ms < platform->now_ms)
        at_ms = platform->now_ms;
    agenda_add(&platform->agenda, at_ms, call_wake, index, ++call->ticket);
}

size_t call_place(struct platform *platform, struct account *account, const struct call_plan *plan)
{
    platform->calls = grown(platform->calls, platform->call_count, &platform->call_capacity, sizeof *platform->calls);
    size_t index = platform->call_count++;
    struct call *call = &platform->calls[index];
    *call = (struct call){.account = account_index(platform, account),
                          .plan = *plan,
                          .started_ms = platform->now_ms,
                          .limit_ms = NO_LIMIT};
    snprintf(call->id, sizeof call->id, "c%zu", index);
    struct event event = event_now(platform, EVENT_CALL_STARTED, account);
    __auto_type started = &event.data.call_started;
    const char *number = plan->from[0] ? plan->from : account->numbers[plan->number].digits;
    bool outbound = plan->direction == DIRECTION_OUTBOUND;
    started->call_id = text_of(call->id);
    started->direction = plan->direction;
    started->from = text_of(outbound ? number : plan->to);
    started->to = text_of(outbound ? plan->to : number);
    started->member_id = outbound ? text_of(account->members[plan->member].id) : TEXT_NONE;
    say(platform, account, &event);
    platform->tallies[TALLY_CALLS]++;
    return index;
}

static struct event end_event(const struct platform *platform, const struct call *call)
{
    struct event event = event_now(platform, EVENT_CALL_ENDED, &platform->accounts[call->account]);
    event.data.call_ended.call_id = text_of(call->id);
    event.data.call_ended.duration_ms = call_talk_ms(platform, call);
    event.data.call_ended.voicemail = call->plan.voicemail;
    return event;
}

static void hang_up(struct platform *platform, struct call *call)
{
    struct account *account = &platform->accounts[call->account];
    struct event event = end_event(platform, call);
    if (call->plan.loss == LOSS_NONE) {
        say(platform, account, &event);
    } else {
        platform->tallies[TALLY_LOST]++;
        if (call->plan.loss == LOSS_END_LATE)
            say_later(platform, journal_encode(&platform->journal, &event, account->site->source), LATE_END_MS);
    }
    if (event.data.call_ended.duration_ms > 0)
        platform->tallies[TALLY_ANSWERED]++;
    if (call->limit_ms != NO_LIMIT && event.data.call_ended.duration_ms >= call->limit_ms)
        platform->tallies[TALLY_CUT]++;
    call->state = CALL_OVER;
    call->over_step = platform->step;
}

void call_wake(struct platform *platform, size_t index, uint64_t ticket)
{
    struct call *call = &platform->calls[index];
    if (call->state == CALL_OVER || ticket != call->ticket)
        return;
    if (call->state == CALL_RINGING && call_talk_ms(platform, call) > 0)
        call->state = CALL_TALKING;
    if (platform->now_ms >= end_at_ms(call)) {
        hang_up(platform, call);
        return;
    }
    struct event event = event_now(platform, EVENT_CALL_TICKED, &platform->accounts[call->account]);
    event.data.call_ticked.call_id = text_of(call->id);
    event.data.call_ticked.duration_ms = call_talk_ms(platform, call);
    say_tick(platform, &platform->accounts[call->account], &event);
    call->next_tick_ms = platform->now_ms + platform->tick_ms;
    wake_again(platform, index);
}

void call_authorized(struct platform *platform, size_t index, bool charged)
{
    struct call *call = &platform->calls[index];
    call->state = CALL_RINGING;
    call->charged = charged;
    /* Nobody is put through before the meter has said so. */
    int64_t asked_ms = platform->now_ms - call->started_ms;
    if (call->plan.ring_ms < asked_ms)
        call->plan.ring_ms = asked_ms;
    call->next_tick_ms = call->started_ms + platform->tick_ms;
    wake_again(platform, index);
}

void call_denied(struct platform *platform, size_t index)
{
    platform->calls[index].state = CALL_OVER;
    platform->calls[index].over_step = platform->step;
}

void call_limit(struct platform *platform, size_t index, int64_t limit_ms)
{
    platform->calls[index].limit_ms = limit_ms;
    wake_again(platform, index);
}

void calls_hang_up(struct platform *platform)
{
    for (size_t i = 0; i < platform->call_count; i++)
        if (platform->calls[i].state == CALL_RINGING || platform->calls[i].state == CALL_TALKING)
            hang_up(platform, &platform->calls[i]);
}
