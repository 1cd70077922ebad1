/* log_file_outputs.c - see log_file_outputs.h. */
#include "processor/log_file_outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "processor/progress_json.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"

#define PROGRESS_LONG ((int64_t)1 << 18) /* bytes; beyond it old records are dropped at a sync */
#define PAGE          4096
#define WRITEBACK     ((int64_t)1 << 20) /* bytes */

#define X(symbol, word) word,
static const char *const topic_words[TOPIC_COUNT] = {OUTPUT_TOPICS(X)};
#undef X

/* One record of progress.jsonl: writing. */

static void encode_archive(struct buffer *buffer, const int64_t *offsets)
{
    const char *separator = ",\"archive\":{";
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (offsets[i] > 0) {
            append_format(buffer, "%s\"%zu\":%" PRId64, separator, i, offsets[i]);
            separator = ",";
        }
    buffer_text(buffer, "}");
}

static void encode_progress(struct buffer *buffer, const struct file_progress *progress)
{
    progress_open(buffer, progress->mark.position);
    append_format(buffer, "\"position\":%" PRId64 ",\"lines\":%" PRId64 ",\"check\":\"%016" PRIx64 "\",\"outputs\":{",
                  progress->mark.position, progress->mark.lines, progress->mark.check);
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        append_format(buffer, "%s\"%s\":%" PRId64, i > 0 ? "," : "", topic_words[i], progress->lengths[i]);
    buffer_text(buffer, "},\"partitions\":[");
    for (size_t i = 0; i < progress->count; i++) {
        buffer_text(buffer, i > 0 ? "," : "");
        progress_encode(buffer, &progress->partitions[i]);
    }
    buffer_text(buffer, "]");
    if (progress->has_archive)
        encode_archive(buffer, progress->archive_offsets);
    buffer_text(buffer, "}}\n");
}

/* One record of progress.jsonl: reading. */

static bool get_check(const json_t *object, uint64_t *check)
{
    const json_t *member = json_object_get(object, "check");
    if (!json_is_string(member))
        return false;
    *check = strtoull(json_string_value(member), NULL, 16);
    return true;
}

static bool decode_partitions(const json_t *array, struct file_progress *progress)
{
    size_t count = json_array_size(array);
    struct log_progress *partitions = calloc(count > 0 ? count : 1, sizeof *partitions);
    if (partitions == NULL)
        abort();
    bool complete = json_is_array(array) && count <= PARTITIONS_MAX;
    for (size_t i = 0; complete && i < count; i++)
        complete = progress_decode(json_array_get(array, i), &partitions[i]);
    progress->partitions = partitions;
    progress->count = count;
    return complete;
}

/* Partition numbers as names, offsets as values; nothing when no line was in archive form. */
static bool decode_archive(json_t *object, struct file_progress *progress)
{
    int64_t *offsets = calloc(PARTITIONS_MAX, sizeof *offsets);
    if (offsets == NULL)
        abort();
    progress->archive_offsets = offsets;
    progress->has_archive = object != NULL;
    const char *name;
    json_t *offset;
    json_object_foreach (object, name, offset) {
        unsigned long partition = strtoul(name, NULL, 10);
        if (partition >= PARTITIONS_MAX || !json_get_count(object, name, &offsets[partition]))
            return false;
    }
    return true;
}

static bool decode_data(const json_t *data, struct file_progress *progress)
{
    const json_t *lengths = json_object_get(data, "outputs");
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (!json_get_count(lengths, topic_words[i], &progress->lengths[i]))
            return false;
    return json_get_count(data, "position", &progress->mark.position) &&
           json_get_count(data, "lines", &progress->mark.lines) && get_check(data, &progress->mark.check) &&
           decode_partitions(json_object_get(data, "partitions"), progress) &&
           decode_archive(json_object_get(data, "archive"), progress);
}

bool file_progress_decode(struct text line, struct file_progress *progress)
{
    *progress = (struct file_progress){0};
    json_t *record = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
    bool complete = record != NULL && decode_data(json_object_get(record, "data"), progress);
    json_decref(record);
    if (!complete)
        file_progress_free(progress);
    return complete;
}

void file_progress_free(struct file_progress *progress)
{
    free((void *)(uintptr_t)progress->partitions);
    free((void *)(uintptr_t)progress->archive_offsets);
    progress->partitions = NULL;
    progress->archive_offsets = NULL;
    progress->count = 0;
}

/* progress.jsonl from its end. */

/* Cuts the last line off *text, which ends with a newline or is empty. */
static bool take_last_line(struct text *text, struct text *line)
{
    if (text->len == 0)
        return false;
    const char *before = memrchr(text->at, '\n', text->len - 1);
    size_t start = before != NULL ? (size_t)(before - text->at) + 1 : 0;
    *line = (struct text){text->at + start, text->len - start};
    text->len = start;
    return true;
}

