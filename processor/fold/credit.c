/* Top-ups and their reversals. */
#include "processor/fold/internal.h"

/* Where the money came from: the postings of a top-up but for the customer's.
 * One currency: cash and, if more was granted than paid, promotion. Two: both
 * amounts pass through their fx accounts. sign -1 mirrors them. */
static void postings_of_payment(struct fold *fold, struct entry *entry, const struct account_record *account,
                                const struct topup_record *topup, int sign)
{
    struct text paid_name = currency_text(fold, topup->paid_currency);
    entry_posting(entry, "cash:", paid_name, sign * topup->paid_micros, topup->paid_currency);
    if (topup->paid_currency == account->currency) {
        entry_posting(entry, "promotion:", paid_name, sign * (topup->granted_micros - topup->paid_micros),
                      account->currency);
        return;
    }
    entry_posting(entry, "fx:", paid_name, -sign * topup->paid_micros, topup->paid_currency);
    entry_posting(entry, "fx:", currency_text(fold, account->currency), sign * topup->granted_micros,
                  account->currency);
}

static struct contents topup_contents(const struct event *event)
{
    struct fact fact = {.len = 0};
    fact_text(&fact, event->data.topup.topup_id);
    fact_number(&fact, event->data.topup.amount.micros);
    fact_number(&fact, event->data.topup.amount.currency);
    fact_number(&fact, event->data.topup.paid.micros);
    fact_number(&fact, event->data.topup.paid.currency);
    fact_text(&fact, event->data.topup.recharge_id);
    return fact_contents(&fact);
}

static enum verdict check_currencies(struct fold *fold, const struct event *event)
{
    const uint32_t currencies[] = {event->data.topup.amount.currency, event->data.topup.paid.currency};
    char code[CURRENCY_TEXT_MAX];
    for (int i = 0; i < 2; i++) {
        currency_format(currencies[i], code);
        if (!currency_known(currencies[i]))
            return reject(fold, REJECT_CURRENCY_UNKNOWN, "data.%scurrency: %s is not in ISO 4217", i ? "paid." : "",
                          code);
    }
    return APPLIED;
}

/* What the account's holder gets for the event's amount, in the account's
 * currency; the reasons against it in the contract's order, a reused id among them. */
static enum verdict granted(struct fold *fold, const struct event *event, const struct account_record *account,
                            bool id_reused, int64_t *micros)
{
    const struct amount *amount = &event->data.topup.amount;
    char from[CURRENCY_TEXT_MAX], to[CURRENCY_TEXT_MAX];
    int64_t num, den, sum;
    currency_format(amount->currency, from);
    currency_format(account->currency, to);
    if (check_currencies(fold, event) == REJECTED)
        return REJECTED;
    if (!fx_ratio(fold, amount->currency, account->currency, event->time_ms, &num, &den))
        return reject(fold, REJECT_NO_FX_RATE, "data.currency: no exchange rate from %s to %s is in force", from, to);
    if (id_reused)
        return reject(fold, REJECT_ID_REUSED, "data.topup_id: %.*s was another top-up before",
                      TEXT_ARGS(event->data.topup.topup_id));
    if (!mul_div_half_up(amount->micros, num, den, micros) ||
        __builtin_add_overflow(account->posted_micros, *micros, &sum))
        return reject(fold, REJECT_OVERFLOW, "data.amount: the balance would not fit 64-bit micros of %s", to);
    return APPLIED;
}

/* What a top-up means for auto-recharge and for what the account was told. */
static void topup_arrived(struct account_step *step, const struct event *event)
{
    struct account_record *account = step->account;
    struct text recharge_id = event->data.topup.recharge_id;
    int64_t low_micros;
    account->flags &= (uint8_t) ~(ACCOUNT_EXHAUSTED | ACCOUNT_RECHARGE_WAITING);
    if (policy_amount(step->fold, POLICY_LOW_CREDITS, account->currency, &low_micros) &&
        account_available(account) > low_micros)
        account->flags &= (uint8_t)~ACCOUNT_LOW;
    if (!text_present(recharge_id))
        return;
    account->recharge_failures = 0;
    struct record *in_flight = recharge_in_flight(step->fold, step_id(step));
    if (in_flight && recharge_is(step->fold, in_flight, recharge_id))
        recharge_end(step->fold, in_flight);
}

