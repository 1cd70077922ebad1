/* archive.c - the manifest; see archive.h. */
#include "replay-tool/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "processor/progress_json.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"

void archive_segment_path(char path[PATH_MAX], const char *dir, uint32_t partition, int64_t first_offset)
{
    snprintf(path, PATH_MAX, "%s/partition-%" PRIu32 "/%020" PRId64 ".jsonl.zst", dir, partition, first_offset);
}

static void path_in(char path[PATH_MAX], const struct archive *archive, const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", archive->dir, name);
}

bool archive_exists(const char *dir)
{
    char path[PATH_MAX];
    const struct archive archive = {.dir = dir};
    path_in(path, &archive, ARCHIVE_MANIFEST);
    return access(path, F_OK) == 0;
}

void archive_release(struct archive *archive)
{
    free(archive->cluster);
    free(archive->segments);
    archive->cluster = NULL;
    archive->segments = NULL;
    archive->count = 0;
}

/* Segments. */

void archive_add(struct archive *archive, const struct archive_segment *segment)
{
    struct archive_segment *grown = realloc(archive->segments, (archive->count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    archive->segments = grown;
    size_t at = archive->count;
    while (at > 0 && grown[at - 1].partition > segment->partition)
        at--;
    memmove(grown + at + 1, grown + at, (archive->count - at) * sizeof *grown);
    grown[at] = *segment;
    archive->count++;
}

const struct archive_segment *archive_segments(const struct archive *archive, uint32_t partition, size_t *count)
{
    size_t first = 0;
    while (first < archive->count && archive->segments[first].partition < partition)
        first++;
    *count = 0;
    while (first + *count < archive->count && archive->segments[first + *count].partition == partition)
        ++*count;
    return *count > 0 ? &archive->segments[first] : NULL;
}

int64_t archive_next_offset(const struct archive *archive, uint32_t partition)
{
    size_t count;
    const struct archive_segment *segments = archive_segments(archive, partition, &count);
    return count > 0 ? segments[count - 1].next_offset : 0;
}

/* Reading. */

static bool get_hex(const json_t *object, const char *name, char *digits, size_t len)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_string(member) || json_string_length(member) != len ||
        strspn(json_string_value(member), "0123456789abcdef") != len)
        return false;
    memcpy(digits, json_string_value(member), len);
    return true;
}

static bool decode_segment(const json_t *object, struct archive_segment *segment)
{
    int64_t partition;
    *segment = (struct archive_segment){0};
    if (!json_get_count(object, "partition", &partition) || partition >= PARTITIONS_MAX)
        return false;
    segment->partition = (uint32_t)partition;
    return json_get_count(object, "first_offset", &segment->first_offset) &&
           json_get_count(object, "next_offset", &segment->next_offset) &&
           json_get_count(object, "records", &segment->records) && json_get_count(object, "bytes", &segment->bytes) &&
           json_get_count(object, "size", &segment->size) && get_hex(object, "sha256", segment->sha256, HASH_HEX);
}

static bool decode_mark(const json_t *object, struct log_mark *mark)
{
    char check[17] = "";
    if (!json_get_count(object, "position", &mark->position) || !json_get_count(object, "lines", &mark->lines) ||
        !get_hex(object, "check", check, 16))
        return false;
    mark->check = strtoull(check, NULL, 16);
    return true;
}

static bool decode_manifest(struct archive *archive, const json_t *manifest)
{
    int64_t format, partition_count;
    const char *cluster = json_string_value(json_object_get(manifest, "cluster"));
    const json_t *segments = json_object_get(manifest, "segments"), *object;
    size_t i;
    if (!json_get_count(manifest, "format", &format) || format != ARCHIVE_FORMAT || cluster == NULL ||
        !json_get_count(manifest, "partition_count", &partition_count) || partition_count > PARTITIONS_MAX ||
        !decode_mark(json_object_get(manifest, "mark"), &archive->mark) || !json_is_array(segments))
        return false;
    archive->partition_count = (uint32_t)partition_count;
    free(archive->cluster);
    archive->cluster = strdup(cluster);
    json_array_foreach (segments, i, object) {
        struct archive_segment segment;
        if (!decode_segment(object, &segment))
            return false;
        archive_add(archive, &segment);
    }
    return true;
}

