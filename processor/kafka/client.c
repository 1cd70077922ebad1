/* client.c - see client.h. */
#include "processor/kafka/client.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <syslog.h>

#include "processor/kafka/namesake.h"
#include "processor/pulse.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define REACH_MS        15000 /* for the first answer of any broker */
#define REACH_STEP_MS   500
#define OFFSETS_REQUEST "ApiKey TxnOffsetCommit (28) Versions "
#define OFFSETS_VERSION 3
#define MALLOC_LARGEST  (32 << 20) /* that glibc takes from its heaps: a fetched batch is smaller */
#define MEMORY_KEPT     (1 << 30)
#define DECK_MS         "60000" /* that a large deck may take to every partition */

struct preset {
    const char *name, *value;
};

/* Speed, and time-outs: the settings may say otherwise. Why these: README.md. */
static const struct preset defaults[] = {
    {"client.id", "callfold"},
    {"socket.nagle.disable", "true"},
    {"session.timeout.ms", "10000"},
    {"fetch.message.max.bytes", "4194304"},
    {"queued.min.messages", "10000000"},
    {"queued.max.messages.kbytes", "131072"},
    {"queue.buffering.max.messages", "500000"},
    {"queue.buffering.max.kbytes", "262144"},
    {"retry.backoff.ms", "10"},
    {"reconnect.backoff.max.ms", "1000"},
    {"topic.metadata.refresh.interval.ms", "10000"},
    {"transaction.timeout.ms", "10000"},
};

/* The end of a partition is told, for it is idle then. */
static const struct preset consumer_needs[] = {
    {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},  {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},        {"enable.partition.eof", "true"},
};

/* A reader may have hundreds of partitions, and each has a queue of its own. */
static const struct preset reader_needs[] = {
    {"fetch.message.max.bytes", "1048576"},
    {"queued.max.messages.kbytes", "2048"},
    {"fetch.wait.max.ms", "10"}, /* it wants to know the end, not what comes after it */
};

/* One request at a time: of two on their way to a partition that knows this
 * producer not yet, a broker that only now becomes its leader may refuse the
 * first and take the second, and librdkafka then counts the first as written. */
static const struct preset producer_needs[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"max.in.flight.requests.per.connection", "1"},
};

/* What the meter publishes is sent at the commit, or when it fills a batch: a
 * batch that waits a little is one that librdkafka looks at all the time. */
static const struct preset meter_defaults[] = {
    {"linger.ms", "100"},
};

static bool is_consumer(enum client_kind kind)
{
    return kind == CLIENT_CONSUMER || kind == CLIENT_READER;
}

/* Callbacks. */

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct client *client = opaque;
    bool are_all_down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    (void)rk;
    /* That all are down says less than why the last one is, which came before it. */
    if (!are_all_down || client->trouble == RD_KAFKA_RESP_ERR_NO_ERROR) {
        client->trouble = (rd_kafka_resp_err_t)code;
        snprintf(client->reason, sizeof client->reason, "%s", reason);
    }
    if (are_all_down && client->rebalance != NULL)
        message_note("kafka: %s; waiting for them", reason);
}

/* What a broker speaks, librdkafka says in its log alone. A request that an old
 * one does not know is sent in an older form, without the group's generation:
 * a meter that lost its partitions could commit then. */
static void note_version(struct client *client, const char *text)
{
    int least, most;
    const char *at = strstr(text, OFFSETS_REQUEST);
    if (at != NULL && sscanf(at, OFFSETS_REQUEST "%d..%d", &least, &most) == 2 && most < OFFSETS_VERSION)
        client->offsets_lacked = 1 + most;
}

/* Not worth a line: that a client has no use for a property of another kind of
 * client, and that one of many connections failed and is made anew. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    struct client *client = rd_kafka_opaque(rk);
    note_version(client, text);
    if (client->is_debugged)
        message_note("kafka: %s: %s", facility, text);
    else if (level <= LOG_ERR && strcmp(facility, "CONFWARN") != 0 && strcmp(facility, "FAIL") != 0)
        message_note("kafka: %s", text);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct client *client = opaque;
    (void)rk;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    client->undelivered++;
    client->trouble = message->err;
    snprintf(client->reason, sizeof client->reason, "%s", rd_kafka_err2str(message->err));
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions,
                         void *opaque)
{
    struct client *client = opaque;
    (void)rk;
    client->rebalance(client->owner, what, partitions);
}

/* Configuration. */

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, const char *where,
                struct store_error *error)
{
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return true;
    return fail_with(error, EX_CONFIG, "%s: %s", where, why);
}

static bool set_presets(rd_kafka_conf_t *conf, const struct preset *presets, size_t count, struct store_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!set(conf, presets[i].name, presets[i].value, "built in", error))
            return false;
    return true;
}

static bool is_given(const struct kafka_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->items[i].name, name) == 0 && settings->items[i].value[0] != '\0')
            return true;
    return false;
}

