#include "processor/fold/internal.h"

int64_t saturating_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

struct text account_id(const struct record *record)
{
    struct text key = record_key(record);
    return (struct text){key.at + 1, key.len - 1};
}

struct text step_id(const struct account_step *step)
{
    return account_id(step->record);
}

struct record *account_find(struct fold *fold, struct text id)
{
    struct key key;
    key_make(&key, RECORD_ACCOUNT, id);
    return state_find(fold->state, &key);
}

enum verdict account_unknown(struct fold *fold, const struct event *event)
{
    return reject(fold, REJECT_ACCOUNT_UNKNOWN, "subject: account %.*s has not been opened", TEXT_ARGS(event->subject));
}

/* An account that live calls or a recharge in flight point at stays in memory. */
void account_keep(struct fold *fold, struct record *record)
{
    const struct account_record *account = record_body(record);
    record_pin(record, account->live_calls > 0 || recharge_in_flight(fold, account_id(record)) != NULL);
}

int64_t account_available(const struct account_record *account)
{
    return account->posted_micros - account->accrued_micros;
}

int64_t account_uncommitted(const struct account_record *account)
{
    /* Modulo 2^64, like the sum itself (call_move): exact whenever it matters. */
    return (int64_t)((uint64_t)account->posted_micros - (uint64_t)account->committed_micros);
}

static void take_over(struct account_record *account, const struct policy_record *policy)
{
    account->policy_version = policy->version;
    account->stale_after_ms = policy->number[POLICY_STALE_AFTER_MS];
    account->horizon_ms = policy->number[POLICY_HORIZON_MS];
    account->max_call_ms = policy->number[POLICY_MAX_CALL_MS];
}

enum verdict account_opened(struct fold *fold, const struct event *event, struct record *none)
{
    (void)none;
    struct record *existing = account_find(fold, event->subject);
    struct fact fact = {.len = 0};
    fact_number(&fact, event->data.account_opened.currency);
    fact_text(&fact, event->data.account_opened.owner);
    struct contents contents = fact_contents(&fact);
    if (existing) {
        struct account_record *account = record_body(existing);
        if (contents_equal(account->contents, contents))
            return DUPLICATE;
        return reject(fold, REJECT_ACCOUNT_EXISTS, "account %.*s was opened before with another currency or owner",
                      TEXT_ARGS(event->subject));
    }
    if (!currency_known(event->data.account_opened.currency)) {
        char code[CURRENCY_TEXT_MAX];
        currency_format(event->data.account_opened.currency, code);
        return reject(fold, REJECT_CURRENCY_UNKNOWN, "data.currency: %s is not in ISO 4217", code);
    }
    struct key key;
    key_make(&key, RECORD_ACCOUNT, event->subject);
    struct account_record *account = record_body(state_create(fold->state, &key, sizeof *account));
    account->contents = contents;
    account->currency = event->data.account_opened.currency;
    account->spent_day = account->recharge_day = account->recharge_limit_day = DAY_NEVER;
    account->recharge_time_ms = TIME_NEVER;
    take_over(account, fold->policy);

    key_make2(&key, RECORD_MEMBER, event->subject, event->data.account_opened.owner);
    struct member_record *owner = record_body(state_create(fold->state, &key, sizeof *owner));
    *owner = (struct member_record){
        .time_ms = event->time_ms, .removed_at_ms = TIME_NEVER, .role = ROLE_ADMIN, .present = 1};
    return APPLIED;
}

/* A policy change reaches an account at its next event: every term that was
 * made by the old policy is made anew. Once per account and change. */
static void take_up_policy(struct account_step *step)
{
    struct fold *fold = step->fold;
    struct account_record *account = step->account;
    take_over(account, fold->policy);
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        struct call_record *call = call_of(r);
        call_move(step, r, call->duration_ms, call->limit_ms, call->limit_reason);
        deadline_sooner(fold, r);
    }
    recharge_policy(fold, step->record);
    step->every_call = true;
}

static struct account_step begin(struct fold *fold, struct record *record, int64_t time_ms)
{
    struct account_step step = {.fold = fold, .record = record, .account = record_body(record), .time_ms = time_ms};
    step.uncommitted_before = account_uncommitted(step.account);
    state_changed(fold->state, record);
    return step;
}

struct account_step account_begin_deadline(struct fold *fold, struct record *record)
{
    struct account_step step = begin(fold, record, fold->p->time_ms);
    step.is_deadline = true;
    return step;
}

struct account_step account_begin(struct fold *fold, struct record *record, int64_t time_ms)
{
    struct account_step step = begin(fold, record, time_ms);
    if (step.account->policy_version != fold->policy->version)
        take_up_policy(&step);
    return step;
}

/* Charges of a day count for that day's limit even when they come late. */
void account_spend(struct account_step *step, int64_t micros)
{
    struct account_record *account = step->account;
    int64_t day = instant_day(step->time_ms), behind = account->spent_day - day;
    if (behind < 0) {
        account->spent_micros[1] = behind == -1 ? account->spent_micros[0] : 0;
        account->spent_micros[0] = 0;
        account->spent_day = (int32_t)day;
        behind = 0;
    }
    if (behind <= 1)
        account->spent_micros[behind] = saturating_add(account->spent_micros[behind], micros);
    step->charged = true;
}

int64_t account_spent(const struct account_record *account, int32_t day)
{
    int64_t behind = (int64_t)account->spent_day - day;
    return behind == 0 || behind == 1 ? account->spent_micros[behind] : 0;
}

void account_notify(struct account_step *step, enum notify_kind kind)
{
    emit(step->fold, OUTPUT_ACCOUNT_NOTIFY, step_id(step))->data.notify.kind = kind;
}

static void tell_low(struct account_step *step)
{
    struct account_record *account = step->account;
    int64_t low_micros;
    if (!step->charged || (account->flags & ACCOUNT_LOW) ||
        !policy_amount(step->fold, POLICY_LOW_CREDITS, account->currency, &low_micros) ||
        account_available(account) > low_micros)
        return;
    account->flags |= ACCOUNT_LOW;
    account_notify(step, NOTIFY_CREDITS_LOW);
}

static void tell_exhausted(struct account_step *step)
{
    struct account_record *account = step->account;
    bool exhausted = step->reached || step->denied || (step->charged && account_available(account) == 0);
    if (!exhausted || (account->flags & ACCOUNT_EXHAUSTED))
        return;
    account->flags |= ACCOUNT_EXHAUSTED;
    account_notify(step, NOTIFY_CREDITS_EXHAUSTED);
}

/* No overrun, by arithmetic: what the whole design rests on. */
static void check_invariants(struct account_step *step)
{
    const struct account_record *account = step->account;
    if (account->accrued_micros < 0 || account->accrued_micros > account->held_micros)
        step->fold->broken = "an account's accrued credits are not between zero and what its calls hold";
    else if (account->held_micros > account->posted_micros)
        step->fold->broken = "an account's calls hold more than its posted credits";
    else if (account->committed_micros < 0 || account->committed_micros > account->posted_micros)
        step->fold->broken = "an account's commitments exceed its posted credits after grants were made";
}

void account_finish(struct account_step *step)
{
    cutoff_settle(step);
    tell_low(step);
    tell_exhausted(step);
    recharge_test(step);
    check_invariants(step);
}
