/* scene.c - what happens on every day, whatever the seed: accounts kept for one
 * purpose each, and a timetable. Ordinary traffic would show most of it too,
 * but not on every day and not where one can point at it. */
#include "examples/platform/platform.h"

#include <assert.h>
#include <stdio.h>

#include "events/currency.h"

#define PRICE_TRIES 2000
#define AT(h, m, s) (MS_PER_HOUR * (h) + MS_PER_MINUTE * (m) + MS_PER_SECOND * (s))

/* What the account's calls cost a minute. */
enum taste { CHEAP, DEAR };
#define CHEAP_MOST_MICROS 50000
#define DEAR_LEAST_MICROS 200000

static const struct role {
    const char *id;
    unsigned members, numbers;
    enum taste taste;
    double minutes; /* of talk that the credits are for */
    enum recharge_manner recharge;
    uint32_t recharges_per_day;
    unsigned parallel; /* above 0: bursts all day */
} roles[] = {
    {"toggler", 2, 1, CHEAP, 200, RECHARGE_NONE, 0, 0},   /* switches international calling off in mid-call */
    {"leaver", 3, 1, CHEAP, 200, RECHARGE_NONE, 0, 0},    /* a member is removed in mid-call */
    {"mover", 2, 2, CHEAP, 200, RECHARGE_NONE, 0, 0},     /* a number is removed in mid-call */
    {"marathon", 1, 1, CHEAP, 2000, RECHARGE_NONE, 0, 0}, /* talks longer than any call may last */
    {"midnight", 1, 1, CHEAP, 200, RECHARGE_NONE, 0, 0},  /* talks from one day into the next */
    {"rescued", 1, 1, DEAR, 3, RECHARGE_NONE, 0, 0},      /* tops up after the cutoff was told */
    {"chargeback", 1, 1, DEAR, 8, RECHARGE_PAYS, 5, 0},   /* the card's owner takes the money back */
    {"declined", 1, 1, DEAR, 2, RECHARGE_FAILS, 9, 0},    /* a card that never works */
    {"silent", 1, 1, DEAR, 2, RECHARGE_SILENT, 9, 0},     /* a bank that never answers */
    {"thirsty", 1, 1, DEAR, 3, RECHARGE_PAYS, 2, 3},      /* more recharges than it allows itself */
    {"spender", 1, 1, DEAR, 4000, RECHARGE_NONE, 0, 0},   /* more in a day than anybody may */
    {"crowded", 1, 1, CHEAP, 2000, RECHARGE_NONE, 0, 0},  /* more calls at a time than anybody may */
    {"blocker", 2, 2, CHEAP, 200, RECHARGE_NONE, 0, 0},   /* blocks destinations */
    {"lodger", 2, 1, CHEAP, 200, RECHARGE_NONE, 0, 0},    /* a member that no number is assigned to */
    {"penniless", 1, 1, CHEAP, 0, RECHARGE_NONE, 0, 0},   /* has no credits at all */
    {"no-fx", 1, 1, CHEAP, 200, RECHARGE_NONE, 0, 0},     /* a currency without a rate */
    {"no-rates", 1, 1, CHEAP, 200, RECHARGE_NONE, 0, 0},  /* an origin without a deck */
    {"curious", 1, 1, CHEAP, 20, RECHARGE_NONE, 0, 0},    /* dials what cannot be reached */
    {"forgetful", 1, 1, CHEAP, 200, RECHARGE_NONE, 0, 0}, /* a platform that loses the ends of calls */
    {"stranger", 1, 1, CHEAP, 0, RECHARGE_NONE, 0, 0},    /* an account that nobody opened */
};
#define ROLE_ROWS (sizeof roles / sizeof *roles)

static const struct deck_rate *draw_taste(struct platform *platform, struct account *account, enum taste taste)
{
    const struct deck_rate *rate = NULL;
    for (int i = 0; i < PRICE_TRIES; i++) {
        rate = book_draw(&platform->book, &account->random, account->site->origin, WANT_INTERNATIONAL);
        if (!rate ||
            (taste == CHEAP ? rate->price_micros <= CHEAP_MOST_MICROS : rate->price_micros >= DEAR_LEAST_MICROS))
            break;
    }
    return rate;
}

static void cast(struct platform *platform, const struct role *role)
{
    struct account *account = account_add(platform, role->id, 0, role->members, role->numbers);
    account->favourite = draw_taste(platform, account, role->taste);
    account->habits = (struct habits){.honest = true,
                                      .recharge = role->recharge,
                                      .parallel = role->parallel,
                                      .recharges_per_day = role->recharges_per_day};
    if (account->favourite && role->minutes > 0)
        account->habits.credits_micros = credits_for(account->favourite, role->minutes);
    account->habits.recharge_amount = (struct amount){account->habits.credits_micros, account->currency};
    for (unsigned number = 1; number < role->numbers; number++)
        account->members[0].assigned |= 1u << number;
}