enum verdict credit_topped_up(struct fold *fold, const struct event *event, struct record *record)
{
    struct key key;
    key_make2(&key, RECORD_TOPUP, event->subject, event->data.topup.topup_id);
    struct record *existing = state_find(fold->state, &key);
    struct contents contents = topup_contents(event);
    if (existing && contents_equal(((struct topup_record *)record_body(existing))->contents, contents))
        return DUPLICATE;
    int64_t granted_micros = 0;
    if (granted(fold, event, record_body(record), existing != NULL, &granted_micros) == REJECTED)
        return REJECTED;
    struct account_step step = account_begin(fold, record, event->time_ms);
    struct topup_record *topup = record_body(state_create(fold->state, &key, sizeof *topup));
    *topup = (struct topup_record){
        .contents = contents,
        .granted_micros = granted_micros,
        .paid_micros = event->data.topup.paid.micros,
        .paid_currency = event->data.topup.paid.currency,
        .flags = text_present(event->data.topup.recharge_id) ? TOPUP_PAID_BY_RECHARGE : 0,
    };
    struct entry entry = {.kind = ENTRY_TOPUP,
                          .amount_micros = granted_micros,
                          .money_day = instant_day(event->time_ms),
                          .reference = event->data.topup.topup_id};
    entry_posting(&entry, "customer:", step_id(&step), -granted_micros, step.account->currency);
    postings_of_payment(fold, &entry, step.account, topup, 1);
    ledger_post(&step, &entry);
    topup_arrived(&step, event);
    account_finish(&step);
    return APPLIED;
}

static struct contents reversal_contents(const struct event *event)
{
    struct fact fact = {.len = 0};
    fact_text(&fact, event->data.reversal.topup_id);
    fact_text(&fact, event->data.reversal.reason);
    return fact_contents(&fact);
}

static void suspend_recharge(struct account_step *step)
{
    struct account_record *account = step->account;
    if (!(account->flags & ACCOUNT_RECHARGE_ENABLED) || (account->flags & ACCOUNT_RECHARGE_SUSPENDED))
        return;
    account->flags |= ACCOUNT_RECHARGE_SUSPENDED;
    account_notify(step, NOTIFY_RECHARGE_SUSPENDED);
}

enum verdict topup_reversed(struct fold *fold, const struct event *event, struct record *record)
{
    struct key key;
    key_make2(&key, RECORD_TOPUP, event->subject, event->data.reversal.topup_id);
    struct record *topup_record = state_find(fold->state, &key);
    if (!topup_record)
        return reject(fold, REJECT_TOPUP_UNKNOWN, "data.topup_id: the account had no top-up %.*s",
                      TEXT_ARGS(event->data.reversal.topup_id));
    struct topup_record *topup = record_body(topup_record);
    struct contents contents = reversal_contents(event);
    if (topup->flags & TOPUP_REVERSED) {
        if (contents_equal(topup->reversal, contents))
            return DUPLICATE;
        return reject(fold, REJECT_ID_REUSED, "data.topup_id: %.*s was reversed before, for another reason",
                      TEXT_ARGS(event->data.reversal.topup_id));
    }
    struct account_step step = account_begin(fold, record, event->time_ms);
    state_changed(fold->state, topup_record);
    topup->flags |= TOPUP_REVERSED;
    topup->reversal = contents;
    int64_t available = account_available(step.account);
    int64_t debit = topup->granted_micros < available ? topup->granted_micros : available;
    struct entry entry = {.kind = ENTRY_TOPUP_REVERSED,
                          .amount_micros = -debit,
                          .money_day = instant_day(event->time_ms),
                          .reference = event->data.reversal.topup_id};
    entry_posting(&entry, "customer:", step_id(&step), debit, step.account->currency);
    entry_posting(&entry, "receivable:", step_id(&step), topup->granted_micros - debit, step.account->currency);
    postings_of_payment(fold, &entry, step.account, topup, -1);
    ledger_post(&step, &entry);
    step.regrant = debit > 0;
    if (topup->flags & TOPUP_PAID_BY_RECHARGE)
        suspend_recharge(&step);
    account_finish(&step);
    return APPLIED;
}
