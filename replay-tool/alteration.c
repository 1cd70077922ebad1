/* alteration.c - see alteration.h. */
#include "replay-tool/alteration.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/decode.h"
#include "events/instant.h"
#include "events/phone.h"
#include "processor/fold/state.h"
#include "terminal/message.h"

#define EVER "0000-01-01T00:00:00Z" /* before anything that happens */

/* A ratedeck.published that the history accepted. */
struct accepted {
    uint32_t partition;
    int64_t offset;
};

struct alteration {
    const struct alteration_options *options;
    int64_t ever_ms;
    struct deck deck;
    bool has_deck, has_policy;
    struct decoder *decoder; /* of the policy, whose texts live as long */
    struct event policy;
    struct accepted *accepted; /* in the order of the history */
    size_t accepted_count, accepted_capacity;
    bool is_begun[PARTITIONS_MAX];
    bool is_inserting, is_clashing;
    /* of the event at hand */
    struct deck_origin *origins;
    struct deck_rate *rates;
    size_t rate_capacity;
};

/* --- what is put before --- */

/* {"name":value,...} of the options, NULL after a message. */
static json_t *read_policy_members(const struct option_list *list)
{
    json_t *members = json_object();
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->values[i], '=');
        json_error_t fault;
        json_t *value = equals != NULL ? json_loads(equals + 1, JSON_DECODE_ANY, &fault) : NULL;
        if (value == NULL) {
            message_error("--policy: '%s': write NAME=VALUE as in policy.configured, such as max_call_ms=3600000 or "
                          "'daily_spend={\"USD\":\"25\"}'",
                          list->values[i]);
            json_decref(members);
            return NULL;
        }
        json_object_setn_new(members, list->values[i], (size_t)(equals - list->values[i]), value);
    }
    return members;
}

static bool is_member(const char *name)
{
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++)
        if (strcmp(name, policy_number_name((enum policy_number)i)) == 0)
            return true;
    for (int i = 0; i < POLICY_MAP_COUNT; i++)
        if (strcmp(name, policy_map_name((enum policy_map)i)) == 0)
            return true;
    return false;
}

static bool check_members(json_t *members)
{
    const char *name;
    json_t *value;
    json_object_foreach (members, name, value) {
        if (is_member(name))
            continue;
        message_error("--policy: policy.configured has no member '%s'", name);
        return false;
    }
    return true;
}

static int open_policy(struct alteration *alteration)
{
    struct decode_error fault;
    json_t *members = read_policy_members(&alteration->options->policy);
    if (members == NULL || !check_members(members)) {
        json_decref(members);
        return EX_USAGE;
    }
    json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0", "id", "what-if", "source",
                              "/callfold-replay", "type", "callfold.policy.configured", "time", EVER, "data", members);
    char *text = json_dumps(event, JSON_COMPACT);
    alteration->has_policy = event_decode(alteration->decoder, text_of(text), &alteration->policy, &fault);
    json_decref(event);
    free(text);
    return alteration->has_policy ? EX_OK : message_fail(EX_USAGE, "--policy: %s", fault.detail);
}

static int open_deck(struct alteration *alteration)
{
    const struct alteration_options *options = alteration->options;
    if (!id_is_valid(text_of(options->deck_id)))
        return message_fail(EX_USAGE, "--deck-id: '%s' is not an id: write 1 to 64 of A-Z a-z 0-9 . _ : -",
                            options->deck_id);
    alteration->has_deck = true;
    return deck_read(&alteration->deck, options->deck_path, &options->deck);
}

int alteration_open(struct alteration **opened, const struct alteration_options *options)
{
    struct alteration *alteration = must_alloc(calloc(1, sizeof *alteration));
    int code = EX_OK;
    *opened = alteration;
    alteration->options = options;
    alteration->decoder = decoder_new();
    instant_parse(TEXT_LIT(EVER), &alteration->ever_ms);
    if (options->deck_path != NULL)
        code = open_deck(alteration);
    if (code == EX_OK && options->policy.count > 0)
        code = open_policy(alteration);
    return code;
}

void alteration_close(struct alteration *alteration)
{
    if (alteration == NULL)
        return;
    deck_free(&alteration->deck);
    decoder_free(alteration->decoder);
    free(alteration->accepted);
    free(alteration->origins);
    free(alteration->rates);
    free(alteration);
}

static void insert_deck(struct alteration *alteration, struct history *history)
{
    const struct deck *deck = &alteration->deck;
    struct event event = {.type = EVENT_RATEDECK_OPENED, .time_ms = alteration->ever_ms};
    event.data.deck_opened.deck_id = text_of(alteration->options->deck_id);
    event.data.deck_opened.currency = deck->currency;
    event.data.deck_opened.effective_at_ms = alteration->ever_ms;
    event.data.deck_opened.origin_count = deck->origin_count;
    event.data.deck_opened.origins = deck->origins;
    history_insert(history, &event);
    event.type = EVENT_RATEDECK_RATES;
    event.data.deck_rates.deck_id = text_of(alteration->options->deck_id);
    event.data.deck_rates.count = deck->count;
    event.data.deck_rates.rates = deck->rates;
    history_insert(history, &event);
    event.type = EVENT_RATEDECK_PUBLISHED;
    event.data.deck_published.deck_id = text_of(alteration->options->deck_id);
    event.data.deck_published.rates = (int64_t)deck->count;
    history_insert(history, &event);
}

static void begin(struct alteration *alteration, struct history *history, uint32_t partition)
{
    alteration->is_begun[partition] = true;
    alteration->is_inserting = true;
    if (alteration->has_deck)
        insert_deck(alteration, history);
    if (alteration->has_policy)
        history_insert(history, &alteration->policy);
    alteration->is_inserting = false;
}