static struct account *role_named(const struct platform *platform, const char *id)
{
    struct account *account = account_find(platform, text_of(id));
    assert(account);
    return account;
}

/* Before the accounts can be found by their ids: the last one added is `account`. */
static void dress(struct account *account)
{
    if (strcmp(account->id, "lodger") == 0)
        account->members[1].assigned = 0;
    if (strcmp(account->id, "no-fx") == 0)
        currency_parse(TEXT_LIT("CHF"), &account->currency);
    if (strcmp(account->id, "no-rates") == 0)
        account->numbers[0].origin = "DE";
    account->never_opened = strcmp(account->id, "stranger") == 0;
}

void scenes_cast(struct platform *platform)
{
    for (size_t i = 0; i < ROLE_ROWS; i++) {
        cast(platform, &roles[i]);
        dress(&platform->accounts[platform->account_count - 1]);
    }
}

/* A call to the account's favourite destination that is answered after four seconds. */
static void scene_call(struct platform *platform, size_t index, unsigned member, unsigned number, int64_t talk_ms)
{
    struct account *account = &platform->accounts[index];
    if (!account->favourite)
        return;
    struct call_plan plan = plan_to_rate(platform, account, account->favourite);
    plan.member = member;
    plan.number = number;
    plan.voicemail = false;
    plan.ring_ms = 4000;
    plan.talk_ms = talk_ms;
    call_place(platform, account, &plan);
}

/* Agenda_acts; `ticket` is the timetable's last column. */

static void owner_calls(struct platform *platform, size_t index, uint64_t minutes)
{
    scene_call(platform, index, 0, 0, (int64_t)minutes * MS_PER_MINUTE);
}

static void manager_calls(struct platform *platform, size_t index, uint64_t minutes)
{
    scene_call(platform, index, 1, 0, (int64_t)minutes * MS_PER_MINUTE);
}

static void second_number_calls(struct platform *platform, size_t index, uint64_t minutes)
{
    scene_call(platform, index, 0, 1, (int64_t)minutes * MS_PER_MINUTE);
}

static void many_call(struct platform *platform, size_t index, uint64_t calls)
{
    for (uint64_t i = 0; i < calls; i++)
        scene_call(platform, index, 0, 0, 40 * MS_PER_MINUTE);
}

static void odd_calls(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    static const char *const odd[] = {"112", "conference", "+99912345678"};
    struct account *account = &platform->accounts[index];
    struct call_plan plan = {.direction = DIRECTION_OUTBOUND, .ring_ms = 4000};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        snprintf(plan.to, sizeof plan.to, "%s", odd[i]);
        call_place(platform, account, &plan);
    }
    const struct deck_rate *blocked = book_draw(&platform->book, &account->random, account->site->origin, WANT_BLOCKED);
    if (blocked) {
        plan = plan_to_rate(platform, account, blocked);
        call_place(platform, account, &plan);
    }
    snprintf(plan.from, sizeof plan.from, "+15005550006"); /* a number that is not the account's */
    call_place(platform, account, &plan);
    sms_ask(platform, account, WANT_INTERNATIONAL);
}

/* A call whose end is lost (LOSS_END), or found again too late (LOSS_END_LATE). */
static void call_is_lost(struct platform *platform, size_t index, uint64_t loss)
{
    struct account *account = &platform->accounts[index];
    if (!account->favourite)
        return;
    struct call_plan plan = plan_to_rate(platform, account, account->favourite);
    plan.ring_ms = 4000;
    plan.talk_ms = 90000;
    plan.loss = (enum call_loss)loss;
    call_place(platform, account, &plan);
}

static void toggle(struct platform *platform, size_t index, uint64_t on)
{
    number_say_international(platform, &platform->accounts[index], 0, on != 0);
}

static void remove_manager(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    struct event event = event_now(platform, EVENT_MEMBER_REMOVED, account);
    event.data.member.member_id = text_of(account->members[1].id);
    say(platform, account, &event);
}

static void unassign_manager(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    struct event event = event_now(platform, EVENT_MEMBER_UNASSIGNED, account);
    event.data.assignment.number = text_of(account->numbers[0].digits);
    event.data.assignment.member_id = text_of(account->members[1].id);
    say(platform, account, &event);
}

static void remove_second_number(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    struct event event = event_now(platform, EVENT_NUMBER_REMOVED, account);
    event.data.number.number = text_of(account->numbers[1].digits);
    say(platform, account, &event);
}

/* The account's favourite destination: for all its numbers, or the second one only. */
static void say_block(struct platform *platform, size_t index, enum event_type type, bool second_number_only)
{
    struct account *account = &platform->accounts[index];
    if (!account->favourite)
        return;
    struct event event = event_now(platform, type, account);
    event.data.block.prefix = account->favourite->prefix;
    event.data.block.number = second_number_only ? text_of(account->numbers[1].digits) : TEXT_NONE;
    event.data.block.actor = text_of(account->members[1].id); /* its manager */
    say(platform, account, &event);
}

