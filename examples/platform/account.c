/* account.c - customers: their teams, their numbers, and how they come to be.
 *
 * Ordinary customers are acct-0001 and on: offices with a team, some numbers
 * and a card on file, or none. A few live on the edge and show what the meter
 * is for: kiosk-N sells single calls on next to nothing, crowd-N runs three to
 * ten calls at a time on a few dollars, probe-N does the same over a platform
 * that makes no mistakes: whatever it talks has to be paid for.
 */
#include "examples/platform/platform.h"

#include <stdio.h>

#include "events/currency.h"
#include "events/money.h"
#include "examples/platform/memory.h"

#define OPENING_MS        30000 /* all accounts open within it */
#define PROBE_COUNT       4
#define PRICE_TRIES       40
#define DEAR_LEAST_MICROS 80000 /* a minute */

const struct site sites[SITE_COUNT] = {
    {"/pbx/nyc1", "US", "USD", -5},
    {"/pbx/sfo1", "US", "USD", -8},
    {"/pbx/par1", "FR-landline", "EUR", 1},
    {"/pbx/lon1", "UK", "GBP", 0},
};

/* What numbers of an origin begin with, and how many digits follow. */
static const struct {
    const char *origin, *prefix;
    int digits;
} ranges[] = {{"US", "+16465", 6}, {"FR-landline", "+3318", 7}, {"FR-mobile", "+3365", 7}, {"UK", "+44203", 7}};
#define RANGE_COUNT (sizeof ranges / sizeof *ranges)

static void number_init(struct number *number, const char *origin, size_t account, unsigned place)
{
    size_t range = 0;
    while (range + 1 < RANGE_COUNT && strcmp(ranges[range].origin, origin) != 0)
        range++;
    unsigned long serial = (unsigned long)account * NUMBERS_MAX + place;
    snprintf(number->digits, sizeof number->digits, "%s%0*lu", ranges[range].prefix, ranges[range].digits, serial);
    number->origin = origin;
    number->international = true;
}

struct account *account_add(struct platform *platform, const char *id, unsigned site, unsigned members,
                            unsigned numbers)
{
    platform->accounts =
        grown(platform->accounts, platform->account_count, &platform->account_capacity, sizeof *platform->accounts);
    size_t index = platform->account_count++;
    struct account *account = &platform->accounts[index];
    *account = (struct account){.site = &sites[site], .member_count = members, .number_count = numbers};
    snprintf(account->id, sizeof account->id, "%s", id);
    currency_parse(text_of(sites[site].currency), &account->currency);
    random_seed(&account->random, platform->seed, index + 1);
    for (unsigned i = 0; i < numbers; i++) {
        const char *origin = i == 0 ? sites[site].origin : ranges[random_below(&account->random, RANGE_COUNT)].origin;
        number_init(&account->numbers[i], origin, index, i);
    }
    for (unsigned i = 0; i < members; i++) {
        struct member *member = &account->members[i];
        snprintf(member->id, sizeof member->id, i == 0 ? "owner" : "m%u", i);
        member->role = i == 0 ? ROLE_ADMIN : i == 1 ? ROLE_MANAGER : ROLE_MEMBER;
        member->assigned = 1;
    }
    return account;
}

/* Members share numbers, not all of them; a number in ten cannot call abroad. */
static void draw_team(struct account *account)
{
    for (unsigned number = 1; number < account->number_count; number++)
        for (unsigned member = 0; member < account->member_count; member++)
            if (member == 0 || random_chance(&account->random, 600))
                account->members[member].assigned |= 1u << number;
    for (unsigned number = 0; number < account->number_count; number++)
        account->numbers[number].international = random_chance(&account->random, 900);
}

static void draw_habits(struct account *account)
{
    struct random *random = &account->random;
    static const int64_t packs[] = {5, 10, 20, 25, 40};
    const enum recharge_manner manners[] = {RECHARGE_PAYS,  RECHARGE_PAYS,   RECHARGE_PAYS, RECHARGE_PAYS,
                                            RECHARGE_FAILS, RECHARGE_SILENT, RECHARGE_LATE};
    struct habits *habits = &account->habits;
    habits->calls_per_day = random_log_normal(random, 7, 0.7);
    habits->by_hand = 700;
    habits->credits_micros = packs[random_below(random, 5)] * MICROS_PER_UNIT;
    habits->credits_micros /= random_between(random, 1, 40); /* what yesterday left of it */
    if (!random_chance(random, 350))
        return;
    habits->recharge = manners[random_below(random, sizeof manners / sizeof *manners)];
    habits->recharge_amount = (struct amount){packs[random_below(random, 3)] * MICROS_PER_UNIT, account->currency};
    habits->recharge_threshold_micros = random_between(random, 0, 2) * MICROS_PER_UNIT;
    habits->recharges_per_day = 5;
}

/* Where a few dollars do not last for long, if a few draws find it. */
static const struct deck_rate *draw_dear_rate(struct platform *platform, struct account *account)
{
    const struct deck_rate *rate = NULL;
    for (int i = 0; i < PRICE_TRIES; i++) {
        rate = book_draw(&platform->book, &account->random, account->site->origin, WANT_INTERNATIONAL);
        if (!rate || rate->price_micros >= DEAR_LEAST_MICROS)
            break;
    }
    return rate;
}

