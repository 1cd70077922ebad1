/* published.h - what the meter published, read back topic by topic.
 *
 * Either the files of an output directory of `callfold run --out`, or the
 * topics on Kafka up to where they stood when they were opened. Each partition
 * of a topic is a sequence of its own, in the order in which it was published,
 * and is read with a cursor of its own, in any interleaving:
 *
 *     const struct published_options from = {.outputs = "out"};
 *     struct published *published = published_open(&from, PUBLISHED(TOPIC_LEDGER), &error);
 *     while (published_next(published, TOPIC_LEDGER, 0, &record, &error) == PUBLISHED_RECORD) ...
 *
 * Nothing is believed: a value may be any bytes. In a file, a line belongs to
 * the partition that its id begins with, and to that of the line before it when
 * it has none; a last line without its newline is no record.
 */
#ifndef CALLFOLD_REPLAY_TOOL_PUBLISHED_H
#define CALLFOLD_REPLAY_TOOL_PUBLISHED_H

#include "events/output.h"
#include "replay-tool/source.h"

struct published_options {
    const char *outputs;                 /* a directory; NULL: the topics of */
    const struct source_options *source; /* source->kafka */
};
#define OUTPUTS_OPTION_SPEC(outputs)                                                   \
    {                                                                                  \
        .name = "outputs", .kind = OPTION_TEXT, .target = &(outputs), .value = "DIR",  \
        .help = "what was published: the directory that callfold run\n--out was given" \
    }

#define PUBLISHED(topic) (1u << (topic))
#define PUBLISHED_ALL    ((1u << TOPIC_COUNT) - 1)

struct published_record {
    int64_t offset;    /* in its topic's partition; in a file the line's number from 0, all partitions counted */
    struct text value; /* valid until the cursor's next record */
};
enum published_answer { PUBLISHED_RECORD, PUBLISHED_END, PUBLISHED_FAILED };

struct published;

/* topics: a set of PUBLISHED(...). NULL on error. */
struct published *published_open(const struct published_options *options, unsigned topics, struct store_error *error);
/* NULL is let be. */
void published_close(struct published *published);
/* What messages call a topic: "out/ledger.jsonl" or "callfold.ledger". */
const char *published_name(const struct published *published, enum output_topic topic);
/* Up to which offset of the events (exclusive) the meter says it has published
 * everything; -1 when nothing says so. False on error. */
bool published_reach(struct published *published, uint32_t partition, int64_t *next_offset, struct store_error *error);
/* True when the topic no longer holds what was published first. */
bool published_is_shortened(const struct published *published, enum output_topic topic, uint32_t partition);
/* True when only the last record of a key is sure to be there. */
bool published_is_compacted(const struct published *published, enum output_topic topic);
enum published_answer published_next(struct published *published, enum output_topic topic, uint32_t partition,
                                     struct published_record *record, struct store_error *error);

/* The "<partition>:<offset>:<n>" that an output as we write it begins with;
 * false when the value does not. */
bool published_id(struct text value, uint32_t *partition, int64_t *offset, uint32_t *n);

#endif