static void block(struct platform *platform, size_t index, uint64_t second_number_only)
{
    say_block(platform, index, EVENT_DESTINATION_BLOCKED, second_number_only != 0);
}

static void unblock(struct platform *platform, size_t index, uint64_t second_number_only)
{
    say_block(platform, index, EVENT_DESTINATION_UNBLOCKED, second_number_only != 0);
}

static void buy(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    top_up(platform, &platform->accounts[index], platform->accounts[index].habits.credits_micros);
}

/* The bank takes back top-up number `ticket` of the account. */
static void reverse(struct platform *platform, size_t index, uint64_t ticket)
{
    struct account *account = &platform->accounts[index];
    char id[ID_MAX + 1];
    snprintf(id, sizeof id, "tu-%s-%u", account->id, (unsigned)ticket);
    struct event event = event_now(platform, EVENT_TOPUP_REVERSED, account);
    event.data.reversal.topup_id = text_of(id);
    event.data.reversal.reason = TEXT_LIT("chargeback");
    account->charged_back = true;
    say(platform, account, &event);
}

static void configure_again(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    account->habits.recharge = RECHARGE_PAYS; /* another card */
    auto_recharge_say(platform, account, true);
}

static const struct scene {
    int64_t at_ms; /* of the day */
    const char *account;
    agenda_act *act;
    uint64_t ticket;
} scenes[] = {
    {AT(1, 0, 0), "marathon", owner_calls, 360},
    {AT(9, 10, 0), "toggler", owner_calls, 20},
    {AT(9, 13, 0), "toggler", toggle, false},
    {AT(9, 14, 0), "toggler", owner_calls, 5},
    {AT(9, 25, 0), "toggler", toggle, true},
    {AT(9, 26, 0), "toggler", owner_calls, 2},
    {AT(9, 30, 0), "blocker", block, false},
    {AT(9, 31, 0), "blocker", owner_calls, 2},
    {AT(9, 32, 0), "blocker", unblock, false},
    {AT(9, 33, 0), "blocker", owner_calls, 2},
    {AT(9, 36, 0), "blocker", block, true},
    {AT(9, 37, 0), "blocker", second_number_calls, 2},
    {AT(9, 40, 0), "lodger", manager_calls, 3},
    {AT(9, 41, 0), "no-fx", owner_calls, 3},
    {AT(9, 42, 0), "no-rates", owner_calls, 3},
    {AT(9, 43, 0), "stranger", owner_calls, 3},
    {AT(9, 44, 0), "penniless", owner_calls, 3},
    {AT(9, 45, 0), "curious", odd_calls, 0},
    {AT(9, 50, 0), "forgetful", call_is_lost, LOSS_END},
    {AT(9, 51, 0), "forgetful", call_is_lost, LOSS_END_LATE},
    {AT(10, 10, 0), "leaver", manager_calls, 20},
    {AT(10, 12, 0), "leaver", remove_manager, 0},
    {AT(10, 14, 0), "lodger", unassign_manager, 0},
    {AT(10, 40, 0), "rescued", owner_calls, 15},
    {AT(10, 42, 50), "rescued", buy, 0},
    {AT(11, 0, 0), "mover", second_number_calls, 20},
    {AT(11, 2, 0), "mover", remove_second_number, 0},
    {AT(11, 5, 0), "marathon", owner_calls, 360},
    {AT(12, 10, 0), "chargeback", owner_calls, 10},
    {AT(12, 10, 10), "chargeback", owner_calls, 10},
    {AT(12, 12, 0), "chargeback", reverse, 1},
    {AT(12, 30, 0), "chargeback", reverse, 2},
    {AT(13, 10, 0), "declined", owner_calls, 10},
    {AT(13, 30, 0), "declined", owner_calls, 10},
    {AT(13, 50, 0), "declined", owner_calls, 10},
    {AT(14, 10, 0), "declined", owner_calls, 10},
    {AT(17, 0, 0), "declined", configure_again, 0},
    {AT(17, 10, 0), "declined", owner_calls, 5},
    {AT(13, 5, 0), "silent", owner_calls, 10},
    {AT(13, 35, 0), "silent", owner_calls, 10},
    {AT(14, 5, 0), "silent", owner_calls, 10},
    {AT(15, 0, 0), "spender", many_call, 12},
    {AT(19, 0, 0), "spender", owner_calls, 5},
    {AT(16, 0, 0), "crowded", many_call, 14},
    {AT(23, 40, 0), "midnight", owner_calls, 35},
};

void scenes_open(struct platform *platform)
{
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        agenda_add(&platform->agenda, platform->start_ms + scenes[i].at_ms, scenes[i].act,
                   account_index(platform, role_named(platform, scenes[i].account)), scenes[i].ticket);
}
