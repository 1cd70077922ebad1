/* topics.c - see topics.h. */
#include "processor/kafka/topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "processor/log.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define ADMIN_MS     30000
#define POLL_MS      50
#define NEWS_MS      5000 /* so much later than the others a broker may hear of new topics */
#define TOPICS       (TOPIC_COUNT + 2)
#define RULES_MAX    4
#define VALUE_MAX    64
#define FOR_EVER     "-1"
#define TRY_TO_REACH "ask Kafka about its topics"

enum rule_force {
    MUST,   /* be so */
    EXPIRE, /* must be so unless retention is allowed */
    ADVICE, /* it is made so, and may be changed */
};

/* A property of a topic. */
struct rule {
    const char *name, *value;
    enum rule_force force;
    const char *why;
};

struct topic_plan {
    const char *name;
    struct rule rules[RULES_MAX];
};

#define KEPT(force, why)                                                             \
    {"cleanup.policy", "delete", MUST, why}, {"retention.ms", FOR_EVER, force, why}, \
    {                                                                                \
        "retention.bytes", FOR_EVER, force, why                                      \
    }
#define KEPT_A_WHILE                                                  \
    {                                                                 \
        "cleanup.policy", "delete", MUST, "every record of it counts" \
    }
#define COMPACTED                                                                                   \
    {                                                                                               \
        "cleanup.policy", "compact", MUST, "it is a table: the last record of a key is what counts" \
    }

static const struct topic_plan plans[TOPICS] = {
    {EVENTS_TOPIC,
     {KEPT(EXPIRE, "the state is folded from it, from the first event on"),
      {"message.timestamp.type", "LogAppendTime", MUST, "deadlines run on the broker's time"}}},
    {TYPE_PREFIX "commands", {KEPT_A_WHILE}},
    {TYPE_PREFIX "ledger", {KEPT(EXPIRE, "it is the books")}},
    {TYPE_PREFIX "calls", {KEPT(ADVICE, "it is what was charged for")}},
    {TYPE_PREFIX "balances", {COMPACTED}},
    {TYPE_PREFIX "rejects", {KEPT_A_WHILE}},
    {TYPE_PREFIX "attestations", {KEPT(ADVICE, "it is the evidence")}},
    {PROGRESS_TOPIC, {COMPACTED}},
};

#define X(symbol, word) TYPE_PREFIX word,
static const char *const output_names[TOPIC_COUNT] = {OUTPUT_TOPICS(X)};
#undef X

const char *topics_output_name(enum output_topic topic)
{
    return output_names[topic];
}

/* What there is. */

struct topic_found {
    bool exists;
    int partitions, replicas;
    int in_sync;                       /* min.insync.replicas */
    char values[RULES_MAX][VALUE_MAX]; /* of the plan's rules */
};

static void note_metadata(struct topic_found found[TOPICS], const struct rd_kafka_metadata *metadata)
{
    for (size_t i = 0; i < TOPICS; i++)
        for (int j = 0; j < metadata->topic_cnt; j++) {
            const struct rd_kafka_metadata_topic *topic = &metadata->topics[j];
            if (strcmp(topic->topic, plans[i].name) != 0 || topic->partition_cnt == 0)
                continue;
            found[i].exists = true;
            found[i].partitions = topic->partition_cnt;
            found[i].replicas = topic->partitions[0].replica_cnt;
        }
}

static void note_config(struct topic_found found[TOPICS], const rd_kafka_ConfigResource_t *resource)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < TOPICS; i++) {
        if (strcmp(plans[i].name, rd_kafka_ConfigResource_name(resource)) != 0)
            continue;
        for (size_t e = 0; e < count; e++)
            if (strcmp(rd_kafka_ConfigEntry_name(entries[e]), "min.insync.replicas") == 0)
                found[i].in_sync = atoi(rd_kafka_ConfigEntry_value(entries[e]));
        for (size_t r = 0; r < RULES_MAX && plans[i].rules[r].name != NULL; r++)
            for (size_t e = 0; e < count; e++)
                if (strcmp(rd_kafka_ConfigEntry_name(entries[e]), plans[i].rules[r].name) == 0)
                    snprintf(found[i].values[r], VALUE_MAX, "%s", rd_kafka_ConfigEntry_value(entries[e]));
    }
}

/* An admin request's answer: NULL, with *error, when it failed as a whole. */
static rd_kafka_event_t *wait_for(struct client *client, rd_kafka_queue_t *queue, const char *to_do,
                                  struct store_error *error)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_MS + 5000);
    rd_kafka_resp_err_t code = event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return event;
    client_fail(client, error, code, event != NULL ? rd_kafka_event_error_string(event) : "no answer", to_do);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return NULL;
}

