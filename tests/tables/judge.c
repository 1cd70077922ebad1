#include "tests/tables/judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "events/reasons.h"

static const char *topic_of(const char *type)
{
#define X(symbol, word, topic) {word, #topic},
    static const char *const topics[][2] = {OUTPUT_TYPES(X)};
#undef X
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (strcmp(type, topics[i][0]) == 0) {
            return topics[i][1];
        }
    }
    return "";
}

static const char *type_of(const json_t *output)
{
    const char *type = json_string_value(json_object_get(output, "type"));
    return type && strncmp(type, TYPE_PREFIX, strlen(TYPE_PREFIX)) == 0 ? type + strlen(TYPE_PREFIX) : "?";
}

json_t *label_value(const json_t *labels, json_t *value)
{
    const char *text = json_string_value(value);
    return text && text[0] == '$' ? json_object_get(labels, text + 1) : value;
}

static void print(const char *before, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    fprintf(stderr, "%s%s\n", before, text ? text : "nothing");
    free(text);
}

static bool differs(const struct step *step, int line, const char *name, const json_t *expected, const json_t *output)
{
    fprintf(stderr, "%s:%d: %s\n", step->file, line, name);
    print("  expected  ", expected);
    print("  got       ", output);
    return false;
}

/* The member of data, or of the envelope where the name begins with "@". */
static json_t *found_member(const json_t *output, const char *name)
{
    return name[0] == '@' ? json_object_get(output, name + 1) : json_object_get(json_object_get(output, "data"), name);
}

static bool member_holds(const struct member *member, json_t *found, json_t *labels)
{
    if (member->test == MEMBER_ABSENT || !found) {
        return member->test == MEMBER_ABSENT && !found;
    }
    if (member->test == MEMBER_HAS) {
        const char *text = json_string_value(found);
        return text && strstr(text, json_string_value(member->value));
    }
    const char *label = json_string_value(member->value);
    if (label && label[0] == '$' && !json_object_get(labels, label + 1)) {
        json_object_set(labels, label + 1, found);
    }
    return json_equal(label_value(labels, member->value), found);
}

static bool posting_is_in(const json_t *posting, const json_t *list)
{
    size_t index;
    json_t *other;
    json_array_foreach (list, index, other) {
        if (json_equal(posting, other)) {
            return true;
        }
    }
    return false;
}

/* The same postings in any order; no posting stands twice. */
static bool postings_hold(const struct step *step, const struct expected *expected, const json_t *output)
{
    const json_t *found = json_object_get(json_object_get(output, "data"), "postings");
    bool same = json_array_size(found) == json_array_size(expected->postings);
    size_t index;
    json_t *posting;
    json_array_foreach (expected->postings, index, posting) {
        same = same && posting_is_in(posting, found);
    }
    return same || differs(step, expected->line, "postings", expected->postings, found);
}

static bool expected_holds(const struct step *step, const struct expected *expected, const json_t *output,
                           json_t *labels)
{
    if (!output || strcmp(expected->type, type_of(output)) != 0) {
        json_t *type = json_string(expected->type);
        differs(step, expected->line, "type of output", type, output);
        json_decref(type);
        return false;
    }
    for (size_t i = 0; i < expected->members.count; i++) {
        const struct member *member = &expected->members.items[i];
        if (!member_holds(member, found_member(output, member->name), labels)) {
            return differs(step, expected->line, member->name, label_value(labels, member->value), output);
        }
    }
    return !expected->postings || postings_hold(step, expected, output);
}

static bool names_type(const struct step *step, const char *type)
{
    for (size_t i = 0; i < step->expected_count; i++) {
        if (strcmp(step->expected[i].type, type) == 0) {
            return true;
        }
    }
    return false;
}

/* Outputs of one topic (every topic where topic is NULL) against their lines. */
static bool judge_topic(const struct step *step, const json_t *outputs, const char *topic, json_t *labels)
{
    bool skip_attested = !names_type(step, "state.attested");
    size_t line = 0, index;
    json_t *output;
    json_array_foreach (outputs, index, output) {
        const char *type = type_of(output);
        if ((topic && strcmp(topic_of(type), topic) != 0) || (skip_attested && strcmp(type, "state.attested") == 0)) {
            continue;
        }
        while (line < step->expected_count && topic && strcmp(topic_of(step->expected[line].type), topic) != 0) {
            line++;
        }
        if (line == step->expected_count) {
            return differs(step, step->line, "an output too many", NULL, output);
        }
        if (!expected_holds(step, &step->expected[line++], output, labels)) {
            return false;
        }
    }
    for (; line < step->expected_count; line++) {
        if (!topic || strcmp(topic_of(step->expected[line].type), topic) == 0) {
            return expected_holds(step, &step->expected[line], NULL, labels);
        }
    }
    return true;
}

bool judge(const struct step *step, const json_t *outputs, json_t *labels)
{
    static const char *const topics[] = {
#define X(symbol, word) #symbol,
        OUTPUT_TOPICS(X)
#undef X
    };
    if (step->strict) {
        return judge_topic(step, outputs, NULL, labels);
    }
    for (size_t i = 0; i < step->expected_count; i++) {
        if (*topic_of(step->expected[i].type) == '\0') {
            return differs(step, step->expected[i].line, "no output has this type", NULL, NULL);
        }
    }
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (!judge_topic(step, outputs, topics[i], labels)) {
            return false;
        }
    }
    return true;
}