/* Maps the first len bytes of a file, without what follows the last newline. */
static struct text map_lines(int fd, size_t len)
{
    void *map = len > 0 ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (map == MAP_FAILED)
        return TEXT_LIT("");
    const char *last = memrchr(map, '\n', len);
    return (struct text){map, last != NULL ? (size_t)(last - (char *)map) + 1 : 0};
}

static void unmap_lines(struct text mapped, size_t len)
{
    if (len > 0)
        munmap((void *)(uintptr_t)mapped.at, len);
}

static int64_t size_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : 0;
}

/* The first output file that is shorter than progress says; NULL when all are covered. */
static const struct output_file *too_short(const struct outputs *outputs, const struct file_progress *progress,
                                           int64_t *length)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (size_of(outputs->files[i].fd) < progress->lengths[i]) {
            *length = progress->lengths[i];
            return &outputs->files[i];
        }
    return NULL;
}

/* What no record of progress.jsonl accounts for is not ours to cut. */
static bool check_new(const struct outputs *outputs, struct store_error *error)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        int64_t size = size_of(outputs->files[i].fd);
        if (size > 0)
            return fail_with(error, EX_CONFIG,
                             "%s holds %" PRId64 " bytes, but %s says nothing of them; name an empty directory, or "
                             "remove the outputs and the state directory to fold again from the first event",
                             outputs->files[i].path, size, outputs->progress.path);
    }
    return true;
}

/* Leaves the newest record that is covered in *holds. */
static bool find_holding(struct outputs *outputs, struct text lines, struct file_progress *holds,
                         struct store_error *error)
{
    struct text line;
    while (take_last_line(&lines, &line)) {
        if (!file_progress_decode(line, holds))
            continue;
        int64_t length = 0;
        const struct output_file *file = too_short(outputs, holds, &length);
        if (file == NULL) {
            outputs->progress.length = (int64_t)(lines.len + line.len);
            buffer_append(&outputs->last, line.at, line.len);
            return true;
        }
        if (outputs->shortage[0] == '\0')
            snprintf(outputs->shortage, sizeof outputs->shortage,
                     "%s holds %" PRId64 " bytes of %" PRId64 " that were committed; ", file->path, size_of(file->fd),
                     length);
        file_progress_free(holds);
    }
    *holds = (struct file_progress){0};
    if (outputs->shortage[0] == '\0')
        return check_new(outputs, error);
    return fail_with(error, EX_CONFIG,
                     "%sbring the file back, or remove the outputs and the state directory to fold again from the "
                     "first event",
                     outputs->shortage);
}

bool outputs_find(struct outputs *outputs, int64_t position, struct file_progress *found)
{
    size_t len = (size_t)outputs->progress.length;
    struct text mapped = map_lines(outputs->progress.fd, len), lines = mapped, line;
    bool there = false;
    while (!there && take_last_line(&lines, &line)) {
        if (!file_progress_decode(line, found))
            continue;
        there = found->mark.position == position;
        if (!there)
            file_progress_free(found);
    }
    if (there)
        buffer_append(&outputs->synced, line.at, line.len);
    unmap_lines(mapped, len);
    return there;
}

/* Opening, cutting, closing. */

static bool open_one(struct output_file *file, const char *dir, const char *name, struct store_error *error)
{
    if (asprintf(&file->path, "%s/%s.jsonl", dir, name) < 0)
        abort();
    file->fd = open(file->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return file->fd >= 0 || fail_with_errno(error, errno, "open", file->path);
}

static bool lock_directory(struct outputs *outputs, struct store_error *error)
{
    outputs->lock = open(outputs->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (outputs->lock < 0)
        return fail_with_errno(error, errno, "open the directory", outputs->dir);
    if (lock_exclusively(outputs->lock))
        return true;
    return fail_with(error, EX_CONFIG,
                     "another process writes its outputs to %s; stop that one first, or name another directory",
                     outputs->dir);
}

static bool open_all(struct outputs *outputs, struct store_error *error)
{
    outputs->lock = -1;
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        outputs->files[i].fd = -1;
    outputs->progress.fd = -1;
    if (!make_directories(outputs->dir, error) || !lock_directory(outputs, error))
        return false;
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (!open_one(&outputs->files[i], outputs->dir, topic_words[i], error))
            return false;
    return open_one(&outputs->progress, outputs->dir, "progress", error);
}

bool outputs_open(struct outputs *outputs, const char *dir, struct file_progress *holds, struct store_error *error)
{
    *outputs = (struct outputs){.dir = dir};
    *holds = (struct file_progress){0};
    bool opened = open_all(outputs, error);
    if (opened) {
        size_t len = (size_t)size_of(outputs->progress.fd);
        struct text lines = map_lines(outputs->progress.fd, len);
        opened = find_holding(outputs, lines, holds, error);
        unmap_lines(lines, len);
    }
    if (!opened)
        outputs_close(outputs);
    return opened;
}

static void close_one(struct output_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    buffer_free(&file->pending);
}

void outputs_close(struct outputs *outputs)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        close_one(&outputs->files[i]);
    close_one(&outputs->progress);
    if (outputs->lock >= 0)
        close(outputs->lock);
    buffer_free(&outputs->last);
    buffer_free(&outputs->synced);
}

/* What is left may be of a process that was killed before it could sync it. */
static bool cut_one(struct output_file *file, int64_t length, struct store_error *error)
{
    file->length = file->begun = length;
    file->unsynced = true;
    return ftruncate(file->fd, length) == 0 || fail_with_errno(error, errno, "cut back", file->path);
}

bool outputs_cut(struct outputs *outputs, const struct file_progress *holds, struct store_error *error)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (!cut_one(&outputs->files[i], holds->lengths[i], error))
            return false;
    if (!cut_one(&outputs->progress, outputs->progress.length, error))
        return false;
    if (outputs->progress.length > 0)
        return true;
    struct file_progress first = *holds;
    return outputs_commit(outputs, &first, error) && outputs_sync(outputs, error) &&
           sync_directory(outputs->dir, error);
}