/* --- what the history loses --- */

void alteration_learn(struct alteration *alteration, const struct history_step *step)
{
    for (size_t i = 0; i < step->outputs->count; i++) {
        if (step->outputs->items[i].type != OUTPUT_RATEDECK_ACCEPTED)
            continue;
        if (alteration->accepted_count == alteration->accepted_capacity) {
            alteration->accepted_capacity = alteration->accepted_capacity ? alteration->accepted_capacity * 2 : 16;
            alteration->accepted =
                must_alloc(realloc(alteration->accepted, alteration->accepted_capacity * sizeof *alteration->accepted));
        }
        alteration->accepted[alteration->accepted_count++] = (struct accepted){step->partition, step->record->offset};
    }
}

static bool was_accepted(const struct alteration *alteration, uint32_t partition, int64_t offset)
{
    for (size_t i = 0; i < alteration->accepted_count; i++)
        if (alteration->accepted[i].partition == partition && alteration->accepted[i].offset == offset)
            return true;
    return false;
}

/* The event is to move time and nothing else. */
static void silence(struct event *event)
{
    event->type = EVENT_CLOCK_ADVANCED;
    event->subject = TEXT_NONE;
}

static bool is_replaced(const struct alteration *alteration, struct text origin)
{
    return deck_find_origin(&alteration->deck, origin) < alteration->deck.origin_count;
}

static void cut_opening(struct alteration *alteration, struct event *event)
{
    size_t kept = 0, count = event->data.deck_opened.origin_count;
    alteration->origins = must_alloc(realloc(alteration->origins, (count + 1) * sizeof *alteration->origins));
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(alteration, event->data.deck_opened.origins[i].origin))
            alteration->origins[kept++] = event->data.deck_opened.origins[i];
    alteration->is_clashing |= text_equal(event->data.deck_opened.deck_id, text_of(alteration->options->deck_id));
    event->data.deck_opened.origins = alteration->origins;
    event->data.deck_opened.origin_count = kept;
    if (kept == 0)
        silence(event);
}

static void cut_rates(struct alteration *alteration, struct event *event)
{
    size_t kept = 0, count = event->data.deck_rates.count;
    if (count > alteration->rate_capacity) {
        alteration->rate_capacity = count;
        alteration->rates = must_alloc(realloc(alteration->rates, count * sizeof *alteration->rates));
    }
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(alteration, event->data.deck_rates.rates[i].origin))
            alteration->rates[kept++] = event->data.deck_rates.rates[i];
    event->data.deck_rates.rates = alteration->rates;
    event->data.deck_rates.count = kept;
    if (kept == 0)
        silence(event);
}

/* The unpublished deck of this id in the altered history; its distinct rates, -1 if there is none. */
static int64_t rates_held(struct history *history, uint32_t partition, struct text id)
{
    struct fold *fold = history_fold(history, partition);
    struct key key;
    key_begin(&key, RECORD_PARTITION);
    const struct partition_record *position = history_record(fold, key);
    for (uint32_t number = position->next_deck_no; number-- > 0;) {
        key_begin(&key, RECORD_DECK);
        key_number(&key, number, 4);
        const struct deck_record *deck = history_record(fold, key);
        if (deck != NULL && text_equal(deck_id(deck), id))
            return deck->rate_count;
    }
    return -1;
}

/* What the history accepted counts as whole with the rates that are left of it. */
static void cut_publication(const struct alteration *alteration, struct history *history, uint32_t partition,
                            int64_t offset, struct event *event)
{
    int64_t held = rates_held(history, partition, event->data.deck_published.deck_id);
    if (held < 0 || !was_accepted(alteration, partition, offset))
        silence(event);
    else
        event->data.deck_published.rates = held;
}

static void cut_policy(const struct alteration *alteration, struct event *event)
{
    bool is_left = false;
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        event->data.policy.has_number[i] &= !alteration->policy.data.policy.has_number[i];
        is_left |= event->data.policy.has_number[i];
    }
    for (int i = 0; i < POLICY_MAP_COUNT; i++) {
        event->data.policy.has_map[i] &= !alteration->policy.data.policy.has_map[i];
        is_left |= event->data.policy.has_map[i];
    }
    if (!is_left)
        silence(event);
}

bool alteration_alter(void *context, struct history *history, uint32_t partition, const struct fold_record *record,
                      struct event *event)
{
    struct alteration *alteration = context;
    if (!alteration->is_begun[partition])
        begin(alteration, history, partition);
    if (alteration->has_policy && event->type == EVENT_POLICY_CONFIGURED)
        cut_policy(alteration, event);
    if (!alteration->has_deck)
        return true;
    if (event->type == EVENT_RATEDECK_OPENED)
        cut_opening(alteration, event);
    else if (event->type == EVENT_RATEDECK_RATES)
        cut_rates(alteration, event);
    else if (event->type == EVENT_RATEDECK_PUBLISHED)
        cut_publication(alteration, history, partition, record->offset, event);
    return true;
}

bool alteration_check(struct alteration *alteration, const struct history_step *step)
{
    if (alteration->is_clashing) {
        message_error("the history has a deck %s of its own (partition %" PRIu32 ", offset %" PRId64
                      "): give the new one another --deck-id",
                      alteration->options->deck_id, step->partition, step->record->offset);
        return false;
    }
    for (size_t i = 0; alteration->is_inserting && i < step->outputs->count; i++) {
        const struct output *output = &step->outputs->items[i];
        if (output->type != OUTPUT_EVENT_REJECTED)
            continue;
        message_error("%s is refused: %.*s",
                      step->event->type == EVENT_POLICY_CONFIGURED ? "this policy" : "this rate deck",
                      TEXT_ARGS(output->data.rejected.detail));
        return false;
    }
    return true;
}
