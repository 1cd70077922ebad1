/* attested.c - see attested.h. */
#include "processor/attested.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "snapshots/files.h"

static struct text text_in(const struct buffer *buffer)
{
    return (struct text){buffer->at, buffer->len};
}

static bool read_next(struct attested *attested, struct log *log, uint32_t partition, struct store_error *error)
{
    struct log_published published;
    enum log_answer answer = log->does->recall(log, partition, attested->inputs, &published);
    if (answer == LOG_FAILED) {
        *error = log->error;
        return false;
    }
    attested->is_read = true;
    attested->line.len = 0;
    if (answer == LOG_END)
        return true;
    attested->where = published.where;
    attested->place = published.place;
    buffer_append(&attested->line, published.line.at, published.line.len);
    return true;
}

/* The number after the first member of that name, which is written with its
 * quotes and colon. */
static bool read_member(struct text line, const char *name, int64_t *number)
{
    char digits[24] = "";
    const char *member = memmem(line.at, line.len, name, strlen(name));
    if (member == NULL)
        return false;
    member += strlen(name);
    size_t left = line.len - (size_t)(member - line.at);
    memcpy(digits, member, left < sizeof digits - 1 ? left : sizeof digits - 1);
    return sscanf(digits, "%" SCNd64, number) == 1;
}

bool attested_read(struct text line, uint32_t *partition, int64_t *inputs)
{
    int64_t number;
    if (!read_member(line, "\"partition\":", &number) || !read_member(line, "\"inputs\":", inputs))
        return false;
    *partition = (uint32_t)number;
    return true;
}

static bool differ(const struct attested *attested, const struct output_list *outputs, struct store_error *error)
{
    bool is_there = attested->line.len > 0;
    return fail_with(error, EX_SOFTWARE,
                     "partition %" PRIu32 ", offset %" PRId64
                     ": folded again, its attestation differs from what was published; nothing was committed: the log, "
                     "the state or the attestations are not what they were; published (%s %" PRId64
                     "): %.*s; folded again: %.*s",
                     outputs->partition, outputs->offset, is_there ? attested->where : "none after place",
                     attested->place, TEXT_ARGS(text_in(&attested->line)), TEXT_ARGS(text_in(&attested->again)));
}

/* Older than all that the log has kept. */
static bool is_forgotten(const struct attested *attested, const struct log *log, int64_t inputs)
{
    uint32_t partition;
    int64_t oldest;
    return log->does->forgets && !attested->has_matched &&
           (attested->line.len == 0 ||
            (attested_read(text_in(&attested->line), &partition, &oldest) && oldest > inputs));
}

static bool agree(struct attested *attested, struct log *log, const struct output_list *outputs, size_t index,
                  struct store_error *error)
{
    if (!attested->is_read && !read_next(attested, log, outputs->partition, error))
        return false;
    attested->again.len = 0;
    output_encode(&attested->again, outputs, index);
    if (is_forgotten(attested, log, outputs->items[index].data.attested.inputs))
        return true;
    if (!text_equal(text_in(&attested->line), text_in(&attested->again)))
        return differ(attested, outputs, error);
    attested->has_matched = true;
    attested->is_read = false;
    return true;
}

bool attested_agree(struct attested *attested, struct log *log, const struct output_list *outputs,
                    struct store_error *error)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].type == OUTPUT_STATE_ATTESTED && !agree(attested, log, outputs, i, error))
            return false;
    return true;
}

void attested_free(struct attested *attested)
{
    buffer_free(&attested->line);
    buffer_free(&attested->again);
}