static bool set_names(rd_kafka_conf_t *conf, enum client_kind kind, const struct kafka_settings *settings,
                      struct store_error *error)
{
    char name[256];
    snprintf(name, sizeof name, "%s-%s", settings->group, settings->instance != NULL ? settings->instance : "loader");
    switch (kind) {
    case CLIENT_CONSUMER:
        return set(conf, "group.id", settings->group, "group.id", error) &&
               set(conf, "group.instance.id", settings->instance, "callfold.instance", error) &&
               set(conf, "client.id", namesake_client_id(settings), "callfold.instance", error) &&
               set(conf, "partition.assignment.strategy", "range", "built in", error);
    case CLIENT_READER: return set(conf, "group.id", settings->group, "group.id", error);
    case CLIENT_PRODUCER: return set(conf, "transactional.id", name, "callfold.instance", error);
    case CLIENT_LOADER:
        snprintf(name, sizeof name, "%s-rates", settings->group);
        return set(conf, "transactional.id", name, "group.id", error) &&
               set(conf, "transaction.timeout.ms", DECK_MS, "built in", error);
    case CLIENT_FEEDER: /* for note_version; what the user wants to see stays */
        return is_given(settings, "debug") || set(conf, "debug", "feature", "built in", error);
    }
    return true;
}

static int number_of(rd_kafka_conf_t *conf, const char *name)
{
    char value[24];
    size_t size = sizeof value;
    return rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK ? atoi(value) : 0;
}

/* A session that ends before the second heartbeat ends all the time. */
static bool fit_heartbeat(rd_kafka_conf_t *conf, struct store_error *error)
{
    char value[24];
    int most = number_of(conf, "session.timeout.ms") / 3;
    if (number_of(conf, "heartbeat.interval.ms") <= most)
        return true;
    snprintf(value, sizeof value, "%d", most);
    return set(conf, "heartbeat.interval.ms", value, "session.timeout.ms", error);
}

#define SET_PRESETS(conf, presets, error) set_presets(conf, presets, sizeof(presets) / sizeof(presets)[0], error)

static bool configure(rd_kafka_conf_t *conf, enum client_kind kind, const struct kafka_settings *settings,
                      struct store_error *error)
{
    if (!SET_PRESETS(conf, defaults, error) || (kind == CLIENT_PRODUCER && !SET_PRESETS(conf, meter_defaults, error)))
        return false;
    for (size_t i = 0; i < settings->count; i++) {
        const struct kafka_setting *setting = &settings->items[i];
        if (!set(conf, setting->name, setting->value, setting->where, error))
            return false;
    }
    bool needs =
        is_consumer(kind) ? SET_PRESETS(conf, consumer_needs, error) : SET_PRESETS(conf, producer_needs, error);
    if (kind == CLIENT_READER)
        needs = needs && SET_PRESETS(conf, reader_needs, error);
    return needs && set_names(conf, kind, settings, error) && (kind != CLIENT_CONSUMER || fit_heartbeat(conf, error));
}

static bool is_scram(rd_kafka_conf_t *conf)
{
    char value[32];
    size_t size = sizeof value;
    return rd_kafka_conf_get(conf, "sasl.mechanism", value, &size) == RD_KAFKA_CONF_OK &&
           strncasecmp(value, "SCRAM", 5) == 0;
}

bool client_open(struct client *client, enum client_kind kind, const struct kafka_settings *settings,
                 struct store_error *error)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!configure(conf, kind, settings, error)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    if (!is_given(settings, "bootstrap.servers") && !is_given(settings, "metadata.broker.list")) {
        rd_kafka_conf_destroy(conf);
        return fail_with(error, EX_CONFIG,
                         "the Kafka properties name no broker; add bootstrap.servers=HOST:PORT[,HOST:PORT...]");
    }
    client->has_scram = is_scram(conf);
    client->is_debugged = is_given(settings, "debug");
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (kind == CLIENT_CONSUMER)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    if (!is_consumer(kind)) /* without it a commit is up to 10 ms late to know that all is delivered */
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    client->rk = rd_kafka_new(is_consumer(kind) ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (client->rk != NULL) {
        if (is_consumer(kind))
            rd_kafka_poll_set_consumer(client->rk);
        return true;
    }
    rd_kafka_conf_destroy(conf);
    return fail_with(error, EX_CONFIG, "the Kafka properties do not go together: %s", why);
}

void client_keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MALLOC_LARGEST);
    mallopt(M_TOP_PAD, 2 * MALLOC_LARGEST);
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
}

void client_close(struct client *client)
{
    if (client->rk != NULL)
        rd_kafka_destroy(client->rk);
    client->rk = NULL;
}

/* Faults. */

#define SCRAM_MENDED 0x020601ff

static bool speaks_old_scram(const struct client *client)
{
    return client->has_scram && rd_kafka_version() < SCRAM_MENDED;
}

