/* witness.c - see witness.h. */
#include "replay-tool/witness.h"

#include <stdlib.h>

#include "processor/fold/state.h"

struct name name_of(struct text text)
{
    struct name name = {{0}};
    size_t len = text.len < NAME_SIZE - 1 ? text.len : NAME_SIZE - 1;
    if (len > 0)
        memcpy(name.at, text.at, len);
    return name;
}

struct place step_place(const struct history_step *step)
{
    return (struct place){step->partition, step->record->offset,
                          step->event != NULL ? step->event->time_ms : step->outputs->time_ms};
}

void witness_free(struct witness *witness)
{
    free(witness->settings);
    free(witness->publications);
}

/* --- what became of the event --- */

static bool is_rejected(const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].type == OUTPUT_EVENT_REJECTED)
            return true;
    return false;
}

static const struct partition_record *partition_of(struct fold *fold)
{
    struct key key;
    key_begin(&key, RECORD_PARTITION);
    return history_record(fold, key);
}

/* --- publications --- */

static void publish(struct witness *witness, const struct history_step *step, struct text deck_id, uint32_t fx_seq)
{
    if (witness->publication_count == witness->publication_capacity) {
        witness->publication_capacity = witness->publication_capacity ? witness->publication_capacity * 2 : 16;
        witness->publications =
            must_alloc(realloc(witness->publications, witness->publication_capacity * sizeof *witness->publications));
    }
    witness->publications[witness->publication_count++] = (struct publication){
        .deck_id = name_of(deck_id), .partition = step->partition, .fx_seq = fx_seq, .place = step_place(step)};
}

static void note_policy(struct witness *witness, const struct history_step *step)
{
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++)
        if (step->event->data.policy.has_number[i])
            witness->policy[i] = step_place(step);
    for (int i = 0; i < POLICY_MAP_COUNT; i++)
        if (step->event->data.policy.has_map[i])
            witness->policy[POLICY_NUMBER_COUNT + i] = step_place(step);
}

static void note_publication(struct witness *witness, const struct history_step *step,
                             const struct partition_record *partition)
{
    if (step->event->type == EVENT_RATEDECK_PUBLISHED)
        publish(witness, step, step->event->data.deck_published.deck_id, 0);
    else if (step->event->type == EVENT_FX_PUBLISHED)
        publish(witness, step, TEXT_NONE, partition->next_fx_seq - 1);
    else if (step->event->type == EVENT_POLICY_CONFIGURED)
        note_policy(witness, step);
}

struct place witness_deck(const struct witness *witness, uint32_t partition, struct text deck_id)
{
    for (size_t i = witness->publication_count; i-- > 0;)
        if (witness->publications[i].partition == partition && name_is(&witness->publications[i].deck_id, deck_id))
            return witness->publications[i].place;
    return PLACE_NONE;
}

struct place witness_fx(const struct witness *witness, uint32_t partition, uint32_t seq)
{
    for (size_t i = witness->publication_count; i-- > 0;) {
        const struct publication *publication = &witness->publications[i];
        if (publication->partition == partition && publication->deck_id.at[0] == '\0' && publication->fx_seq == seq)
            return publication->place;
    }
    return PLACE_NONE;
}

/* --- the account's settings --- */

static bool read_setting(const struct event *event, struct setting *setting)
{
    setting->type = event->type;
    switch (event->type) {
    case EVENT_MEMBER_SET:
    case EVENT_MEMBER_REMOVED: setting->member = name_of(event->data.member.member_id); return true;
    case EVENT_NUMBER_ADDED:
    case EVENT_NUMBER_REMOVED: setting->number = name_of(event->data.number.number); return true;
    case EVENT_MEMBER_ASSIGNED:
    case EVENT_MEMBER_UNASSIGNED:
        setting->number = name_of(event->data.assignment.number);
        setting->member = name_of(event->data.assignment.member_id);
        return true;
    case EVENT_INTERNATIONAL_ENABLED:
    case EVENT_INTERNATIONAL_DISABLED:
        setting->number = name_of(event->data.toggle.number);
        setting->actor = name_of(event->data.toggle.actor);
        return true;
    case EVENT_DESTINATION_BLOCKED:
    case EVENT_DESTINATION_UNBLOCKED:
        setting->number = name_of(event->data.block.number);
        setting->prefix = name_of(event->data.block.prefix);
        setting->actor = name_of(event->data.block.actor);
        return true;
    default: return false;
    }
}

static void note_setting(struct witness *witness, const struct history_step *step)
{
    struct setting setting = {.place = step_place(step)};
    if (!read_setting(step->event, &setting))
        return;
    if (witness->setting_count == witness->setting_capacity) {
        witness->setting_capacity = witness->setting_capacity ? witness->setting_capacity * 2 : 16;
        witness->settings =
            must_alloc(realloc(witness->settings, witness->setting_capacity * sizeof *witness->settings));
    }
    witness->settings[witness->setting_count++] = setting;
}

const struct setting *witness_setting(const struct witness *witness, enum event_type type, enum event_type other,
                                      struct text number, struct text member, struct text prefix)
{
    for (size_t i = witness->setting_count; i-- > 0;) {
        const struct setting *setting = &witness->settings[i];
        if ((setting->type == type || setting->type == other) && name_is(&setting->number, number) &&
            (!text_present(member) || name_is(&setting->member, member)) &&
            (!text_present(prefix) || name_is(&setting->prefix, prefix)))
            return setting;
    }
    return NULL;
}

/* --- a step --- */

static void look_at_account(struct witness *witness, struct fold *fold)
{
    const struct account_record *account = history_record(fold, key_of(RECORD_ACCOUNT, text_of(witness->account.at)));
    witness->before = witness->after;
    if (account == NULL)
        return;
    witness->after = *account;
    witness->has_account = true;
}

void witness_step(struct witness *witness, const struct history_step *step)
{
    const struct partition_record *partition = partition_of(step->fold);
    int64_t *duplicates = &witness->duplicates[step->partition];
    bool is_duplicate = *duplicates > 0 && partition->duplicates + 1 > *duplicates;
    *duplicates = partition->duplicates + 1;
    witness->verdict = is_rejected(step->outputs) ? STEP_REJECTED : is_duplicate ? STEP_DUPLICATE : STEP_APPLIED;
    if (witness->account.at[0] != '\0')
        look_at_account(witness, step->fold);
    if (step->event == NULL || witness->verdict != STEP_APPLIED)
        return;
    if (!text_present(step->event->subject))
        note_publication(witness, step, partition);
    else if (name_is(&witness->account, step->event->subject))
        note_setting(witness, step);
}
