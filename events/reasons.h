/* reasons.h - every word the contract fixes, once: event types, output types,
 * reasons and kinds, as X(SYMBOL, "word") lists. Enums, name tables, schemas'
 * tests and the documentation's tests are made from these lists. */
#ifndef CALLFOLD_EVENTS_REASONS_H
#define CALLFOLD_EVENTS_REASONS_H

/* Types without their prefix "callfold."; order as in the contract. */
#define EVENT_TYPES(X)                                         \
    X(ACCOUNT_OPENED, "account.opened")                        \
    X(MEMBER_SET, "member.set")                                \
    X(MEMBER_REMOVED, "member.removed")                        \
    X(NUMBER_ADDED, "number.added")                            \
    X(NUMBER_REMOVED, "number.removed")                        \
    X(MEMBER_ASSIGNED, "member.assigned")                      \
    X(MEMBER_UNASSIGNED, "member.unassigned")                  \
    X(INTERNATIONAL_ENABLED, "number.international_enabled")   \
    X(INTERNATIONAL_DISABLED, "number.international_disabled") \
    X(DESTINATION_BLOCKED, "destination.blocked")              \
    X(DESTINATION_UNBLOCKED, "destination.unblocked")          \
    X(AUTO_RECHARGE_CONFIGURED, "auto_recharge.configured")    \
    X(CREDIT_TOPPED_UP, "credit.topped_up")                    \
    X(TOPUP_REVERSED, "topup.reversed")                        \
    X(CREDIT_REFUNDED, "credit.refunded")                      \
    X(RECHARGE_FAILED, "recharge.failed")                      \
    X(CALL_STARTED, "call.started")                            \
    X(CALL_TICKED, "call.ticked")                              \
    X(CALL_ENDED, "call.ended")                                \
    X(SMS_REQUESTED, "sms.requested")                          \
    X(CLOCK_ADVANCED, "clock.advanced")                        \
    X(RATEDECK_OPENED, "ratedeck.opened")                      \
    X(RATEDECK_RATES, "ratedeck.rates")                        \
    X(RATEDECK_PUBLISHED, "ratedeck.published")                \
    X(FX_PUBLISHED, "fx.published")                            \
    X(POLICY_CONFIGURED, "policy.configured")

#define TYPE_PREFIX "callfold."

/* X(SYMBOL, "type", TOPIC) */
#define OUTPUT_TYPES(X)                                         \
    X(CALL_AUTHORIZED, "call.authorized", COMMANDS)             \
    X(CALL_DENIED, "call.denied", COMMANDS)                     \
    X(CALL_CUTOFF, "call.cutoff", COMMANDS)                     \
    X(CALL_CUTOFF_WITHDRAWN, "call.cutoff_withdrawn", COMMANDS) \
    X(ACCOUNT_RECHARGE, "account.recharge", COMMANDS)           \
    X(ACCOUNT_NOTIFY, "account.notify", COMMANDS)               \
    X(SMS_ALLOWED, "sms.allowed", COMMANDS)                     \
    X(SMS_DENIED, "sms.denied", COMMANDS)                       \
    X(RATEDECK_ACCEPTED, "ratedeck.accepted", COMMANDS)         \
    X(LEDGER_POSTED, "ledger.posted", LEDGER)                   \
    X(CALL_RECORDED, "call.recorded", CALLS)                    \
    X(BALANCE_CHANGED, "balance.changed", BALANCES)             \
    X(EVENT_REJECTED, "event.rejected", REJECTS)                \
    X(STATE_ATTESTED, "state.attested", ATTESTATIONS)

/* Topics without their prefix "callfold."; the embedded file is NAME.jsonl. */
#define OUTPUT_TOPICS(X)    \
    X(COMMANDS, "commands") \
    X(LEDGER, "ledger")     \
    X(CALLS, "calls")       \
    X(BALANCES, "balances") \
    X(REJECTS, "rejects")   \
    X(ATTESTATIONS, "attestations")

/* In the contract's order: the first that applies is the one given. */
#define REJECT_REASONS(X)                         \
    X(MALFORMED, "malformed")                     \
    X(UNKNOWN_TYPE, "unknown_type")               \
    X(INVALID_FIELD, "invalid_field")             \
    X(KEY_MISMATCH, "key_mismatch")               \
    X(TIME_AHEAD, "time_ahead")                   \
    X(NON_REFUNDABLE, "non_refundable")           \
    X(ACCOUNT_UNKNOWN, "account_unknown")         \
    X(ACCOUNT_EXISTS, "account_exists")           \
    X(MEMBER_UNKNOWN, "member_unknown")           \
    X(NUMBER_UNKNOWN, "number_unknown")           \
    X(NUMBER_TAKEN, "number_taken")               \
    X(CURRENCY_UNKNOWN, "currency_unknown")       \
    X(NO_FX_RATE, "no_fx_rate")                   \
    X(ID_REUSED, "id_reused")                     \
    X(TOPUP_UNKNOWN, "topup_unknown")             \
    X(RECHARGE_UNKNOWN, "recharge_unknown")       \
    X(CALL_UNKNOWN, "call_unknown")               \
    X(CALL_NOT_AUTHORIZED, "call_not_authorized") \
    X(CALL_CLOSED, "call_closed")                 \
    X(NOT_PERMITTED, "not_permitted")             \
    X(DECK_UNKNOWN, "deck_unknown")               \
    X(DECK_INCOMPLETE, "deck_incomplete")         \
    X(INSUFFICIENT_NOTICE, "insufficient_notice") \
    X(OVERFLOW, "overflow")

