#include "tests/tables/input.h"

#include <stdio.h>
#include <stdlib.h>

#include "events/instant.h"
#include "events/reasons.h"
#include "tests/tables/judge.h"

static const struct member *find_member(const struct step *step, const char *name)
{
    for (size_t i = 0; i < step->members.count; i++) {
        if (strcmp(step->members.items[i].name, name) == 0) {
            return &step->members.items[i];
        }
    }
    return NULL;
}

/* @ts and @key are the record's, not the event's. */
static bool is_of_record(const char *name)
{
    return strcmp(name, "@ts") == 0 || strcmp(name, "@key") == 0;
}

static json_t *plain_event(const struct step *step)
{
    char id[32], type[128], time[INSTANT_TEXT_MAX];
    snprintf(id, sizeof id, "%d", step->line);
    snprintf(type, sizeof type, TYPE_PREFIX "%s", step->type);
    instant_format(step->time_ms, time);
    json_t *data = json_object();
    if (strcmp(step->type, "call.started") == 0) {
        json_object_set_new(data, "direction", json_string("outbound"));
    }
    if (step->list) {
        json_object_set(data, strcmp(step->type, "ratedeck.opened") == 0 ? "origins" : "rates", step->list);
    }
    return json_pack("{ssssssssssss*so}", "specversion", "1.0", "id", id, "source", "/table", "type", type, "time",
                     time, "subject", step->subject, "data", data);
}

char *input_value(const struct step *step, const json_t *labels)
{
    json_t *event = plain_event(step), *data = json_object_get(event, "data");
    bool bound = true;
    for (size_t i = 0; i < step->members.count; i++) {
        const struct member *member = &step->members.items[i];
        bool of_envelope = member->name[0] == '@';
        const char *name = member->name + of_envelope;
        json_t *object = of_envelope ? event : data;
        json_t *value = label_value(labels, member->value);
        if (is_of_record(member->name)) {
            continue;
        }
        if (member->test == MEMBER_ABSENT) {
            json_object_del(object, name);
        } else if (value) {
            json_object_set(object, name, value);
        } else {
            fprintf(stderr, "%s:%d: %s: nothing above has bound this name\n", step->file, step->line, name);
            bound = false;
        }
    }
    char *text = bound ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    return text;
}

int64_t input_timestamp(const struct step *step)
{
    const struct member *member = find_member(step, "@ts");
    if (!member) {
        return step->time_ms;
    }
    char *unit;
    int64_t shift = strtoll(json_string_value(member->value), &unit, 10);
    int64_t unit_ms = *unit == 'h' ? MS_PER_HOUR : *unit == 'm' ? MS_PER_MINUTE : MS_PER_SECOND;
    return step->time_ms + shift * unit_ms;
}

struct text input_key(const struct step *step)
{
    const struct member *member = find_member(step, "@key");
    return member ? text_of(json_string_value(member->value)) : text_of(step->subject);
}