static rd_kafka_AdminOptions_t *options_of(struct client *client, rd_kafka_admin_op_t operation)
{
    char why[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client->rk, operation);
    rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, why, sizeof why);
    return options;
}

static bool take_configs(struct client *client, struct topic_found found[TOPICS], rd_kafka_event_t *event,
                         struct store_error *error)
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return client_fail(client, error, code, rd_kafka_err2str(code), TRY_TO_REACH);
        note_config(found, resources[i]);
    }
    return true;
}

static bool describe_configs(struct client *client, struct topic_found found[TOPICS], struct store_error *error)
{
    rd_kafka_ConfigResource_t *wanted[TOPICS];
    size_t count = 0;
    for (size_t i = 0; i < TOPICS; i++)
        if (found[i].exists)
            wanted[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, plans[i].name);
    if (count == 0)
        return true;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
    rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(client->rk, wanted, count, options, queue);
    rd_kafka_event_t *event = wait_for(client, queue, TRY_TO_REACH, error);
    bool taken = event != NULL && take_configs(client, found, event, error);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(wanted, count);
    return taken;
}

static bool note_topics(struct client *client, struct topic_found found[TOPICS], struct store_error *error)
{
    memset(found, 0, TOPICS * sizeof found[0]);
    const struct rd_kafka_metadata *metadata = client_metadata(client, error);
    if (metadata == NULL)
        return false;
    note_metadata(found, metadata);
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* The brokers say that a topic is made before each of them knows of it. Waits so
 * long for the first `count`; those that are still unknown then are not there. */
static bool await_topics(struct client *client, struct topic_found found[TOPICS], size_t count, long ms,
                         struct store_error *error)
{
    double begun = seconds_now();
    for (;;) {
        size_t known = 0;
        if (!note_topics(client, found, error))
            return false;
        while (known < count && found[known].exists)
            known++;
        if (known == count || seconds_now() - begun >= (double)ms / 1000)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

/* Checking. */

static bool check_rules(const struct topic_plan *plan, const struct topic_found *found, bool allow_retention,
                        struct store_error *error)
{
    for (size_t r = 0; r < RULES_MAX && plan->rules[r].name != NULL; r++) {
        const struct rule *rule = &plan->rules[r];
        if (rule->force == ADVICE || (rule->force == EXPIRE && allow_retention) ||
            strcmp(found->values[r], rule->value) == 0)
            continue;
        return fail_with(error, EX_CONFIG,
                         "topic %s has %s=%s, but it must be %s: %s; set it with kafka-configs --alter --entity-type "
                         "topics --entity-name %s --add-config %s=%s%s",
                         plan->name, rule->name, found->values[r], rule->value, rule->why, plan->name, rule->name,
                         rule->value, rule->force == EXPIRE ? ", or say callfold.allow.retention=true" : "");
    }
    return true;
}

static bool fail_as_missing(size_t i, struct store_error *error)
{
    return fail_with(error, EX_CONFIG, "topic %s is missing; make the topics with callfold topics create",
                     plans[i].name);
}

static bool check_topic(size_t i, const struct topic_found found[TOPICS], bool allow_retention,
                        struct store_error *error)
{
    if (!found[i].exists)
        return fail_as_missing(i, error);
    if (found[i].partitions != found[0].partitions)
        return fail_with(error, EX_CONFIG,
                         "topic %s has %d partitions and %s has %d; all must have the same number: make the one that "
                         "differs anew",
                         plans[i].name, found[i].partitions, plans[0].name, found[0].partitions);
    return check_rules(&plans[i], &found[i], allow_retention, error);
}

/* The weakest of them: so many brokers hold each record, and so many have it
 * before it counts. */
static void report(const struct topic_found found[TOPICS])
{
    int replicas = found[0].replicas, in_sync = found[0].in_sync;
    for (size_t i = 1; i < TOPICS; i++) {
        replicas = found[i].replicas < replicas ? found[i].replicas : replicas;
        in_sync = found[i].in_sync < in_sync ? found[i].in_sync : in_sync;
    }
    message_note("topics     %d partitions, replication factor %d, min.insync.replicas %d", found[0].partitions,
                 replicas, in_sync);
}

uint32_t topics_check(struct client *client, bool allow_retention, struct store_error *error)
{
    struct topic_found found[TOPICS];
    if (!await_topics(client, found, TOPICS, NEWS_MS, error) || !describe_configs(client, found, error))
        return 0;
    for (size_t i = 0; i < TOPICS; i++)
        if (!check_topic(i, found, allow_retention, error))
            return 0;
    if (found[0].partitions > PARTITIONS_MAX) {
        fail_with(error, EX_CONFIG, "topic %s has %d partitions; at most %d are possible", plans[0].name,
                  found[0].partitions, PARTITIONS_MAX);
        return 0;
    }
    report(found);
    return (uint32_t)found[0].partitions;
}

uint32_t topics_count_partitions(struct client *client, struct store_error *error)
{
    struct topic_found found[TOPICS];
    if (!await_topics(client, found, 1, NEWS_MS, error))
        return 0;
    if (!found[0].exists)
        fail_as_missing(0, error);
    return (uint32_t)found[0].partitions;
}

/* Creating. */

static const char *wished_value(const struct rule *rule, const struct topics_wish *wish, char number[24])
{
    if (strcmp(rule->name, "retention.ms") != 0)
        return rule->value;
    snprintf(number, 24, "%" PRId64, wish->retention_ms);
    return number;
}

/* As many partitions as those that are there already, unless another number is wished. */
static int partitions_of_new(const struct topic_found found[TOPICS], const struct topics_wish *wish)
{
    int partitions = wish->partitions;
    for (size_t i = 0; i < TOPICS && partitions < 1; i++)
        if (found[i].exists)
            partitions = found[i].partitions;
    return partitions;
}

static rd_kafka_NewTopic_t *new_topic(const struct topic_plan *plan, const struct topics_wish *wish, int partitions)
{
    char why[256], number[24];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(plan->name, partitions, wish->replication_factor, why, sizeof why);
    for (size_t r = 0; topic != NULL && r < RULES_MAX && plan->rules[r].name != NULL; r++)
        rd_kafka_NewTopic_set_config(topic, plan->rules[r].name, wished_value(&plan->rules[r], wish, number));
    return topic;
}

/* Somebody else may have made it in the meantime. */
static bool take_results(struct client *client, rd_kafka_event_t *event, struct store_error *error)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *name = rd_kafka_topic_result_name(results[i]),
                   *why = rd_kafka_topic_result_error_string(results[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            message_note("%s: made", name);
        else if (code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR || code == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS)
            return fail_with(error, EX_CONFIG, "cannot make topic %s: %s", name, why);
        else if (code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return client_fail(client, error, code, why != NULL ? why : rd_kafka_err2str(code), "make the topics");
    }
    return true;
}

static bool create(struct client *client, rd_kafka_NewTopic_t **topics, size_t count, struct store_error *error)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
    rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(client->rk, topics, count, options, queue);
    rd_kafka_event_t *event = wait_for(client, queue, "make the topics", error);
    bool done = event != NULL && take_results(client, event, error);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return done;
}

/* True when the topic that is there differs from the wish. */
static bool say_differences(const struct topic_plan *plan, const struct topic_found *found,
                            const struct topics_wish *wish)
{
    char number[24];
    bool differs = false;
    if (wish->partitions > 0 && found->partitions != wish->partitions) {
        message_error("%s: has %d partitions, not %d; that cannot be changed: accounts would move to others",
                      plan->name, found->partitions, wish->partitions);
        differs = true;
    }
    if (wish->replication_factor > 0 && found->replicas != wish->replication_factor) {
        message_error("%s: has %d replicas, not %d; kafka-reassign-partitions changes that", plan->name,
                      found->replicas, wish->replication_factor);
        differs = true;
    }
    for (size_t r = 0; r < RULES_MAX && plan->rules[r].name != NULL; r++) {
        const char *wished = wished_value(&plan->rules[r], wish, number);
        if (strcmp(found->values[r], wished) == 0)
            continue;
        message_error("%s: has %s=%s, not %s; kafka-configs --alter changes that", plan->name, plan->rules[r].name,
                      found->values[r], wished);
        differs = true;
    }
    return differs;
}

bool topics_make(struct client *client, const struct topics_wish *wish, bool *differs, struct store_error *error)
{
    struct topic_found found[TOPICS];
    rd_kafka_NewTopic_t *missing[TOPICS];
    size_t count = 0;
    *differs = false;
    if (!note_topics(client, found, error) || !describe_configs(client, found, error))
        return false;
    int partitions = partitions_of_new(found, wish);
    for (size_t i = 0; i < TOPICS; i++) {
        if (!found[i].exists)
            missing[count++] = new_topic(&plans[i], wish, partitions);
        else if (say_differences(&plans[i], &found[i], wish))
            *differs = true;
        else
            message_note("%s: is there, with %d partitions", plans[i].name, found[i].partitions);
    }
    bool done =
        count == 0 || (create(client, missing, count, error) && await_topics(client, found, TOPICS, ADMIN_MS, error));
    rd_kafka_NewTopic_destroy_array(missing, count);
    return done;
}