/* What the operator must change; the rest may pass. */
static const char *way_out(const struct client *client, rd_kafka_resp_err_t code, int *exit_code)
{
    *exit_code = EX_CONFIG;
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
        return speaks_old_scram(client)
                   ? "check sasl.username and sasl.password; but librdkafka before 2.6.1, as here, is refused by "
                     "brokers since 3.7.2 with any: take a newer one, or sasl.mechanism=PLAIN over TLS"
                   : "check sasl.username, sasl.password and sasl.mechanism";
    case RD_KAFKA_RESP_ERR__SSL:
        return "check security.protocol and the certificates: ssl.ca.location names the authority that signed the "
               "brokers'";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return "give this user the rights to read and write callfold.events, write the other topics, and use the group and the "
               "transactional ids that begin with its name";
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
        return "the broker is too old: transactions with consumer groups need Apache Kafka 2.5 or later";
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        *exit_code = EX_UNAVAILABLE;
        return "another process took over under this callfold.instance, or the brokers lost track of this one; nothing "
               "more of it was published";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return "make the topics with callfold topics create";
    default: break;
    }
    *exit_code = EX_UNAVAILABLE;
    return "check bootstrap.servers and security.protocol, and that the brokers run; then run the same command again";
}

bool client_fail(struct client *client, struct store_error *error, rd_kafka_resp_err_t code, const char *why,
                 const char *to_do)
{
    int exit_code;
    rd_kafka_resp_err_t cause = code;
    bool is_vague = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                    code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (is_vague && client->trouble != RD_KAFKA_RESP_ERR_NO_ERROR) {
        cause = client->trouble;
        why = client->reason;
    }
    const char *way = way_out(client, cause, &exit_code);
    return fail_with(error, exit_code, "cannot %s: %s; %s", to_do, why, way);
}

static bool fail_for_age(const struct client *client, struct store_error *error)
{
    return fail_with(error, EX_CONFIG,
                     "a broker is too old: it speaks version %d of TxnOffsetCommit, and %d is needed for commits that "
                     "nobody can make who lost his partitions; take Apache Kafka 2.5 or later",
                     client->offsets_lacked - 1, OFFSETS_VERSION);
}

static bool is_hopeless(const struct client *client)
{
    return client->trouble == RD_KAFKA_RESP_ERR__AUTHENTICATION || client->trouble == RD_KAFKA_RESP_ERR__SSL;
}

const struct rd_kafka_metadata *client_metadata(struct client *client, struct store_error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    double begun = seconds_now();
    while (seconds_now() - begun < REACH_MS / 1000.0 && pulse_goes_on()) {
        code = rd_kafka_metadata(client->rk, 1, NULL, &metadata, REACH_STEP_MS);
        rd_kafka_poll(client->rk, 0);
        if (client->offsets_lacked > 0) {
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
                rd_kafka_metadata_destroy(metadata);
            fail_for_age(client, error);
            return NULL;
        }
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return metadata;
        if (is_hopeless(client))
            break;
    }
    client_fail(client, error, code, rd_kafka_err2str(code), "reach Kafka");
    return NULL;
}

/* where: RD_KAFKA_OFFSET_BEGINNING or _END, which brokers take in place of a time. */
static rd_kafka_resp_err_t ask_offset(struct client *client, const char *topic, int32_t partition, int64_t where,
                                      int64_t *offset, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(list, topic, partition);
    place->offset = where;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client->rk, list, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = place->err;
    *offset = place->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

rd_kafka_resp_err_t client_range(struct client *client, const char *topic, int32_t partition, int64_t *low,
                                 int64_t *high, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = ask_offset(client, topic, partition, RD_KAFKA_OFFSET_BEGINNING, low, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = ask_offset(client, topic, partition, RD_KAFKA_OFFSET_END, high, timeout_ms);
    /* The leader it remembers may be gone: whoever asks again shall ask the new one. */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_metadata(client->rk, 1, NULL, &metadata, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    return code;
}

char *client_cluster(struct client *client, struct store_error *error)
{
    char *cluster;
    double begun = seconds_now();
    do
        cluster = rd_kafka_clusterid(client->rk, REACH_STEP_MS);
    while (cluster == NULL && seconds_now() - begun < REACH_MS / 1000.0 && pulse_goes_on());
    if (cluster == NULL)
        client_fail(client, error, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer", "ask Kafka for its cluster id");
    return cluster;
}

enum log_outcome client_judge(struct client *client, rd_kafka_error_t *fault, const char *to_do,
                              struct store_error *error)
{
    enum log_outcome outcome = LOG_BROKEN;
    if (fault == NULL)
        return LOG_DONE;
    client_fail(client, error, rd_kafka_error_code(fault), rd_kafka_error_string(fault), to_do);
    if (!rd_kafka_error_is_fatal(fault) && rd_kafka_error_is_retriable(fault))
        outcome = LOG_WAITING;
    if (!rd_kafka_error_is_fatal(fault) && rd_kafka_error_txn_requires_abort(fault))
        outcome = LOG_ABORTED;
    rd_kafka_error_destroy(fault);
    return outcome;
}