static bool check_order(const struct archive *archive, struct store_error *error)
{
    for (size_t i = 0; i < archive->count; i++) {
        const struct archive_segment *segment = &archive->segments[i];
        bool is_first = i == 0 || archive->segments[i - 1].partition != segment->partition;
        int64_t begins = is_first ? 0 : archive->segments[i - 1].next_offset;
        if (segment->first_offset != begins || segment->next_offset <= begins || segment->records == 0)
            return fail_with(error, EX_DATAERR,
                             "%s/" ARCHIVE_MANIFEST ": partition %" PRIu32 ": a segment should begin at offset %" PRId64
                             ", the next one there is has offsets %" PRId64 " to %" PRId64
                             ": a segment is missing, or the manifest was changed",
                             archive->dir, segment->partition, begins, segment->first_offset, segment->next_offset - 1);
    }
    return true;
}

bool archive_read(struct archive *archive, const char *dir, struct store_error *error)
{
    char path[PATH_MAX];
    json_error_t fault;
    *archive = (struct archive){.dir = dir, .cluster = strdup("")};
    path_in(path, archive, ARCHIVE_MANIFEST);
    if (access(path, F_OK) != 0)
        return errno == ENOENT || fail_with_errno(error, errno, "read", path);
    json_t *manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);
    bool decoded = manifest != NULL && decode_manifest(archive, manifest);
    if (manifest == NULL)
        fail_with(error, EX_DATAERR, "%s, line %d: %s", path, fault.line, fault.text);
    else if (!decoded)
        fail_with(error, EX_DATAERR, "%s is no manifest of an archive of format %d", path, ARCHIVE_FORMAT);
    json_decref(manifest);
    return decoded && check_order(archive, error);
}

/* Writing. */

static void encode_segment(struct buffer *buffer, const struct archive_segment *segment)
{
    append_format(buffer,
                  "{\"file\":\"partition-%" PRIu32 "/%020" PRId64 ".jsonl.zst\",\"partition\":%" PRIu32
                  ",\"first_offset\":%" PRId64 ",\"next_offset\":%" PRId64 ",\"records\":%" PRId64 ",\"bytes\":%" PRId64
                  ",\"size\":%" PRId64 ",\"sha256\":\"%.*s\"}",
                  segment->partition, segment->first_offset, segment->partition, segment->first_offset,
                  segment->next_offset, segment->records, segment->bytes, segment->size, HASH_HEX, segment->sha256);
}

static void encode_manifest(struct buffer *buffer, const struct archive *archive)
{
    append_format(buffer, "{\"format\":%d,\"cluster\":", ARCHIVE_FORMAT);
    buffer_json_string(buffer, text_of(archive->cluster));
    append_format(buffer,
                  ",\"partition_count\":%" PRIu32 ",\"mark\":{\"position\":%" PRId64 ",\"lines\":%" PRId64
                  ",\"check\":\"%016" PRIx64 "\"},\"segments\":[",
                  archive->partition_count, archive->mark.position, archive->mark.lines, archive->mark.check);
    for (size_t i = 0; i < archive->count; i++) {
        buffer_text(buffer, i > 0 ? ",\n" : "\n");
        encode_segment(buffer, &archive->segments[i]);
    }
    buffer_text(buffer, "\n]}\n");
}

static void encode_sums(struct buffer *buffer, const struct archive *archive)
{
    for (size_t i = 0; i < archive->count; i++)
        append_format(buffer, "%.*s  partition-%" PRIu32 "/%020" PRId64 ".jsonl.zst\n", HASH_HEX,
                      archive->segments[i].sha256, archive->segments[i].partition, archive->segments[i].first_offset);
}

/* Under another name first: what is under its own is always whole. */
static bool replace_file(const struct archive *archive, const char *name, const struct buffer *content,
                         struct store_error *error)
{
    char path[PATH_MAX], new_path[PATH_MAX + 8];
    path_in(path, archive, name);
    snprintf(new_path, sizeof new_path, "%s.new", path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_with_errno(error, errno, "make", new_path);
    bool done = write_whole(fd, content->at, content->len) || fail_with_errno(error, errno, "write", new_path);
    done = done && sync_file(fd, new_path, error);
    close(fd);
    if (!done)
        return false;
    FAIL_POINT("archive-replacing");
    return (rename(new_path, path) == 0 || fail_with_errno(error, errno, "replace", path)) &&
           sync_directory(archive->dir, error);
}

bool archive_write(const struct archive *archive, struct store_error *error)
{
    struct buffer manifest = {0}, sums = {0};
    encode_manifest(&manifest, archive);
    encode_sums(&sums, archive);
    bool done = replace_file(archive, ARCHIVE_MANIFEST, &manifest, error);
    FAIL_POINT("archive-counted");
    done = done && replace_file(archive, "SHA256SUMS", &sums, error);
    buffer_free(&manifest);
    buffer_free(&sums);
    return done;
}
