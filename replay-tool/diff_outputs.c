/* diff_outputs.c - two directories of outputs, line by line; see diff.h.
 *
 * Ids only grow along a partition of a topic, so the two are walked side by
 * side: an id that one of them lacks was added or removed, lines of one id are
 * compared member by member. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <jansson.h>

#include "processor/progress_json.h"
#include "replay-tool/diff.h"
#include "terminal/message.h"

#define PATH_SIZE 256

/* One partition of a topic on one side. */
struct side {
    struct published *published;
    struct published_record record;
    bool is_at_end;
    uint32_t n;
    int64_t offset;
};

struct walk {
    struct diff *diff;
    uint32_t partition;
    enum output_topic topic;
    struct side a, b;
    struct store_error error;
};

static bool advance(struct walk *walk, struct side *side)
{
    uint32_t partition;
    enum published_answer answer =
        published_next(side->published, walk->topic, walk->partition, &side->record, &walk->error);
    side->is_at_end = answer == PUBLISHED_END;
    if (answer == PUBLISHED_RECORD && !published_id(side->record.value, &partition, &side->offset, &side->n)) {
        side->offset = INT64_MAX; /* no output of ours: whatever its place, the other has no such line */
        side->n = UINT32_MAX;
    }
    return answer != PUBLISHED_FAILED;
}

static struct text text_id(const struct walk *walk, const struct side *side, char id[64])
{
    if (side->offset == INT64_MAX)
        snprintf(id, 64, "line %" PRId64, side->record.offset + 1);
    else
        snprintf(id, 64, "%" PRIu32 ":%" PRId64 ":%" PRIu32, walk->partition, side->offset, side->n);
    return text_of(id);
}

static void show_only(struct walk *walk, const struct side *side, enum diff_change change)
{
    char id[64];
    diff_row(walk->diff, walk->partition, change, output_topic_name(walk->topic), text_id(walk, side, id), TEXT_NONE,
             TEXT_NONE, TEXT_NONE);
}

/* A value as it would be written; absent when there is none. */
static struct text shown(const json_t *value, char **kept)
{
    *kept = NULL;
    if (value == NULL)
        return TEXT_NONE;
    if (json_is_string(value))
        return (struct text){json_string_value(value), json_string_length(value)};
    *kept = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    return text_of(*kept);
}

static size_t compare_values(struct walk *walk, const char *path, const json_t *a, const json_t *b);

/* The members of two objects: those of a, then what only b has. */
static size_t compare_members(struct walk *walk, const char *path, const json_t *a, const json_t *b)
{
    size_t found = 0;
    const char *name;
    json_t *value;
    char inner[PATH_SIZE];
    json_object_foreach ((json_t *)(uintptr_t)a, name, value) {
        snprintf(inner, sizeof inner, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
        found += compare_values(walk, inner, value, json_object_get(b, name));
    }
    json_object_foreach ((json_t *)(uintptr_t)b, name, value) {
        snprintf(inner, sizeof inner, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
        if (json_object_get(a, name) == NULL)
            found += compare_values(walk, inner, NULL, value);
    }
    return found;
}

static size_t compare_values(struct walk *walk, const char *path, const json_t *a, const json_t *b)
{
    char id[64], *kept_a, *kept_b;
    if (a != NULL && b != NULL && json_equal(a, b))
        return 0;
    if (json_is_object(a) && json_is_object(b))
        return compare_members(walk, path, a, b);
    struct text left = shown(a, &kept_a), right = shown(b, &kept_b);
    diff_row(walk->diff, walk->partition, DIFF_CHANGED, output_topic_name(walk->topic), text_id(walk, &walk->a, id),
             text_of(path), left, right);
    free(kept_a);
    free(kept_b);
    return 1;
}

/* Lines of one id. */
static void compare_lines(struct walk *walk)
{
    char id[64];
    struct text a = walk->a.record.value, b = walk->b.record.value;
    if (text_equal(a, b))
        return;
    json_t *left = json_loadb(a.at, a.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *right = json_loadb(b.at, b.len, JSON_REJECT_DUPLICATES, NULL);
    size_t found = left != NULL && right != NULL ? compare_values(walk, "", left, right) : 0;
    if (found == 0) /* the same to a JSON reader, or none to it */
        diff_row(walk->diff, walk->partition, DIFF_CHANGED, output_topic_name(walk->topic), text_id(walk, &walk->a, id),
                 TEXT_NONE, TEXT_NONE, TEXT_NONE);
    json_decref(left);
    json_decref(right);
}

static int order(const struct walk *walk)
{
    const struct side *a = &walk->a, *b = &walk->b;
    if (a->is_at_end || b->is_at_end)
        return a->is_at_end ? 1 : -1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->n > b->n) - (a->n < b->n);
}

static bool walk_both(struct walk *walk)
{
    bool done = advance(walk, &walk->a) && advance(walk, &walk->b);
    while (done && !(walk->a.is_at_end && walk->b.is_at_end)) {
        int which = order(walk);
        if (which == 0)
            compare_lines(walk);
        else if (which < 0)
            show_only(walk, &walk->a, DIFF_REMOVED);
        else
            show_only(walk, &walk->b, DIFF_ADDED);
        done = (which > 0 || advance(walk, &walk->a)) && (which < 0 || advance(walk, &walk->b));
    }
    return done;
}

/* Which partitions published something, on either side. */
static bool has_partition(struct walk *walk, uint32_t partition)
{
    int64_t reach_a, reach_b;
    if (!published_reach(walk->a.published, partition, &reach_a, &walk->error) ||
        !published_reach(walk->b.published, partition, &reach_b, &walk->error))
        return false;
    return partition == 0 || reach_a >= 0 || reach_b >= 0;
}

static bool walk_all(struct walk *walk)
{
    walk->error.code = EX_OK;
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++)
        for (unsigned topic = 0; topic < TOPIC_COUNT && has_partition(walk, i); topic++) {
            walk->partition = i;
            walk->topic = (enum output_topic)topic;
            if (!walk_both(walk))
                return false;
        }
    return walk->error.code == EX_OK;
}

int diff_outputs(struct diff *diff)
{
    const struct published_options a = {.outputs = diff->a}, b = {.outputs = diff->b};
    struct walk walk = {.diff = diff};
    walk.a.published = published_open(&a, PUBLISHED_ALL, &walk.error);
    walk.b.published = published_open(&b, PUBLISHED_ALL, &walk.error);
    bool done = walk_all(&walk);
    published_close(walk.a.published);
    published_close(walk.b.published);
    return done ? EX_OK : message_fail(walk.error.code, "%s", walk.error.message);
}
