/* Members, numbers, who may call from which, toggles and blocks: settings, each
 * of which remembers the event time of its last change. An older event is a
 * duplicate, so that a late resend never undoes a newer decision; one of equal
 * time applies unless it says what holds already. */
#include "processor/fold/internal.h"

static bool is_old_news(int64_t time_ms, int64_t changed_ms, bool holds_already)
{
    return time_ms < changed_ms || (time_ms == changed_ms && holds_already);
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct record *find2(struct fold *fold, enum record_kind kind, struct text account, struct text id)
{
    struct key key;
    key_make2(&key, kind, account, id);
    return state_find(fold->state, &key);
}

/* --- members --- */

bool member_may_act(struct fold *fold, struct text account, struct text actor)
{
    struct record *record = find2(fold, RECORD_MEMBER, account, actor);
    const struct member_record *member = record ? record_body(record) : NULL;
    return member && member->present && (member->role == ROLE_ADMIN || member->role == ROLE_MANAGER);
}

enum verdict not_permitted(struct fold *fold, struct text actor)
{
    return reject(fold, REJECT_NOT_PERMITTED, "data.actor: %.*s is not an admin or manager of the account",
                  TEXT_ARGS(actor));
}

enum verdict member_set(struct fold *fold, const struct event *event, struct record *account)
{
    struct key key;
    key_make2(&key, RECORD_MEMBER, event->subject, event->data.member.member_id);
    struct record *record = state_find(fold->state, &key);
    struct member_record *member;
    if (record) {
        member = record_body(record);
        if (is_old_news(event->time_ms, member->time_ms,
                        member->present && member->role == (uint8_t)event->data.member.role))
            return DUPLICATE;
        state_changed(fold->state, record);
    } else {
        member = record_body(state_create(fold->state, &key, sizeof *member));
        member->removed_at_ms = TIME_NEVER;
    }
    struct account_step step = account_begin(fold, account, event->time_ms);
    member->time_ms = event->time_ms;
    member->role = (uint8_t)event->data.member.role;
    member->present = 1;
    account_finish(&step);
    return APPLIED;
}

enum verdict member_removed(struct fold *fold, const struct event *event, struct record *account)
{
    struct record *record = find2(fold, RECORD_MEMBER, event->subject, event->data.member.member_id);
    struct member_record *member = record ? record_body(record) : NULL;
    if (!member || !member->present || event->time_ms < member->time_ms)
        return DUPLICATE;
    struct account_step step = account_begin(fold, account, event->time_ms);
    state_changed(fold->state, record);
    member->time_ms = member->removed_at_ms = event->time_ms;
    member->present = 0;
    member->generation++;
    cutoff_member(&step, event->data.member.member_id, CUTOFF_MEMBER_REMOVED);
    account_finish(&step);
    return APPLIED;
}

/* --- numbers --- */

struct number_record *number_find(struct fold *fold, struct text account, struct text number)
{
    struct record *record = find2(fold, RECORD_NUMBER, account, number);
    struct number_record *found = record ? record_body(record) : NULL;
    return found && found->present ? found : NULL;
}

static enum verdict number_unknown(struct fold *fold, struct text number)
{
    return reject(fold, REJECT_NUMBER_UNKNOWN, "data.number: %.*s is not a number of the account", TEXT_ARGS(number));
}

enum verdict number_added(struct fold *fold, const struct event *event, struct record *account)
{
    struct text origin = event->data.number.origin;
    struct key key;
    key_make2(&key, RECORD_NUMBER, event->subject, event->data.number.number);
    struct record *record = state_find(fold->state, &key);
    struct number_record *number;
    if (record) {
        number = record_body(record);
        if (event->time_ms < number->removed_at_ms)
            return DUPLICATE;
        if (number->present && text_equal(number_origin(number), origin))
            return DUPLICATE;
        if (number->present)
            return reject(fold, REJECT_NUMBER_TAKEN,
                          "data.number: %.*s is a number of the account already, of origin %.*s",
                          TEXT_ARGS(event->data.number.number), number->origin_len, number->origin);
        state_changed(fold->state, record);
    } else {
        number = record_body(state_create(fold->state, &key, sizeof *number));
        number->removed_at_ms = number->toggle_time_ms = TIME_NEVER;
    }
    struct account_step step = account_begin(fold, account, event->time_ms);
    number->time_ms = event->time_ms;
    number->present = 1;
    number->international = 0;
    number->origin_len = (uint8_t)origin.len;
    memset(number->origin, 0, sizeof number->origin);
    memcpy(number->origin, origin.at, origin.len);
    account_finish(&step);
    return APPLIED;
}

enum verdict number_removed(struct fold *fold, const struct event *event, struct record *account)
{
    struct record *record = find2(fold, RECORD_NUMBER, event->subject, event->data.number.number);
    struct number_record *number = record ? record_body(record) : NULL;
    if (!number || !number->present || event->time_ms < number->time_ms)
        return DUPLICATE;
    struct account_step step = account_begin(fold, account, event->time_ms);
    state_changed(fold->state, record);
    number->time_ms = number->removed_at_ms = event->time_ms;
    number->toggle_time_ms = latest(number->toggle_time_ms, event->time_ms);
    number->present = number->international = 0;
    number->block_lengths = 0;
    number->generation++;
    cutoff_number(&step, event->data.number.number, CUTOFF_NUMBER_REMOVED);
    account_finish(&step);
    return APPLIED;
}

/* --- the international toggle --- */

static enum verdict set_international(struct fold *fold, const struct event *event, struct record *account, bool on)
{
    struct text number_text = event->data.toggle.number, actor = event->data.toggle.actor;
    struct record *record = find2(fold, RECORD_NUMBER, event->subject, number_text);
    struct number_record *number = record ? record_body(record) : NULL;
    if (number && is_old_news(event->time_ms, number->toggle_time_ms, number->present && number->international == on))
        return DUPLICATE;
    if (!number || !number->present)
        return number_unknown(fold, number_text);
    if (!member_may_act(fold, event->subject, actor))
        return not_permitted(fold, actor);
    struct account_step step = account_begin(fold, account, event->time_ms);
    state_changed(fold->state, record);
    number->toggle_time_ms = event->time_ms;
    number->international = on;
    if (!on)
        cutoff_number(&step, number_text, CUTOFF_INTERNATIONAL_DISABLED);
    account_finish(&step);
    return APPLIED;
}

enum verdict international_enabled(struct fold *fold, const struct event *event, struct record *account)
{
    return set_international(fold, event, account, true);
}

enum verdict international_disabled(struct fold *fold, const struct event *event, struct record *account)
{
    return set_international(fold, event, account, false);
}

/* --- assignments --- */

struct pair {
    struct record *record; /* NULL: never assigned */
    struct assignment_record *assignment;
    struct member_record *member; /* NULL: never heard of */
    struct number_record *number;
    int64_t changed_ms; /* last change, removals of member and number included */
    bool assigned;
};

static struct pair pair_find(struct fold *fold, struct text account, struct text number, struct text member)
{
    struct key key;
    key_make3(&key, RECORD_ASSIGNMENT, account, number, member);
    struct record *m = find2(fold, RECORD_MEMBER, account, member);
    struct record *n = find2(fold, RECORD_NUMBER, account, number);
    struct pair pair = {.record = state_find(fold->state, &key), .changed_ms = TIME_NEVER};
    pair.member = m ? record_body(m) : NULL;
    pair.number = n ? record_body(n) : NULL;
    pair.assignment = pair.record ? record_body(pair.record) : NULL;
    if (pair.member)
        pair.changed_ms = latest(pair.changed_ms, pair.member->removed_at_ms);
    if (pair.number)
        pair.changed_ms = latest(pair.changed_ms, pair.number->removed_at_ms);
    if (pair.assignment)
        pair.changed_ms = latest(pair.changed_ms, pair.assignment->time_ms);
    pair.assigned =
        pair.assignment && pair.member && pair.number && assignment_holds(pair.assignment, pair.number, pair.member);
    return pair;
}

bool number_assigned(struct fold *fold, struct text account, struct text number_text,
                     const struct number_record *number, struct text member_text)
{
    struct key key;
    key_make3(&key, RECORD_ASSIGNMENT, account, number_text, member_text);
    struct record *record = state_find(fold->state, &key);
    if (!record)
        return false;
    const struct assignment_record *assignment = record_body(record);
    struct record *m = find2(fold, RECORD_MEMBER, account, member_text);
    const struct member_record *member = m ? record_body(m) : NULL;
    return member && assignment_holds(assignment, number, member) && member->present && number->present;
}

enum verdict member_assigned(struct fold *fold, const struct event *event, struct record *account)
{
    struct text number = event->data.assignment.number, member = event->data.assignment.member_id;
    struct pair pair = pair_find(fold, event->subject, number, member);
    if (is_old_news(event->time_ms, pair.changed_ms, pair.assigned))
        return DUPLICATE;
    if (!pair.member || !pair.member->present)
        return reject(fold, REJECT_MEMBER_UNKNOWN, "data.member_id: %.*s is not a member of the account",
                      TEXT_ARGS(member));
    if (!pair.number || !pair.number->present)
        return number_unknown(fold, number);
    struct account_step step = account_begin(fold, account, event->time_ms);
    if (pair.record) {
        state_changed(fold->state, pair.record);
    } else {
        struct key key;
        key_make3(&key, RECORD_ASSIGNMENT, event->subject, number, member);
        pair.assignment = record_body(state_create(fold->state, &key, sizeof *pair.assignment));
    }
    *pair.assignment = (struct assignment_record){.time_ms = event->time_ms,
                                                  .number_generation = pair.number->generation,
                                                  .member_generation = pair.member->generation,
                                                  .assigned = 1};
    account_finish(&step);
    return APPLIED;
}

enum verdict member_unassigned(struct fold *fold, const struct event *event, struct record *account)
{
    struct pair pair = pair_find(fold, event->subject, event->data.assignment.number, event->data.assignment.member_id);
    if (!pair.assigned || event->time_ms < pair.changed_ms)
        return DUPLICATE;
    struct account_step step = account_begin(fold, account, event->time_ms);
    state_changed(fold->state, pair.record);
    pair.assignment->time_ms = event->time_ms;
    pair.assignment->assigned = 0;
    account_finish(&step);
    return APPLIED;
}

/* --- destination blocks --- */

static void block_key(struct key *key, struct text account, struct text number, struct text digits)
{
    key_make3(key, RECORD_BLOCK, account, (struct text){number.at ? number.at : "", number.len}, digits);
}

static struct text digits_of(struct text number)
{
    return (struct text){number.at + 1, number.len - 1};
}

static bool any_block(struct fold *fold, struct text account, struct text number_text,
                      const struct number_record *number, uint16_t lengths, struct text digits)
{
    for (size_t n = 1; n <= digits.len && n < 16; n++) {
        if (!(lengths >> n & 1))
            continue;
        struct key key;
        block_key(&key, account, number_text, (struct text){digits.at, n});
        struct record *record = state_find(fold->state, &key);
        if (record && block_holds(record_body(record), number))
            return true;
    }
    return false;
}

bool destination_is_blocked(struct fold *fold, struct record *account, struct text number_text,
                            const struct number_record *number, struct text to)
{
    struct text id = account_id(account);
    const struct account_record *body = record_body(account);
    return any_block(fold, id, TEXT_NONE, NULL, body->block_lengths, digits_of(to)) ||
           any_block(fold, id, number_text, number, number->block_lengths, digits_of(to));
}

/* The block an event speaks of, and what it hangs on. */
struct block_target {
    struct key key;
    struct record *record, *number_record;
    struct block_record *block;
    struct number_record *number; /* NULL for the whole account */
    int64_t changed_ms;
};

static struct block_target block_find(struct fold *fold, const struct event *event)
{
    struct text number = event->data.block.number;
    struct block_target target = {.changed_ms = TIME_NEVER};
    block_key(&target.key, event->subject, number, digits_of(event->data.block.prefix));
    target.record = state_find(fold->state, &target.key);
    if (target.record) {
        target.block = record_body(target.record);
        target.changed_ms = target.block->time_ms;
    }
    if (text_present(number)) {
        target.number_record = find2(fold, RECORD_NUMBER, event->subject, number);
        target.number = target.number_record ? record_body(target.number_record) : NULL;
        if (target.number)
            target.changed_ms = latest(target.changed_ms, target.number->removed_at_ms);
    }
    return target;
}

enum verdict destination_blocked(struct fold *fold, const struct event *event, struct record *account)
{
    struct block_target target = block_find(fold, event);
    struct text number = event->data.block.number;
    if (is_old_news(event->time_ms, target.changed_ms, target.block && block_holds(target.block, target.number)))
        return DUPLICATE;
    if (text_present(number) && (!target.number || !target.number->present))
        return number_unknown(fold, number);
    if (!member_may_act(fold, event->subject, event->data.block.actor))
        return not_permitted(fold, event->data.block.actor);
    struct account_step step = account_begin(fold, account, event->time_ms);
    if (target.record)
        state_changed(fold->state, target.record);
    else
        target.block = record_body(state_create(fold->state, &target.key, sizeof *target.block));
    uint16_t length = (uint16_t)(1u << (event->data.block.prefix.len - 1));
    *target.block = (struct block_record){.time_ms = event->time_ms, .blocked = 1};
    if (target.number) {
        state_changed(fold->state, target.number_record);
        target.block->number_generation = target.number->generation;
        target.number->block_lengths |= length;
    } else {
        step.account->block_lengths |= length;
    }
    account_finish(&step);
    return APPLIED;
}

enum verdict destination_unblocked(struct fold *fold, const struct event *event, struct record *account)
{
    struct block_target target = block_find(fold, event);
    if (event->time_ms < target.changed_ms || !target.block || !block_holds(target.block, target.number))
        return DUPLICATE;
    if (!member_may_act(fold, event->subject, event->data.block.actor))
        return not_permitted(fold, event->data.block.actor);
    struct account_step step = account_begin(fold, account, event->time_ms);
    state_changed(fold->state, target.record);
    target.block->time_ms = event->time_ms;
    target.block->blocked = 0;
    account_finish(&step);
    return APPLIED;
}
