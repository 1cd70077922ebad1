/* committed.c - see committed.h. */
#include "processor/kafka/committed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/kafka/topics.h"
#include "processor/progress_json.h"
#include "processor/pulse.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define ASK_MS      2000 /* one question; asked again until PATIENCE_S are over */
#define LEADER_MS   2000 /* one question to a partition's leader, likewise */
#define PATIENCE_S  75   /* more than a transaction lives with librdkafka's own default */
#define AGREE_S     10   /* until the record of a commit is there as its offset is */
#define POLL_MS     100
#define LOOK_BACK   16 /* offsets before the end at first, markers among them */
#define LOOK_FACTOR 16

/* The group's offsets. */

static bool is_passing(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT: return true;
    default: return false;
    }
}

static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool read_offsets(struct client *consumer, rd_kafka_topic_partition_list_t *list, struct store_error *error)
{
    rd_kafka_resp_err_t code;
    double begun = seconds_now();
    do {
        code = rd_kafka_committed(consumer->rk, list, ASK_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = first_error(list);
    } while (is_passing(code) && seconds_now() - begun < PATIENCE_S && pulse_goes_on());
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_fail(consumer, error, code, rd_kafka_err2str(code), "read the group's committed offsets");
}

/* The last record of each partition of callfold.progress. */

struct search {
    struct client *reader;
    const rd_kafka_topic_partition_list_t *partitions;
    struct log_progress *progress;
    char (*owners)[OWNER_SIZE];
    struct store_error *error;
    int64_t low[PARTITIONS_MAX], high[PARTITIONS_MAX]; /* by index in partitions */
    bool is_done[PARTITIONS_MAX];
    int left; /* not yet read to the end */
};

static int index_of(const struct search *search, int32_t partition)
{
    for (int i = 0; i < search->partitions->cnt; i++)
        if (search->partitions->elems[i].partition == partition)
            return i;
    return -1;
}

static void take_owner(const rd_kafka_message_t *message, char owner[OWNER_SIZE])
{
    json_t *record = json_loadb(message->payload, message->len, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(json_object_get(record, "data"), "owner"));
    snprintf(owner, OWNER_SIZE, "%s", name != NULL ? name : "");
    json_decref(record);
}

static bool take_record(struct search *search, const rd_kafka_message_t *message)
{
    int i = index_of(search, message->partition);
    bool decoded = progress_of_record((struct text){message->payload, message->len}, &search->progress[i]) &&
                   search->progress[i].partition == (uint32_t)message->partition;
    take_owner(message, search->owners[i]);
    return decoded || fail_with(search->error, EX_CONFIG,
                                "topic " PROGRESS_TOPIC ", partition %" PRId32 ", offset %" PRId64
                                ": this is no progress record of callfold; nothing else may write to that topic",
                                message->partition, message->offset);
}

static bool take_message(struct search *search, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        int i = index_of(search, message->partition);
        search->left -= search->is_done[i] ? 0 : 1;
        search->is_done[i] = true;
        return true;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return take_record(search, message);
    return is_passing(message->err) || client_fail(search->reader, search->error, message->err,
                                                   rd_kafka_message_errstr(message), "read " PROGRESS_TOPIC);
}

static bool read_to_end(struct search *search)
{
    double begun = seconds_now();
    while (search->left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(search->reader->rk, POLL_MS);
        bool taken = message == NULL || take_message(search, message);
        if (message != NULL)
            rd_kafka_message_destroy(message);
        if (!taken)
            return false;
        if (seconds_now() - begun > PATIENCE_S || !pulse_goes_on())
            return client_fail(search->reader, search->error, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer",
                               "read " PROGRESS_TOPIC);
    }
    return true;
}

static bool ask_ends(struct search *search)
{
    for (int i = 0; i < search->partitions->cnt; i++) {
        rd_kafka_resp_err_t code;
        double begun = seconds_now();
        do
            code = client_range(search->reader, PROGRESS_TOPIC, search->partitions->elems[i].partition, &search->low[i],
                                &search->high[i], LEADER_MS);
        while (is_passing(code) && seconds_now() - begun < PATIENCE_S && pulse_goes_on());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return client_fail(search->reader, search->error, code, rd_kafka_err2str(code), "read " PROGRESS_TOPIC);
    }
    return true;
}

/* Those without a record yet, from `back` before their end. *more: for some
 * that is not yet their beginning. */
static rd_kafka_topic_partition_list_t *places(struct search *search, int64_t back, bool *more)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(search->partitions->cnt);
    *more = false;
    search->left = 0;
    for (int i = 0; i < search->partitions->cnt; i++) {
        if (search->progress[i].fold_version != 0)
            continue;
        int64_t from = search->high[i] - back > search->low[i] ? search->high[i] - back : search->low[i];
        rd_kafka_topic_partition_list_add(list, PROGRESS_TOPIC, search->partitions->elems[i].partition)->offset = from;
        search->is_done[i] = false;
        search->left++;
        *more = *more || from > search->low[i];
    }
    return list;
}

static void forget_records(struct search *search)
{
    for (int i = 0; i < search->partitions->cnt; i++) {
        search->progress[i] = (struct log_progress){.partition = (uint32_t)search->partitions->elems[i].partition};
        search->owners[i][0] = '\0';
    }
}

