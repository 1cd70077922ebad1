/* platform.h - a telephony company's platform for one day, played from a seed.
 *
 * The company's customers (accounts) have teams, numbers and habits; they place
 * calls, run out of credits and top up. The platform tells the meter what
 * happens (journal.h) and does what the meter wants done (meter.h):
 *
 *     agenda  ->  act  ->  events  ->  meter  ->  commands  ->  agenda
 *
 * in lock step. A step is a few seconds of simulated time in which something
 * happens: all of it is written, the platform waits until the meter has
 * committed it, and what the commands ask for is done in the steps after. The
 * same seed, deck and meter give the same events file, byte for byte.
 *
 *     main.c      options, the steps, the summary
 *     say.c       events to the journal, a few of them lost, late or twice
 *     account.c   customers: teams, numbers, opening
 *     traffic.c   who calls whom, when and for how long
 *     call.c      one call, from its start to its end
 *     credit.c    top-ups and recharges
 *     tariff.c    rate decks, fx and policy as events; book.c numbers to dial
 *     scene.c     what happens on every day to accounts kept for it
 *     mischief.c  records that a platform should not send, and does
 *     obey.c      commands, and what must hold of them
 *     files.c     the meter by files; topics.c the meter by Kafka
 */
#ifndef CALLFOLD_EXAMPLES_PLATFORM_H
#define CALLFOLD_EXAMPLES_PLATFORM_H

#include "events/instant.h"
#include "events/money.h"
#include "events/phone.h"
#include "examples/platform/agenda.h"
#include "examples/platform/book.h"
#include "examples/platform/journal.h"
#include "examples/platform/meter.h"
#include "examples/platform/random.h"

#define MEMBERS_MAX 12
#define NUMBERS_MAX 4
#define NO_LIMIT    INT64_MAX
/* Simulated time of a step: not above tick_ms, so that a call hears of its
 * limit while it still has what the horizon set aside for it. */
#define STEP_MS 5000

/* One of the platform's exchanges: the customers it serves are like each other. */
struct site {
    const char *source; /* of its events */
    const char *origin; /* of most of its numbers */
    const char *currency;
    int utc_offset_h; /* in November */
};

struct member {
    char id[16];
    enum member_role role;
    unsigned assigned; /* bit i: may call from number i */
    bool removed;
};

struct number {
    char digits[PHONE_MAX + 1];
    const char *origin;
    bool international, removed;
};

/* What happens when the meter asks for a recharge. */
enum recharge_manner { RECHARGE_NONE, RECHARGE_PAYS, RECHARGE_FAILS, RECHARGE_SILENT, RECHARGE_LATE };

struct habits {
    double calls_per_day; /* 0: places none by itself */
    bool honest;          /* every event once, in time; else a few are lost, late or sent twice */
    unsigned by_hand;     /* per mille: tops up when told that credits run out */
    enum recharge_manner recharge;
    int64_t credits_micros; /* to begin with; 0: none */
    struct amount recharge_amount;
    int64_t recharge_threshold_micros;
    uint32_t recharges_per_day;
    unsigned parallel; /* calls at a time, in a burst */
};

struct account {
    char id[24];
    const struct site *site;
    uint32_t currency;
    struct habits habits;
    struct random random;
    struct member members[MEMBERS_MAX];
    struct number numbers[NUMBERS_MAX];
    unsigned member_count, number_count;
    const struct deck_rate *favourite; /* where bursts go; NULL: anywhere */
    bool never_opened;                 /* calls without being a customer */
    bool exhausted;                    /* was told so, and has not topped up since */
    bool charged_back;                 /* its bank took a top-up back, and grants with it */
    unsigned topups, recharges;        /* so far */
    char recharge_id[ID_MAX + 1];      /* to be answered; "" none */
    int64_t recharge_asked_ms;
};

enum call_state { CALL_ASKED, CALL_RINGING, CALL_TALKING, CALL_OVER };
/* What the platform loses of a call. */
enum call_loss { LOSS_NONE, LOSS_END, LOSS_END_LATE };

/* What the people on a call mean to do. */
struct call_plan {
    unsigned member, number;
    enum call_direction direction;
    char to[DIALLED_MAX + 1]; /* of an inbound call: who calls */
    char from[PHONE_MAX + 1]; /* "": the number's own digits */
    int64_t ring_ms, talk_ms; /* talk 0: nobody answers */
    bool voicemail;
    enum call_loss loss;
};

struct call {
    size_t account;
    struct call_plan plan;
    char id[16];
    enum call_state state;
    int64_t started_ms, limit_ms; /* limit: talk time at which to end, NO_LIMIT without */
    int64_t revision;             /* of the last cutoff or withdrawal */
    int64_t next_tick_ms;
    int64_t over_step; /* in which it ended */
    uint64_t ticket;   /* of the wake-up that counts */
    unsigned answers;  /* authorized or denied: must be 1 */
    bool charged;
};

struct sms {
    size_t account;
    unsigned answers;
};

/* What happened, for the summary; one line each there. */
#define TALLIES(X)                            \
    X(STEPS, "steps")                         \
    X(CALLS, "calls started")                 \
    X(AUTHORIZED, "calls authorized")         \
    X(DENIED, "calls denied")                 \
    X(ANSWERED, "calls answered by someone")  \
    X(CUTOFFS, "cutoffs told")                \
    X(WITHDRAWN, "cutoffs withdrawn")         \
    X(CUT, "calls ended at their cutoff")     \
    X(SMS, "sms asked for")                   \
    X(TOPUPS, "top-ups")                      \
    X(RECHARGES, "recharges asked for")       \
    X(NOTIFIED, "notifications")              \
    X(DECKS, "rate decks accepted")           \
    X(LOST, "records lost on purpose")        \
    X(LATE, "records late on purpose")        \
    X(TWICE, "records sent twice on purpose") \
    X(WRONG, "records wrong on purpose")
