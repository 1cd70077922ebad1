/* mischief.c - records that a platform should not send, and one day does.
 *
 * One row a mistake, with the reason for which the meter is to reject it (the
 * event's id repeats it, so that rejects.jsonl can be held against it); some are
 * torn or garbled on their way and never were an event. `clumsy` is the account
 * that they are about, with an owner, a manager m1 and a member m2.
 */
#include "examples/platform/platform.h"

#include <assert.h>
#include <stdio.h>

#define FIRST_MS (7 * MS_PER_HOUR)
#define PAUSE_MS (9 * MS_PER_MINUTE)

/* Whole lines; every one is malformed. */
static const struct text torn[] = {
    TEXT_LIT("{\"specversion\":\"1.0\",\"id\":\"torn\",\"source\":\"/pbx/par1\",\"type\":\"callfold.call.ti"),
    TEXT_LIT("{\"specversion\":\"1.0\",\"id\":\"caf\xe9\",\"source\":\"/pbx/par1\"}"),
    TEXT_LIT("{\"id\":\"a\",\"id\":\"b\"}"),
    TEXT_LIT("{}{}"),
    TEXT_LIT("[\"callfold.call.ended\"]"),
    TEXT_LIT("-- MARK --"),
    TEXT_LIT("{\"id\":\"nul\\u0000\"}"),
    TEXT_LIT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
};

/* Events about `clumsy`, or another subject that is named. */
static const struct mistake {
    const char *reason; /* for which it is rejected */
    const char *type, *data;
    const char *subject; /* NULL: clumsy; "": none */
} mistakes[] = {
    {"unknown_type", "call.transferred", "{\"call_id\":\"c1\"}", NULL},
    {"invalid_field", "call.ticked", "{\"call_id\":\"c1\",\"duration_ms\":\"6000\"}", NULL},
    {"invalid_field", "call.ticked", "{\"call_id\":\"c1\",\"duration_ms\":-1}", NULL},
    {"invalid_field", "credit.topped_up", "{\"topup_id\":\"z1\",\"amount\":\"0\",\"currency\":\"USD\"}", NULL},
    {"invalid_field", "credit.topped_up", "{\"topup_id\":\"z2\",\"amount\":12.5,\"currency\":\"USD\"}", NULL},
    {"invalid_field", "call.ended", "{\"call_id\":\"c1\",\"duration_ms\":1}", ""},
    {"non_refundable", "credit.refunded", "{\"amount\":\"5\",\"currency\":\"USD\"}", NULL},
    {"account_unknown", "credit.topped_up", "{\"topup_id\":\"z3\",\"amount\":\"5\",\"currency\":\"USD\"}", "nobody"},
    {"account_exists", "account.opened", "{\"currency\":\"JPY\",\"owner\":\"owner\"}", NULL},
    {"currency_unknown", "account.opened", "{\"currency\":\"ZZZ\",\"owner\":\"owner\"}", "nobody"},
    {"member_unknown", "member.assigned", "{\"number\":\"%s\",\"member_id\":\"m99\"}", NULL},
    {"number_unknown", "member.assigned", "{\"number\":\"+15005550006\",\"member_id\":\"m1\"}", NULL},
    {"number_taken", "number.added", "{\"number\":\"%s\",\"origin\":\"UK\"}", NULL},
    {"no_fx_rate", "credit.topped_up", "{\"topup_id\":\"z4\",\"amount\":\"500\",\"currency\":\"JPY\"}", NULL},
    {"id_reused", "credit.topped_up", "{\"topup_id\":\"tu-clumsy-1\",\"amount\":\"999\",\"currency\":\"USD\"}", NULL},
    {"topup_unknown", "topup.reversed", "{\"topup_id\":\"z5\",\"reason\":\"chargeback\"}", NULL},
    {"recharge_unknown", "recharge.failed", "{\"recharge_id\":\"0:0:0\",\"reason\":\"card_declined\"}", NULL},
    {"call_unknown", "call.ticked", "{\"call_id\":\"no-such-call\",\"duration_ms\":6000}", NULL},
    {"not_permitted", "number.international_enabled", "{\"number\":\"%s\",\"actor\":\"m2\"}", NULL},
    {"deck_unknown", "ratedeck.published", "{\"deck_id\":\"deck-never\",\"rates\":1}", ""},
    {"overflow", "credit.topped_up", "{\"topup_id\":\"z6\",\"amount\":\"9223372036854.775807\",\"currency\":\"USD\"}",
     NULL},
};