/* Committing. */

void outputs_append(struct outputs *outputs, enum output_topic topic, struct text line)
{
    buffer_append(&outputs->files[topic].pending, line.at, line.len);
    buffer_append(&outputs->files[topic].pending, "\n", 1);
}

/* The disk may begin with what a sync will wait for; not with every few lines, for it would write the
 * last page again and again. That it could not is the sync's to say. */
static void begin_writeback(struct output_file *file)
{
    int64_t whole = file->length - file->length % PAGE;
    if (whole - file->begun < WRITEBACK)
        return;
    (void)sync_file_range(file->fd, file->begun, whole - file->begun, SYNC_FILE_RANGE_WRITE);
    file->begun = whole;
}

static bool write_pending(struct output_file *file, struct store_error *error)
{
    if (!write_whole(file->fd, file->pending.at, file->pending.len))
        return fail_with_errno(error, errno, "write", file->path);
    file->length += (int64_t)file->pending.len;
    file->pending.len = 0;
    file->unsynced = true;
    begin_writeback(file);
    return true;
}

bool outputs_commit(struct outputs *outputs, struct file_progress *progress, struct store_error *error)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        if (outputs->files[i].pending.len > 0) {
            if (!write_pending(&outputs->files[i], error))
                return false;
            FAIL_POINT("between-outputs");
        }
        progress->lengths[i] = outputs->files[i].length;
    }
    FAIL_POINT("after-outputs");
    outputs->last.len = 0;
    encode_progress(&outputs->last, progress);
    buffer_append(&outputs->progress.pending, outputs->last.at, outputs->last.len);
    if (!write_pending(&outputs->progress, error))
        return false;
    FAIL_POINT("after-progress");
    return true;
}

static bool sync_one(struct output_file *file, struct store_error *error)
{
    if (file->unsynced && !sync_file(file->fd, file->path, error))
        return false;
    file->unsynced = false;
    return true;
}

/* Keeps the records of the last two syncs: a checkpoint that is cut short
 * leaves some partitions at the one and some at the other. */
static bool shorten_progress(struct outputs *outputs, struct store_error *error)
{
    char path[PATH_MAX];
    struct output_file *progress = &outputs->progress;
    snprintf(path, sizeof path, "%s.new", progress->path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_with_errno(error, errno, "open", path);
    if (!write_whole(fd, outputs->synced.at, outputs->synced.len) ||
        !write_whole(fd, outputs->last.at, outputs->last.len)) {
        close(fd);
        return fail_with_errno(error, errno, "write", path);
    }
    if (!sync_file(fd, path, error)) {
        close(fd);
        return false;
    }
    close(progress->fd);
    progress->fd = fd;
    progress->length = progress->begun = (int64_t)(outputs->synced.len + outputs->last.len);
    if (rename(path, progress->path) != 0)
        return fail_with_errno(error, errno, "replace", progress->path);
    return sync_directory(outputs->dir, error);
}

bool outputs_sync(struct outputs *outputs, struct store_error *error)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (!sync_one(&outputs->files[i], error))
            return false;
    if (!sync_one(&outputs->progress, error))
        return false;
    if (outputs->progress.length > PROGRESS_LONG && !shorten_progress(outputs, error))
        return false;
    outputs->synced.len = 0;
    buffer_append(&outputs->synced, outputs->last.at, outputs->last.len);
    return true;
}
