/* log_file_recall.c - see log_file_recall.h. */
#include "processor/log_file_recall.h"

#include <errno.h>
#include <stdlib.h>

#include "processor/attested.h"
#include "snapshots/files.h"

static bool open_file(struct recall *recall, const char *path, struct store_error *error)
{
    recall->file = fopen(path, "re");
    snprintf(recall->where, sizeof recall->where, "%s, line", path);
    return recall->file != NULL || fail_with_errno(error, errno, "read", path);
}

/* Is it one of that partition's, made after more inputs? What is none at all
 * is everybody's: it differs from any. */
static bool is_wanted(struct text line, uint32_t partition, int64_t inputs)
{
    uint32_t its_partition;
    int64_t its_inputs;
    return !attested_read(line, &its_partition, &its_inputs) || (its_partition == partition && its_inputs > inputs);
}

enum log_answer recall_next(struct recall *recall, const char *path, int64_t length, uint32_t partition, int64_t inputs,
                            struct log_published *published, struct store_error *error)
{
    ssize_t len;
    if (recall->file == NULL && !open_file(recall, path, error))
        return LOG_FAILED;
    while (ftello(recall->file) < length && (len = getline(&recall->line, &recall->room, recall->file)) > 0) {
        recall->lines++;
        const struct text line = {recall->line, (size_t)len - 1};
        if (!is_wanted(line, partition, inputs))
            continue;
        *published = (struct log_published){.line = line, .where = recall->where, .place = recall->lines};
        return LOG_RECORDS;
    }
    if (!ferror(recall->file))
        return LOG_END;
    fail_with_errno(error, EIO, "read", path);
    return LOG_FAILED;
}

void recall_close(struct recall *recall)
{
    if (recall->file != NULL)
        fclose(recall->file);
    free(recall->line);
}
