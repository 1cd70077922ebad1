/* comparison.c - see comparison.h. */
#include "replay-tool/comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "snapshots/files.h"

/* One partition of a topic. */
struct track {
    bool is_read; /* `next` holds the next record, or its end was reached */
    bool is_at_end;
    struct published_record next;
    int64_t matched;
};

/* An output that was folded and that its topic no longer goes on to. */
struct gap {
    enum output_topic topic;
    int64_t count; /* of such outputs; the first is */
    int64_t event_offset;
    uint32_t n;
    struct buffer folded;
};

struct side {
    int64_t from, reach; /* offsets of events: [from, reach) was published; reach -1: not known */
    bool is_known;
    struct gap gap;
    struct track tracks[TOPIC_COUNT];
};

struct comparison {
    struct published *published;
    unsigned topics;
    struct difference found;
    struct buffer line;
    struct side *sides[PARTITIONS_MAX];
};

struct comparison *comparison_new(struct published *published, unsigned topics)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    if (comparison == NULL)
        abort();
    *comparison = (struct comparison){.published = published, .topics = topics};
    return comparison;
}

void comparison_free(struct comparison *comparison)
{
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        if (comparison->sides[i] != NULL)
            buffer_free(&comparison->sides[i]->gap.folded);
        free(comparison->sides[i]);
    }
    buffer_free(&comparison->found.folded);
    buffer_free(&comparison->found.published);
    buffer_free(&comparison->line);
    free(comparison);
}

static struct side *side_of(struct comparison *comparison, uint32_t partition)
{
    if (comparison->sides[partition] == NULL) {
        comparison->sides[partition] = calloc(1, sizeof *comparison->sides[partition]);
        if (comparison->sides[partition] == NULL)
            abort();
    }
    return comparison->sides[partition];
}

void comparison_begin(struct comparison *comparison, uint32_t partition, int64_t offset)
{
    side_of(comparison, partition)->from = offset;
}

/* The next published record into track->next. */
static bool look(struct comparison *comparison, struct track *track, enum output_topic topic, uint32_t partition,
                 struct store_error *error)
{
    if (track->is_read)
        return true;
    enum published_answer answer = published_next(comparison->published, topic, partition, &track->next, error);
    track->is_read = answer != PUBLISHED_FAILED;
    track->is_at_end = answer == PUBLISHED_END;
    return track->is_read;
}

/* What a meter that was killed wrote after its last commit does not count. */
static bool is_committed(const struct side *side, int64_t event_offset)
{
    return side->reach < 0 || event_offset < side->reach;
}

/* What was found. */

static int64_t first_difference(struct text a, struct text b)
{
    size_t common = a.len < b.len ? a.len : b.len, at = 0;
    while (at < common && a.at[at] == b.at[at])
        at++;
    return (int64_t)at;
}

static struct text text_of_buffer(const struct buffer *buffer)
{
    return (struct text){buffer->at != NULL ? buffer->at : "", buffer->len};
}

/* An attestation says by which version of the rules it was made. */
static bool is_of_another_version(struct text value)
{
    char ours[64];
    int len = snprintf(ours, sizeof ours, "\"fold_version\":%d,", FOLD_VERSION);
    return memmem(value.at, value.len, "\"fold_version\":", 15) != NULL &&
           memmem(value.at, value.len, ours, (size_t)len) == NULL;
}

/* Fills comparison->found but for `folded`; returns false. published NULL: none. */
static bool differ(struct comparison *comparison, enum difference_kind kind, enum output_topic topic,
                   uint32_t partition, const struct published_record *published)
{
    struct difference *found = &comparison->found;
    found->kind = kind;
    found->topic = topic;
    found->partition = partition;
    found->offset = published != NULL ? published->offset : -1;
    if (published != NULL)
        buffer_append(&found->published, published->value.at, published->value.len);
    return false;
}

static bool differ_folded(struct comparison *comparison, enum difference_kind kind, enum output_topic topic,
                          const struct output_list *outputs, size_t i, const struct published_record *published)
{
    struct difference *found = &comparison->found;
    differ(comparison, kind, topic, outputs->partition, published);
    found->event_offset = outputs->offset;
    found->n = outputs->items[i].n;
    buffer_append(&found->folded, comparison->line.at, comparison->line.len);
    found->at = first_difference(text_of_buffer(&found->folded), text_of_buffer(&found->published));
    return false;
}

/* The records that came after a gap prove that it is one. */
static bool differ_at_gap(struct comparison *comparison, struct side *side, uint32_t partition)
{
    struct difference *found = &comparison->found;
    differ(comparison, DIFFERENCE_MISSING, side->gap.topic, partition, NULL);
    found->event_offset = side->gap.event_offset;
    found->n = side->gap.n;
    buffer_append(&found->folded, side->gap.folded.at, side->gap.folded.len);
    return false;
}

/* One output. */

static void note_gap(struct comparison *comparison, struct side *side, enum output_topic topic,
                     const struct output_list *outputs, size_t i)
{
    struct gap *gap = &side->gap;
    if (gap->count++ > 0)
        return;
    gap->topic = topic;
    gap->event_offset = outputs->offset;
    gap->n = outputs->items[i].n;
    buffer_append(&gap->folded, comparison->line.at, comparison->line.len);
}

/* Is it left out of its topic for a reason of the topic's own? */
static bool may_be_gone(const struct comparison *comparison, enum output_topic topic, uint32_t partition,
                        const struct track *track)
{
    if (published_is_compacted(comparison->published, topic))
        return true;
    return track->matched == 0 && published_is_shortened(comparison->published, topic, partition);
}

