/* archiving.c - see archiving.h. */
#include "replay-tool/archiving.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "replay-tool/interrupt.h"
#include "replay-tool/segment.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define WRITERS_MOST 64 /* each has megabytes of memory */

struct archiving {
    struct archive *archive;
    struct source *source;
    int64_t segment_bytes;
    struct segment_writer *writers[PARTITIONS_MAX]; /* NULL: nothing new yet */
    size_t open;                                    /* writers */
    int64_t records;
    struct progress progress;
    struct store_error *error;
};

/* Is this the source that the archive was made from? */
static bool check_source(const struct archiving *archiving)
{
    struct archive *archive = archiving->archive;
    const struct source *source = archiving->source;
    if (archive->count == 0) {
        free(archive->cluster);
        archive->cluster = strdup(source->cluster);
        archive->partition_count = source->partition_count;
        return true;
    }
    if (strcmp(archive->cluster, source->cluster) != 0)
        return fail_with(archiving->error, EX_CONFIG,
                         "the archive %s is of %s%s, but this is %s%s; name another directory", archive->dir,
                         archive->cluster[0] != '\0' ? "Kafka cluster " : "a file", archive->cluster,
                         source->cluster[0] != '\0' ? "Kafka cluster " : "a file", source->cluster);
    return archive->partition_count == source->partition_count ||
           fail_with(archiving->error, EX_CONFIG,
                     "the archive %s is of %" PRIu32 " partitions, but there are %" PRIu32 " (0 = not given)",
                     archive->dir, archive->partition_count, source->partition_count);
}

/* Every partition goes on where its last segment ends. */
static bool begin_partitions(const struct archiving *archiving)
{
    const struct archive *archive = archiving->archive;
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        int64_t next = archive_next_offset(archive, i);
        if (next > 0 && !archiving->source->does->begin(archiving->source, i, next, &archive->mark)) {
            *archiving->error = archiving->source->error;
            return false;
        }
    }
    return true;
}

static bool finish(struct archiving *archiving, uint32_t partition)
{
    struct archive_segment segment;
    struct segment_writer *writer = archiving->writers[partition];
    archiving->writers[partition] = NULL;
    if (writer == NULL)
        return true;
    archiving->open--;
    if (!segment_finish(writer, &segment, archiving->error))
        return false;
    archive_add(archiving->archive, &segment);
    return archive_write(archiving->archive, archiving->error);
}

static bool finish_each(struct archiving *archiving)
{
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++)
        if (!finish(archiving, i))
            return false;
    return true;
}

static struct segment_writer *begin(struct archiving *archiving, uint32_t partition, int64_t offset)
{
    if (archiving->open == WRITERS_MOST && !finish_each(archiving))
        return NULL;
    struct segment_writer *writer = segment_begin(archiving->archive->dir, partition, offset, archiving->error);
    if (writer != NULL)
        archiving->open++;
    return writer;
}

static bool take(struct archiving *archiving, const struct log_record *record)
{
    uint32_t partition = record->partition;
    struct segment_writer **writer = &archiving->writers[partition];
    if (*writer == NULL) {
        int64_t next = archive_next_offset(archiving->archive, partition);
        if (record->record.offset < next)
            return true; /* it is there already */
        *writer = begin(archiving, partition, next);
    }
    if (*writer == NULL || !segment_put(*writer, &record->record, archiving->error))
        return false;
    archiving->records++;
    return segment_bytes(*writer) < archiving->segment_bytes || finish(archiving, partition);
}

static bool take_all(struct archiving *archiving)
{
    struct source *source = archiving->source;
    struct source_batch batch;
    enum source_answer answer;
    while ((answer = source->does->read(source, &batch)) == SOURCE_RECORDS) {
        for (size_t i = 0; i < batch.count; i++)
            if (!take(archiving, &batch.records[i]))
                return false;
        progress_show(&archiving->progress, batch.done, batch.total, archiving->records);
        if (interrupt_check(archiving->error))
            return false;
    }
    if (answer == SOURCE_FAILED)
        *archiving->error = source->error;
    return answer == SOURCE_END;
}

/* All that was read is in segments now: the next run may begin behind it. */
static bool finish_all(struct archiving *archiving)
{
    if (!finish_each(archiving))
        return false;
    const struct log_mark *mark = archiving->source->does->mark(archiving->source);
    if (mark != NULL && mark->position > archiving->archive->mark.position)
        archiving->archive->mark = *mark;
    return archive_write(archiving->archive, archiving->error);
}

static bool add(struct archiving *archiving)
{
    progress_begin(&archiving->progress, "archiving", "events");
    bool done = check_source(archiving) && begin_partitions(archiving) && take_all(archiving) && finish_all(archiving);
    progress_end(&archiving->progress);
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (archiving->writers[i] != NULL)
            segment_abandon(archiving->writers[i]);
    return done;
}

static int lock_directory(const char *dir, struct store_error *error)
{
    if (!make_directories(dir, error))
        return -1;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fail_with_errno(error, errno, "open the directory", dir);
        return -1;
    }
    if (lock_exclusively(fd))
        return fd;
    close(fd);
    fail_with(error, EX_CONFIG, "another process adds to the archive %s; run this again when it has ended", dir);
    return -1;
}

bool archiving_run(const struct source_options *options, const char *dir, int64_t segment_bytes,
                   struct archive *archive, struct store_error *error)
{
    struct archiving *archiving = calloc(1, sizeof *archiving);
    if (archiving == NULL)
        abort();
    *archiving = (struct archiving){.archive = archive, .segment_bytes = segment_bytes, .error = error};
    *archive = (struct archive){0};
    int lock = lock_directory(dir, error);
    bool done = lock >= 0 && archive_read(archive, dir, error);
    if (done)
        archiving->source = source_open(options, error);
    done = archiving->source != NULL && add(archiving);
    if (archiving->source != NULL)
        archiving->source->does->close(archiving->source);
    if (lock >= 0)
        close(lock);
    free(archiving);
    return done;
}

/* Proving. */

bool archiving_prove(const struct archive *archive, struct store_error *error)
{
    const struct source_options options = {.events = archive->dir};
    struct source_batch batch;
    enum source_answer answer;
    struct progress progress;
    int64_t records = 0;
    struct source *source = source_archive_open(&options, error);
    if (source == NULL)
        return false;
    progress_begin(&progress, "checking", "events");
    while ((answer = source->does->read(source, &batch)) == SOURCE_RECORDS) {
        records += (int64_t)batch.count;
        progress_show(&progress, batch.done, batch.total, records);
    }
    progress_end(&progress);
    if (answer == SOURCE_FAILED)
        *error = source->error;
    source->does->close(source);
    return answer == SOURCE_END;
}