/* In the order in which a call is judged; INTERNATIONAL_SMS is for sms.denied only. */
#define DENIAL_REASONS(X)                                               \
    X(ACCOUNT_UNKNOWN, "account_unknown")                               \
    X(NUMBER_UNKNOWN, "number_unknown")                                 \
    X(EMERGENCY_NUMBER, "emergency_number")                             \
    X(INVALID_NUMBER, "invalid_number")                                 \
    X(NO_RATES, "no_rates")                                             \
    X(DESTINATION_UNKNOWN, "destination_unknown")                       \
    X(DESTINATION_BLOCKED, "destination_blocked")                       \
    X(INTERNATIONAL_DISABLED, "international_disabled")                 \
    X(MEMBER_NOT_ASSIGNED, "member_not_assigned")                       \
    X(DESTINATION_BLOCKED_BY_ACCOUNT, "destination_blocked_by_account") \
    X(NO_FX_RATE, "no_fx_rate")                                         \
    X(TOO_MANY_CALLS, "too_many_calls")                                 \
    X(DAILY_SPEND_REACHED, "daily_spend_reached")                       \
    X(INSUFFICIENT_CREDITS, "insufficient_credits")                     \
    X(INTERNATIONAL_SMS, "international_sms")

#define CUTOFF_REASONS(X)                               \
    X(CREDITS_EXHAUSTED, "credits_exhausted")           \
    X(MAX_DURATION, "max_duration")                     \
    X(INTERNATIONAL_DISABLED, "international_disabled") \
    X(MEMBER_REMOVED, "member_removed")                 \
    X(NUMBER_REMOVED, "number_removed")                 \
    X(DAILY_SPEND_REACHED, "daily_spend_reached")       \
    X(STALE, "stale")

#define NOTIFY_KINDS(X)                         \
    X(CREDITS_LOW, "credits_low")               \
    X(CREDITS_EXHAUSTED, "credits_exhausted")   \
    X(RECHARGE_SUSPENDED, "recharge_suspended") \
    X(RECHARGE_LIMIT_REACHED, "recharge_limit_reached")

#define ENTRY_KINDS(X) \
    X(TOPUP, "topup")  \
    X(CALL, "call")    \
    X(TOPUP_REVERSED, "topup_reversal")

#define CALL_ENDINGS(X)     \
    X(PLATFORM, "platform") \
    X(CUTOFF, "cutoff")     \
    X(STALE, "stale")

#define MEMBER_ROLES(X)   \
    X(MEMBER, "member")   \
    X(MANAGER, "manager") \
    X(ADMIN, "admin")

#define CALL_DIRECTIONS(X)  \
    X(OUTBOUND, "outbound") \
    X(INBOUND, "inbound")

#define RATE_STATUSES(X) \
    X(OPEN, "open")      \
    X(FREE, "free")      \
    X(BLOCKED, "blocked")

/* Members of data of policy.configured that hold one integer:
 * X(SYMBOL, "name", default, smallest, largest). Durations in ms. */
#define POLICY_NUMBERS(X)                                                     \
    X(TICK_MS, "tick_ms", 6000, 1, DURATION_MAX_MS)                           \
    X(HORIZON_MS, "horizon_ms", 30000, 1, HORIZON_MAX_MS)                     \
    X(STALE_AFTER_MS, "stale_after_ms", 600000, 1, DURATION_MAX_MS)           \
    X(RETENTION_MS, "retention_ms", 604800000, 0, DURATION_MAX_MS)            \
    X(MAX_CALL_MS, "max_call_ms", 14400000, 1, DURATION_MAX_MS)               \
    X(RECHARGE_TIMEOUT_MS, "recharge_timeout_ms", 900000, 1, DURATION_MAX_MS) \
    X(NOTICE_MS, "notice_ms", 0, 0, DURATION_MAX_MS)                          \
    X(MAX_CONCURRENT_CALLS, "max_concurrent_calls", 0, 0, INT32_MAX)

/* Members that map a currency to an amount. */
#define POLICY_MAPS(X)            \
    X(LOW_CREDITS, "low_credits") \
    X(DAILY_SPEND, "daily_spend")

/* The largest duration accepted anywhere, ms: what JSON numbers carry exactly. */
#define DURATION_MAX_MS 9007199254740991LL

/* A day: the grant rule buys increment by increment up to the horizon. */
#define HORIZON_MAX_MS 86400000

/* Commands a UTC day of auto-recharge. */
#define DAILY_LIMIT_DEFAULT 5
#define DAILY_LIMIT_MAX     1000000

#endif
