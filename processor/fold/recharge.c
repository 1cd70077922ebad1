/* Auto-recharge: one command in flight an account, three failures in a row
 * suspend it, no more than so many a UTC day. */
#include "processor/fold/internal.h"

#include <stdio.h>

#define FAILURES_UNTIL_SUSPENDED 3

struct record *recharge_in_flight(struct fold *fold, struct text account)
{
    struct key key;
    key_make(&key, RECORD_RECHARGE, account);
    return state_find(fold->state, &key);
}

bool recharge_is(struct fold *fold, struct record *recharge, struct text id)
{
    const struct recharge_record *body = record_body(recharge);
    char own[64];
    int len = snprintf(own, sizeof own, "%u:%lld:%u", fold->partition, (long long)body->offset, body->n);
    return text_equal(id, (struct text){own, (size_t)len});
}

void recharge_end(struct fold *fold, struct record *recharge)
{
    struct record *account = record_links(recharge)->recharge.account;
    deadline_remove(fold, recharge);
    state_remove(fold->state, recharge);
    account_keep(fold, account);
}

static void recharge_fail(struct account_step *step, struct record *recharge)
{
    struct account_record *account = step->account;
    recharge_end(step->fold, recharge);
    account->flags |= ACCOUNT_RECHARGE_WAITING;
    account->recharge_failures++;
    if (account->recharge_failures < FAILURES_UNTIL_SUSPENDED || (account->flags & ACCOUNT_RECHARGE_SUSPENDED))
        return;
    account->flags |= ACCOUNT_RECHARGE_SUSPENDED;
    account_notify(step, NOTIFY_RECHARGE_SUSPENDED);
}

void recharge_time_out(struct fold *fold, struct record *recharge)
{
    struct account_step step = account_begin_deadline(fold, record_links(recharge)->recharge.account);
    recharge_fail(&step, recharge);
    account_finish(&step);
}

enum verdict recharge_failed(struct fold *fold, const struct event *event, struct record *account)
{
    struct record *recharge = recharge_in_flight(fold, event->subject);
    if (!recharge || !recharge_is(fold, recharge, event->data.recharge_failed.recharge_id))
        return reject(fold, REJECT_RECHARGE_UNKNOWN, "data.recharge_id: no recharge %.*s is in flight",
                      TEXT_ARGS(event->data.recharge_failed.recharge_id));
    struct account_step step = account_begin(fold, account, event->time_ms);
    recharge_fail(&step, recharge);
    account_finish(&step);
    return APPLIED;
}

static struct contents configuration_contents(const struct event *event)
{
    struct fact fact = {.len = 0};
    fact_number(&fact, event->data.auto_recharge.enabled);
    fact_number(&fact, event->data.auto_recharge.amount.micros);
    fact_number(&fact, event->data.auto_recharge.amount.currency);
    fact_number(&fact, event->data.auto_recharge.threshold_micros);
    fact_number(&fact, event->data.auto_recharge.daily_limit);
    fact_text(&fact, event->data.auto_recharge.actor);
    return fact_contents(&fact);
}

enum verdict auto_recharge_configured(struct fold *fold, const struct event *event, struct record *record)
{
    struct account_record *account = record_body(record);
    struct text actor = event->data.auto_recharge.actor;
    struct contents contents = configuration_contents(event);
    if (event->time_ms < account->recharge_time_ms ||
        (event->time_ms == account->recharge_time_ms && contents_equal(account->recharge_contents, contents)))
        return DUPLICATE;
    if (!currency_known(event->data.auto_recharge.amount.currency)) {
        char code[CURRENCY_TEXT_MAX];
        currency_format(event->data.auto_recharge.amount.currency, code);
        return reject(fold, REJECT_CURRENCY_UNKNOWN, "data.currency: %s is not in ISO 4217", code);
    }
    if (!member_may_act(fold, event->subject, actor))
        return not_permitted(fold, actor);
    struct account_step step = account_begin(fold, record, event->time_ms);
    account->recharge_time_ms = event->time_ms;
    account->recharge_contents = contents;
    account->recharge_micros = event->data.auto_recharge.amount.micros;
    account->recharge_currency = event->data.auto_recharge.amount.currency;
    account->threshold_micros = event->data.auto_recharge.threshold_micros;
    account->recharge_daily_limit = event->data.auto_recharge.daily_limit;
    account->recharge_failures = 0;
    account->flags &= (uint8_t) ~(ACCOUNT_RECHARGE_ENABLED | ACCOUNT_RECHARGE_SUSPENDED | ACCOUNT_RECHARGE_WAITING);
    if (event->data.auto_recharge.enabled)
        account->flags |= ACCOUNT_RECHARGE_ENABLED;
    account_finish(&step);
    return APPLIED;
}

static bool is_wanted(const struct account_record *account)
{
    return (account->flags & ACCOUNT_RECHARGE_ENABLED) &&
           !(account->flags & (ACCOUNT_RECHARGE_SUSPENDED | ACCOUNT_RECHARGE_WAITING)) &&
           ((account->flags & ACCOUNT_EXHAUSTED) || account_available(account) <= account->threshold_micros);
}

void recharge_restore(struct fold *fold, struct record *recharge, struct record *account)
{
    const struct recharge_record *body = record_body(recharge);
    record_links(recharge)->recharge.account = account;
    account_keep(fold, account);
    deadline_add(fold, body->clock_ms + body->timeout_ms, body->offset, recharge);
}

static void command(struct account_step *step)
{
    struct fold *fold = step->fold;
    struct output *output = emit(fold, OUTPUT_ACCOUNT_RECHARGE, step_id(step));
    output->data.recharge.amount =
        (struct amount){.micros = step->account->recharge_micros, .currency = step->account->recharge_currency};
    struct key key;
    key_make(&key, RECORD_RECHARGE, step_id(step));
    struct record *record = state_create(fold->state, &key, sizeof(struct recharge_record));
    *(struct recharge_record *)record_body(record) = (struct recharge_record){
        .clock_ms = fold->p->clock_ms,
        .timeout_ms = fold->policy->number[POLICY_RECHARGE_TIMEOUT_MS],
        .offset = fold->record->offset,
        .n = output->n,
    };
    recharge_restore(fold, record, step->record);
}

void recharge_test(struct account_step *step)
{
    struct account_record *account = step->account;
    if (!is_wanted(account) || recharge_in_flight(step->fold, step_id(step)))
        return;
    int32_t day = instant_day(step->time_ms);
    if (day > account->recharge_day) {
        account->recharge_day = day;
        account->recharge_commands = 0;
    }
    if (account->recharge_commands < account->recharge_daily_limit) {
        account->recharge_commands++;
        command(step);
    } else if (account->recharge_limit_day != account->recharge_day) {
        account->recharge_limit_day = account->recharge_day;
        account_notify(step, NOTIFY_RECHARGE_LIMIT_REACHED);
    }
}

void recharge_policy(struct fold *fold, struct record *account)
{
    struct record *recharge = recharge_in_flight(fold, account_id(account));
    if (!recharge)
        return;
    struct recharge_record *body = record_body(recharge);
    body->timeout_ms = fold->policy->number[POLICY_RECHARGE_TIMEOUT_MS];
    state_changed(fold->state, recharge);
    deadline_sooner(fold, recharge);
}