#define X(symbol, words) TALLY_##symbol,
enum tally { TALLIES(X) TALLY_COUNT };
#undef X

struct platform {
    uint64_t seed;
    int64_t start_ms, end_ms, now_ms;
    int64_t step; /* number of the current one */
    int64_t tick_ms, recharge_timeout_ms;
    struct agenda agenda;
    struct journal journal;
    struct meter meter;
    struct book book;         /* the deck that the day begins with */
    struct deck next_deck;    /* published in its course */
    struct account *accounts; /* fixed once built */
    size_t account_count, account_capacity;
    struct account **by_id; /* ascending */
    struct call *calls;
    size_t call_count, call_capacity;
    struct sms *sms;
    size_t sms_count, sms_capacity;
    size_t first_unanswered_call, first_unanswered_sms;
    char **drawer; /* lines to be said later, malloc'd */
    size_t drawer_count, drawer_capacity;
    int64_t tallies[TALLY_COUNT];
    int64_t violations;
};

/* say.c */
/* An event of the account (NULL: of the company) at the present instant; its data is to be filled in. */
struct event event_now(const struct platform *platform, enum event_type type, const struct account *account);
/* Tells the meter; what accounts that are not honest say may be said once more some time later. */
void say(struct platform *platform, struct account *account, const struct event *event);
/* The same for a tick, which may get lost or come late as well. */
void say_tick(struct platform *platform, struct account *account, const struct event *event);
/* Says a malloc'd line after delay_ms; takes it over. */
void say_later(struct platform *platform, char *line, int64_t delay_ms);
/* Does act for an account after delay_ms. */
void do_later(struct platform *platform, int64_t delay_ms, agenda_act *act, size_t subject);

/* account.c */
#define SITE_COUNT 4
extern const struct site sites[SITE_COUNT];
/* Adds an account with an owner and the site's first number; before accounts_open only. */
struct account *account_add(struct platform *platform, const char *id, unsigned site, unsigned members,
                            unsigned numbers);
/* Adds the ordinary customers, `count` of them, and some that live on the edge. */
void accounts_add_ordinary(struct platform *platform, size_t count);
/* Puts the opening of all accounts on the agenda. */
void accounts_open(struct platform *platform);
/* NULL when there is none of that id. */
struct account *account_find(const struct platform *platform, struct text id);
size_t account_index(const struct platform *platform, const struct account *account);
void member_say_set(struct platform *platform, struct account *account, unsigned member);
void number_say_assigned(struct platform *platform, struct account *account, unsigned number, unsigned member);
/* The toggle of a number, flipped by the owner. */
void number_say_international(struct platform *platform, struct account *account, unsigned number, bool on);

/* traffic.c */
/* An agenda_act: an account's next thought of a call. */
agenda_act traffic_think;
/* An agenda_act: parallel calls of an account that cost more than it has. */
agenda_act traffic_burst;
/* Asks for a message to a number of that kind. */
void sms_ask(struct platform *platform, struct account *account, enum book_want want);
/* A plan for a call of drawn length to a rate's number; member and number 0. */
struct call_plan plan_to_rate(struct platform *platform, struct account *account, const struct deck_rate *rate);

/* call.c */
size_t call_place(struct platform *platform, struct account *account, const struct call_plan *plan);
/* An agenda_act: a tick or the end of call `subject`, if ticket is its last. */
agenda_act call_wake;
void call_authorized(struct platform *platform, size_t index, bool charged);
void call_denied(struct platform *platform, size_t index);
/* limit_ms NO_LIMIT: withdrawn. */
void call_limit(struct platform *platform, size_t index, int64_t limit_ms);
/* Talk time now. */
int64_t call_talk_ms(const struct platform *platform, const struct call *call);
/* Ends all calls that are live: the end of the day. */
void calls_hang_up(struct platform *platform);

/* credit.c */
/* Credits that the customer buys by itself; now. */
void top_up(struct platform *platform, struct account *account, int64_t micros);
/* Something like what that many minutes at a rate cost, in whole cents, at least one. */
int64_t credits_for(const struct deck_rate *rate, double minutes);
void auto_recharge_say(struct platform *platform, struct account *account, bool enabled);
/* The meter asks for a recharge; tells of a shortage. */
void recharge_asked(struct platform *platform, struct account *account, const struct order *order);
void credits_short(struct platform *platform, struct account *account);

/* tariff.c */
/* Policy, fx and the first deck, said at once; what changes them on the agenda. */
void tariff_open(struct platform *platform);
/* False for the decks that the meter must drop. */
bool tariff_is_sound(struct text deck_id);

/* scene.c, mischief.c */
/* Adds the accounts that scenes and mistakes are about. */
void scenes_cast(struct platform *platform);
void mischief_cast(struct platform *platform);
/* Puts them on the agenda. */
void scenes_open(struct platform *platform);
void mischief_open(struct platform *platform);

/* obey.c */
void obey(struct platform *platform, const struct order *order);
/* What must hold once all commands of a step have been read. */
void check_step(struct platform *platform);

#endif