/* The tail of a long topic is enough, unless many transactions were aborted. */
static bool read_records(struct search *search)
{
    forget_records(search);
    bool more = true, done = ask_ends(search);
    for (int64_t back = LOOK_BACK; done && more; back *= LOOK_FACTOR) {
        rd_kafka_topic_partition_list_t *list = places(search, back, &more);
        if (list->cnt == 0)
            more = false;
        else
            done = rd_kafka_assign(search->reader->rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR && read_to_end(search);
        rd_kafka_topic_partition_list_destroy(list);
    }
    rd_kafka_assign(search->reader->rk, NULL);
    return done;
}

/* Both together. */

static int64_t offset_of(const rd_kafka_topic_partition_t *place)
{
    return place->offset >= 0 ? place->offset : 0; /* none: nothing was ever committed */
}

static bool refuse(const rd_kafka_topic_partition_t *place, const struct log_progress *progress,
                   struct store_error *error)
{
    return fail_with(error, EX_CONFIG,
                     "partition %" PRId32 ": the group's offset is %" PRId64 " but the last record of " PROGRESS_TOPIC
                     " says %" PRId64 ": the offsets were reset or have expired, or the group is another one; set the "
                     "offset to %" PRId64 " with kafka-consumer-groups --reset-offsets --to-offset, or name the "
                     "group.id that these topics belong to",
                     place->partition, offset_of(place), progress->position, progress->position);
}

static const rd_kafka_topic_partition_t *find_difference(const rd_kafka_topic_partition_list_t *offsets,
                                                         const struct log_progress *progress, int *index)
{
    for (int i = 0; i < offsets->cnt; i++)
        if (offset_of(&offsets->elems[i]) != progress[i].position) {
            *index = i;
            return &offsets->elems[i];
        }
    return NULL;
}

/* Both anew until they agree: when the partitions are somebody else's by now, he
 * goes on committing until a rebalance tells us. */
static bool read_agreeing(struct search *search, struct client *consumer, rd_kafka_topic_partition_list_t *offsets)
{
    int i;
    const rd_kafka_topic_partition_t *different;
    double begun = seconds_now();
    do {
        if (!read_offsets(consumer, offsets, search->error) || !read_records(search))
            return false;
        different = find_difference(offsets, search->progress, &i);
    } while (different != NULL && seconds_now() - begun < AGREE_S);
    return different == NULL || refuse(different, &search->progress[i], search->error);
}

/* The number of partitions. */

static bool check_count(const struct log_progress *progress, int count, uint32_t partition_count,
                        struct store_error *error)
{
    for (int i = 0; i < count; i++)
        if (progress[i].fold_version != 0 && progress[i].partition_count != partition_count)
            return fail_with(error, EX_CONFIG,
                             "partition %" PRIu32 ": the last commit was made when " EVENTS_TOPIC " had %" PRIu32
                             " partitions, and now it has %" PRIu32 "; " COUNT_IS_FIXED,
                             progress[i].partition, progress[i].partition_count, partition_count,
                             progress[i].partition_count);
    return true;
}

/* The last records of all partitions. */
static bool read_all(struct client *reader, uint32_t partition_count, struct log_progress *progress,
                     char (*owners)[OWNER_SIZE], struct store_error *error)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)partition_count);
    struct search *search = calloc(1, sizeof *search);
    if (search == NULL)
        abort();
    *search =
        (struct search){.reader = reader, .partitions = all, .progress = progress, .owners = owners, .error = error};
    for (uint32_t i = 0; i < partition_count; i++)
        rd_kafka_topic_partition_list_add(all, EVENTS_TOPIC, (int32_t)i);
    bool done = read_records(search);
    free(search);
    rd_kafka_topic_partition_list_destroy(all);
    return done;
}

/* A partition without a commit may be a new one among others that have some. */
static bool check_all_counts(struct client *reader, uint32_t partition_count, struct store_error *error)
{
    static struct log_progress progress[PARTITIONS_MAX];
    static char owners[PARTITIONS_MAX][OWNER_SIZE];
    return read_all(reader, partition_count, progress, owners, error) &&
           check_count(progress, (int)partition_count, partition_count, error);
}

bool committed_owners(struct client *reader, uint32_t partition_count, char (*owners)[OWNER_SIZE],
                      struct store_error *error)
{
    static struct log_progress progress[PARTITIONS_MAX];
    return read_all(reader, partition_count, progress, owners, error);
}

static bool has_new(const struct log_progress *progress, int count)
{
    for (int i = 0; i < count; i++)
        if (progress[i].fold_version == 0)
            return true;
    return false;
}

bool committed_read(struct client *consumer, struct client *reader, const rd_kafka_topic_partition_list_t *partitions,
                    uint32_t partition_count, struct log_progress *progress, char (*owners)[OWNER_SIZE],
                    struct store_error *error)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_copy(partitions);
    struct search *search = calloc(1, sizeof *search);
    if (search == NULL)
        abort();
    *search = (struct search){
        .reader = reader, .partitions = offsets, .progress = progress, .owners = owners, .error = error};
    bool done = read_agreeing(search, consumer, offsets) &&
                check_count(progress, offsets->cnt, partition_count, error) &&
                (!has_new(progress, offsets->cnt) || check_all_counts(reader, partition_count, error));
    free(search);
    rd_kafka_topic_partition_list_destroy(offsets);
    return done;
}