/* A customer whose bursts of calls cost more than it has. */
static void add_on_edge(struct platform *platform, const char *name, size_t n, unsigned parallel, bool honest)
{
    char id[24];
    snprintf(id, sizeof id, "%s-%zu", name, n);
    struct account *account = account_add(platform, id, (unsigned)(n % SITE_COUNT), 2, 1);
    account->habits = (struct habits){.honest = honest, .by_hand = 600, .parallel = parallel};
    account->favourite = draw_dear_rate(platform, account);
    if (account->favourite)
        account->habits.credits_micros = credits_for(account->favourite, 4.0 * parallel);
}

void accounts_add_ordinary(struct platform *platform, size_t count)
{
    char id[24];
    for (size_t i = 1; i <= count; i++) {
        snprintf(id, sizeof id, "acct-%04zu", i);
        struct random shape;
        random_seed(&shape, platform->seed, i << 32);
        unsigned members = (unsigned)random_between(&shape, 1, 8), numbers = (unsigned)random_between(&shape, 1, 3);
        struct account *account =
            account_add(platform, id, (unsigned)random_below(&shape, SITE_COUNT), members, numbers);
        draw_team(account);
        draw_habits(account);
    }
    for (size_t n = 1; n <= PROBE_COUNT; n++)
        add_on_edge(platform, "probe", n, (unsigned)(2 * n), true);
    for (size_t n = 1; n <= 2 + count / 60; n++) {
        add_on_edge(platform, "kiosk", n, 1, false);
        add_on_edge(platform, "crowd", n, 3 + (unsigned)(n % 8), false);
    }
}

void member_say_set(struct platform *platform, struct account *account, unsigned member)
{
    struct event event = event_now(platform, EVENT_MEMBER_SET, account);
    event.data.member.member_id = text_of(account->members[member].id);
    event.data.member.role = account->members[member].role;
    say(platform, account, &event);
}

void number_say_assigned(struct platform *platform, struct account *account, unsigned number, unsigned member)
{
    struct event event = event_now(platform, EVENT_MEMBER_ASSIGNED, account);
    event.data.assignment.number = text_of(account->numbers[number].digits);
    event.data.assignment.member_id = text_of(account->members[member].id);
    say(platform, account, &event);
}

void number_say_international(struct platform *platform, struct account *account, unsigned number, bool on)
{
    struct event event = event_now(platform, on ? EVENT_INTERNATIONAL_ENABLED : EVENT_INTERNATIONAL_DISABLED, account);
    event.data.toggle.number = text_of(account->numbers[number].digits);
    event.data.toggle.actor = text_of(account->members[0].id);
    account->numbers[number].international = on;
    say(platform, account, &event);
}

static void open_numbers(struct platform *platform, struct account *account)
{
    for (unsigned number = 0; number < account->number_count; number++) {
        struct event event = event_now(platform, EVENT_NUMBER_ADDED, account);
        event.data.number.number = text_of(account->numbers[number].digits);
        event.data.number.origin = text_of(account->numbers[number].origin);
        say(platform, account, &event);
        if (account->numbers[number].international)
            number_say_international(platform, account, number, true);
        for (unsigned member = 0; member < account->member_count; member++)
            if (account->members[member].assigned & (1u << number))
                number_say_assigned(platform, account, number, member);
    }
}

/* An agenda_act: all that makes an account, and its first thought of a call. */
static void account_open(struct platform *platform, size_t index, uint64_t ticket)
{
    (void)ticket;
    struct account *account = &platform->accounts[index];
    if (account->never_opened)
        return;
    struct event event = event_now(platform, EVENT_ACCOUNT_OPENED, account);
    event.data.account_opened.currency = account->currency;
    event.data.account_opened.owner = text_of(account->members[0].id);
    say(platform, account, &event);
    for (unsigned member = 1; member < account->member_count; member++)
        member_say_set(platform, account, member);
    open_numbers(platform, account);
    if (account->habits.credits_micros)
        top_up(platform, account, account->habits.credits_micros);
    if (account->habits.recharge != RECHARGE_NONE)
        auto_recharge_say(platform, account, true);
    if (account->habits.calls_per_day > 0)
        do_later(platform, 2 * OPENING_MS, traffic_think, index);
    if (account->habits.parallel > 0)
        do_later(platform, 2 * OPENING_MS, traffic_burst, index);
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct account *const *)a)->id, (*(struct account *const *)b)->id);
}

void accounts_open(struct platform *platform)
{
    platform->by_id = calloc(platform->account_count, sizeof *platform->by_id);
    if (!platform->by_id)
        err(EX_OSERR, "out of memory for %zu accounts", platform->account_count);
    for (size_t i = 0; i < platform->account_count; i++) {
        platform->by_id[i] = &platform->accounts[i];
        do_later(platform, 1000 + (int64_t)(OPENING_MS * i / platform->account_count), account_open, i);
    }
    qsort(platform->by_id, platform->account_count, sizeof *platform->by_id, by_id);
}

struct account *account_find(const struct platform *platform, struct text id)
{
    size_t low = 0, high = platform->account_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct account *account = platform->by_id[middle];
        int order = strncmp(account->id, id.at, id.len);
        if (order == 0 && account->id[id.len] == '\0')
            return account;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t account_index(const struct platform *platform, const struct account *account)
{
    return (size_t)(account - platform->accounts);
}