static struct account *clumsy(const struct platform *platform)
{
    struct account *account = account_find(platform, TEXT_LIT("clumsy"));
    assert(account);
    return account;
}

static void say_torn(struct platform *platform, size_t row, uint64_t ticket)
{
    (void)ticket;
    journal_line(&platform->journal, torn[row]);
    platform->tallies[TALLY_WRONG]++;
}

static void say_mistake(struct platform *platform, size_t row, uint64_t ticket)
{
    (void)ticket;
    const struct mistake *mistake = &mistakes[row];
    const char *number = clumsy(platform)->numbers[0].digits;
    char time[INSTANT_TEXT_MAX], subject[64] = "", line[512];
    const char *name = mistake->subject ? mistake->subject : "clumsy";
    instant_format(platform->now_ms, time);
    if (name[0])
        snprintf(subject, sizeof subject, "\"subject\":\"%s\",", name);
    int len = snprintf(line, sizeof line,
                       "{\"specversion\":\"1.0\",\"id\":\"wrong-%zu-%s\",\"source\":\"/pbx/par1\","
                       "\"type\":\"callfold.%s\",\"time\":\"%s\",%s\"data\":",
                       row, mistake->reason, mistake->type, time, subject);
    const char *hole = strstr(mistake->data, "%s");
    if (hole)
        len += snprintf(line + len, sizeof line - (size_t)len, "%.*s%s%s}", (int)(hole - mistake->data), mistake->data,
                        number, hole + 2);
    else
        len += snprintf(line + len, sizeof line - (size_t)len, "%s}", mistake->data);
    assert((size_t)len < sizeof line);
    journal_line(&platform->journal, (struct text){line, (size_t)len});
    platform->tallies[TALLY_WRONG]++;
}

/* A tick of a call that was ended or denied: call_closed, call_not_authorized. */
static void tick_once_more(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    const struct call *call = &platform->calls[index];
    struct account *account = &platform->accounts[call->account];
    struct event event = event_now(platform, EVENT_CALL_TICKED, account);
    event.data.call_ticked.call_id = text_of(call->id);
    event.data.call_ticked.duration_ms = MS_PER_HOUR;
    say(platform, account, &event);
    platform->tallies[TALLY_WRONG]++;
}

/* Another call under an id that is taken: id_reused. */
static void start_once_more(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    const struct call *call = &platform->calls[index];
    struct account *account = &platform->accounts[call->account];
    struct event event = event_now(platform, EVENT_CALL_STARTED, account);
    event.data.call_started.call_id = text_of(call->id);
    event.data.call_started.from = text_of(account->numbers[0].digits);
    event.data.call_started.to = TEXT_LIT("+33142685300");
    event.data.call_started.member_id = text_of(account->members[0].id);
    event.data.call_started.direction = DIRECTION_OUTBOUND;
    say(platform, account, &event);
    platform->tallies[TALLY_WRONG]++;
}

/* One call that gets through and one that does not, and what is said of them too
 * late; a line of nothing before them, which is no record, but counts as a line. */
static void calls_misused(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    journal_line(&platform->journal, TEXT_LIT(""));
    struct call_plan plan = {.direction = DIRECTION_INBOUND, .to = "anonymous", .ring_ms = 3000, .talk_ms = 20000};
    size_t ended = call_place(platform, &platform->accounts[index], &plan);
    plan = (struct call_plan){.direction = DIRECTION_OUTBOUND, .to = "conference", .ring_ms = 3000, .talk_ms = 20000};
    size_t denied = call_place(platform, &platform->accounts[index], &plan);
    do_later(platform, 2 * MS_PER_MINUTE, tick_once_more, ended);
    do_later(platform, 3 * MS_PER_MINUTE, tick_once_more, denied);
    do_later(platform, 4 * MS_PER_MINUTE, start_once_more, ended);
}

void mischief_cast(struct platform *platform)
{
    struct account *account = account_add(platform, "clumsy", 0, 3, 1);
    account->habits = (struct habits){.honest = true, .credits_micros = 5 * MICROS_PER_UNIT};
}

void mischief_open(struct platform *platform)
{
    int64_t at_ms = FIRST_MS;
    for (size_t row = 0; row < sizeof torn / sizeof *torn; row++, at_ms += PAUSE_MS)
        do_later(platform, at_ms, say_torn, row);
    for (size_t row = 0; row < sizeof mistakes / sizeof *mistakes; row++, at_ms += PAUSE_MS)
        do_later(platform, at_ms, say_mistake, row);
    do_later(platform, FIRST_MS + PAUSE_MS / 3, calls_misused, account_index(platform, clumsy(platform)));
}
