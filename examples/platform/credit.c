/* credit.c - how credits get into an account: by hand, or because the meter
 * asked for a recharge. Cards are charged in the account's currency or another
 * one; a promotion grants more than was paid; some cards are declined. */
#include "examples/platform/platform.h"

#include <stdio.h>

#define CENT_MICROS 10000
#define USD         (('U' << 16) | ('S' << 8) | 'D')

int64_t credits_for(const struct deck_rate *rate, double minutes)
{
    int64_t micros = rate->connect_micros + (int64_t)((double)rate->price_micros * minutes);
    return (micros / CENT_MICROS + 1) * CENT_MICROS;
}

static struct event topup_event(struct platform *platform, struct account *account, char id[ID_MAX + 1])
{
    struct event event = event_now(platform, EVENT_CREDIT_TOPPED_UP, account);
    snprintf(id, ID_MAX + 1, "tu-%s-%u", account->id, ++account->topups);
    event.data.topup.topup_id = text_of(id);
    account->exhausted = false;
    platform->tallies[TALLY_TOPUPS]++;
    return event;
}

enum purchase { PLAIN, PROMOTION, FOREIGN_CARD, SOLD_IN_DOLLARS };

/* Honest accounts buy plainly: their figures are to be read without fx in mind. */
static enum purchase draw_purchase(struct account *account)
{
    uint64_t drawn = random_below(&account->random, 10);
    if (drawn > 2 || account->habits.honest)
        return PLAIN;
    if (drawn == 0)
        return PROMOTION;
    return account->currency == USD ? PLAIN : drawn == 1 ? FOREIGN_CARD : SOLD_IN_DOLLARS;
}

void top_up(struct platform *platform, struct account *account, int64_t micros)
{
    char id[ID_MAX + 1];
    struct event event = topup_event(platform, account, id);
    enum purchase purchase = draw_purchase(account);
    event.data.topup.amount = (struct amount){micros, account->currency};
    if (purchase == PROMOTION) /* a fifth more than is paid */
        event.data.topup.amount.micros = micros / 5 * 6;
    if (purchase == SOLD_IN_DOLLARS)
        event.data.topup.amount.currency = USD;
    event.data.topup.has_paid = purchase == PROMOTION || purchase == FOREIGN_CARD;
    event.data.topup.paid = event.data.topup.amount;
    if (event.data.topup.has_paid)
        event.data.topup.paid.micros = micros;
    if (purchase == FOREIGN_CARD)
        event.data.topup.paid = (struct amount){micros / 10 * 11, USD};
    say(platform, account, &event);
}

void auto_recharge_say(struct platform *platform, struct account *account, bool enabled)
{
    struct event event = event_now(platform, EVENT_AUTO_RECHARGE_CONFIGURED, account);
    event.data.auto_recharge.enabled = enabled;
    event.data.auto_recharge.amount = account->habits.recharge_amount;
    event.data.auto_recharge.threshold_micros = account->habits.recharge_threshold_micros;
    event.data.auto_recharge.daily_limit = account->habits.recharges_per_day;
    event.data.auto_recharge.actor = text_of(account->members[0].id);
    say(platform, account, &event);
}

static void recharge_fail(struct platform *platform, struct account *account)
{
    struct event event = event_now(platform, EVENT_RECHARGE_FAILED, account);
    event.data.recharge_failed.recharge_id = text_of(account->recharge_id);
    event.data.recharge_failed.reason = TEXT_LIT("card_declined");
    say(platform, account, &event);
}

static void recharge_pay(struct platform *platform, struct account *account)
{
    char id[ID_MAX + 1];
    struct event event = topup_event(platform, account, id);
    event.data.topup.amount = event.data.topup.paid = account->habits.recharge_amount;
    event.data.topup.recharge_id = text_of(account->recharge_id);
    say(platform, account, &event);
}

/* An agenda_act: the bank's answer to recharge number `ticket` of the account. */
static void recharge_answer(struct platform *platform, size_t index, uint64_t ticket)
{
    struct account *account = &platform->accounts[index];
    if (ticket != account->recharges)
        return; /* asked again since: the bank answers the last one */
    if (account->habits.recharge == RECHARGE_FAILS)
        recharge_fail(platform, account);
    else
        recharge_pay(platform, account);
    account->recharge_id[0] = '\0';
}

void recharge_asked(struct platform *platform, struct account *account, const struct order *order)
{
    int64_t delay_ms = random_between(&account->random, 2000, 9000);
    snprintf(account->recharge_id, sizeof account->recharge_id, "%.*s", TEXT_ARGS(order->recharge_id));
    account->recharge_asked_ms = platform->now_ms;
    account->recharges++;
    if (account->habits.recharge == RECHARGE_SILENT)
        return;
    if (account->habits.recharge == RECHARGE_LATE)
        delay_ms += platform->recharge_timeout_ms;
    agenda_add(&platform->agenda, platform->now_ms + delay_ms, recharge_answer, account_index(platform, account),
               account->recharges);
}

/* An agenda_act: somebody has read the notification and buys credits. */
static void buy_by_hand(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    static const int64_t packs[] = {5, 10, 25};
    int64_t micros = account->habits.credits_micros; /* those who live on the edge buy as much again */
    if (account->habits.parallel == 0)
        micros = packs[random_below(&account->random, 3)] * MICROS_PER_UNIT;
    top_up(platform, account, micros);
}

void credits_short(struct platform *platform, struct account *account)
{
    if (!random_chance(&account->random, account->habits.by_hand))
        return;
    /* At once from a telephone, or when there is time. */
    bool at_once = random_chance(&account->random, 400);
    int64_t delay_ms =
        at_once ? random_between(&account->random, 3000, 20000) : random_between(&account->random, 60000, MS_PER_HOUR);
    do_later(platform, delay_ms, buy_by_hand, account_index(platform, account));
}