/* Holds the folded line against track->next, whose id is not its own. */
static bool judge_other_id(struct comparison *comparison, struct track *track, enum output_topic topic,
                           const struct output_list *outputs, size_t i, bool *is_passed)
{
    uint32_t partition, n;
    int64_t offset;
    const struct side *side = comparison->sides[outputs->partition];
    if (!published_id(track->next.value, &partition, &offset, &n))
        return differ_folded(comparison, DIFFERENCE_CHANGED, topic, outputs, i, &track->next);
    bool is_later = offset > outputs->offset || (offset == outputs->offset && n > outputs->items[i].n);
    bool is_same = offset == outputs->offset && n == outputs->items[i].n;
    *is_passed = is_later;
    if (is_same)
        return differ_folded(comparison,
                             is_of_another_version(track->next.value) ? DIFFERENCE_FOLD_VERSION : DIFFERENCE_CHANGED,
                             topic, outputs, i, &track->next);
    if (is_later)
        return may_be_gone(comparison, topic, outputs->partition, track) ||
               differ_folded(comparison, DIFFERENCE_MISSING, topic, outputs, i, &track->next);
    if (offset >= side->from) {
        comparison->found.event_offset = offset;
        comparison->found.n = n;
        return differ(comparison, DIFFERENCE_ADDED, topic, outputs->partition, &track->next);
    }
    track->is_read = false; /* from before where the fold began */
    return true;
}

static bool compare_one(struct comparison *comparison, struct side *side, const struct output_list *outputs, size_t i,
                        struct store_error *error)
{
    enum output_topic topic = output_topic_of(outputs->items[i].type);
    struct track *track = &side->tracks[topic];
    bool is_passed = false;
    comparison->line.len = 0;
    output_encode(&comparison->line, outputs, i);
    while (!is_passed) {
        if (!look(comparison, track, topic, outputs->partition, error))
            return false;
        if (track->is_at_end) {
            note_gap(comparison, side, topic, outputs, i);
            return true;
        }
        if (text_equal(track->next.value, text_of_buffer(&comparison->line))) {
            track->is_read = false;
            track->matched++;
            return side->gap.count == 0 || !is_committed(side, outputs->offset) ||
                   differ_at_gap(comparison, side, outputs->partition);
        }
        if (!judge_other_id(comparison, track, topic, outputs, i, &is_passed))
            return false;
    }
    return true;
}

static bool learn_reach(struct comparison *comparison, struct side *side, uint32_t partition, struct store_error *error)
{
    side->is_known = true;
    return published_reach(comparison->published, partition, &side->reach, error);
}

bool comparison_step(struct comparison *comparison, const struct output_list *outputs, struct store_error *error)
{
    struct side *side = side_of(comparison, outputs->partition);
    error->code = EX_OK;
    if (!side->is_known && !learn_reach(comparison, side, outputs->partition, error))
        return false;
    for (size_t i = 0; i < outputs->count; i++)
        if ((comparison->topics & PUBLISHED(output_topic_of(outputs->items[i].type))) != 0 &&
            !compare_one(comparison, side, outputs, i, error))
            return false;
    return true;
}

/* The end. */

/* Of one topic: what is left over. */
static bool end_topic(struct comparison *comparison, struct side *side, enum output_topic topic, uint32_t partition,
                      int64_t next_offset, struct store_error *error)
{
    struct track *track = &side->tracks[topic];
    uint32_t owner;
    struct difference *found = &comparison->found;
    for (;;) {
        if (!look(comparison, track, topic, partition, error))
            return false;
        if (track->is_at_end)
            return true;
        if (!published_id(track->next.value, &owner, &found->event_offset, &found->n))
            return differ(comparison, DIFFERENCE_ADDED, topic, partition, &track->next);
        if (found->event_offset >= side->from && is_committed(side, found->event_offset))
            return differ(comparison, found->event_offset >= next_offset ? DIFFERENCE_EVENTS_END : DIFFERENCE_ADDED,
                          topic, partition, &track->next);
        track->is_read = false;
    }
}

bool comparison_end(struct comparison *comparison, uint32_t partition, int64_t next_offset, struct store_error *error)
{
    struct side *side = side_of(comparison, partition);
    error->code = EX_OK;
    if (!side->is_known && !learn_reach(comparison, side, partition, error))
        return false;
    if (side->gap.count > 0 && side->gap.event_offset < side->reach)
        return differ_at_gap(comparison, side, partition);
    for (unsigned topic = 0; topic < TOPIC_COUNT; topic++)
        if ((comparison->topics & PUBLISHED(topic)) != 0 &&
            !end_topic(comparison, side, (enum output_topic)topic, partition, next_offset, error))
            return false;
    if (side->reach <= next_offset)
        return true;
    comparison->found.event_offset = next_offset;
    return differ(comparison, DIFFERENCE_EVENTS_END, TOPIC_COUNT, partition, NULL);
}

const struct difference *comparison_found(const struct comparison *comparison)
{
    return &comparison->found;
}

int64_t comparison_matched(const struct comparison *comparison, enum output_topic topic, uint32_t partition)
{
    const struct side *side = comparison->sides[partition];
    return side != NULL ? side->tracks[topic].matched : 0;
}

int64_t comparison_unpublished(const struct comparison *comparison, uint32_t partition)
{
    const struct side *side = comparison->sides[partition];
    return side != NULL ? side->gap.count : 0;
}
