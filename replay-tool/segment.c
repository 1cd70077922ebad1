/* segment.c - see segment.h. */
#include "replay-tool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <zstd.h>

#include "events/hex.h"
#include "processor/log_file_archive.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"

#define LEVEL          3                 /* zstd's own default */
#define LINES_OUT      ((size_t)1 << 18) /* bytes of lines compressed at once */
#define CHUNK          ((size_t)1 << 18) /* bytes decompressed at once: they stay in the cache until they are parsed */
#define LINE_MAX_BYTES ((size_t)1 << 30)

/* Writing. */

struct segment_writer {
    struct archive_segment segment;
    char *path, *new_path, *folder;
    int fd;
    ZSTD_CCtx *zstd;
    EVP_MD_CTX *hash;
    struct buffer lines;
    char *out; /* ZSTD_CStreamOutSize() bytes */
};

static struct segment_writer *new_writer(const char *dir, uint32_t partition, int64_t first_offset)
{
    char path[PATH_MAX];
    struct segment_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        abort();
    archive_segment_path(path, dir, partition, first_offset);
    *writer = (struct segment_writer){.segment = {.partition = partition, .first_offset = first_offset},
                                      .fd = -1,
                                      .zstd = ZSTD_createCCtx(),
                                      .hash = EVP_MD_CTX_new(),
                                      .out = malloc(ZSTD_CStreamOutSize())};
    if (asprintf(&writer->path, "%s", path) < 0 || asprintf(&writer->new_path, "%s.new", path) < 0 ||
        asprintf(&writer->folder, "%.*s", (int)(strrchr(path, '/') - path), path) < 0)
        abort();
    if (writer->zstd == NULL || writer->hash == NULL || writer->out == NULL)
        abort();
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
    if (EVP_DigestInit_ex(writer->hash, EVP_sha256(), NULL) != 1)
        abort();
    return writer;
}

static void free_writer(struct segment_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    ZSTD_freeCCtx(writer->zstd);
    EVP_MD_CTX_free(writer->hash);
    buffer_free(&writer->lines);
    free(writer->out);
    free(writer->path);
    free(writer->new_path);
    free(writer->folder);
    free(writer);
}

void segment_abandon(struct segment_writer *writer)
{
    unlink(writer->new_path);
    free_writer(writer);
}

struct segment_writer *segment_begin(const char *dir, uint32_t partition, int64_t first_offset,
                                     struct store_error *error)
{
    struct segment_writer *writer = new_writer(dir, partition, first_offset);
    if (!make_directories(writer->folder, error)) {
        free_writer(writer);
        return NULL;
    }
    writer->fd = open(writer->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd >= 0)
        return writer;
    fail_with_errno(error, errno, "make", writer->new_path);
    free_writer(writer);
    return NULL;
}

/* Compresses the lines so far; with ZSTD_e_end the frame is complete. */
static bool write_lines(struct segment_writer *writer, ZSTD_EndDirective how, struct store_error *error)
{
    ZSTD_inBuffer in = {writer->lines.at, writer->lines.len, 0};
    bool is_done = false;
    while (!is_done) {
        ZSTD_outBuffer out = {writer->out, ZSTD_CStreamOutSize(), 0};
        size_t left = ZSTD_compressStream2(writer->zstd, &out, &in, how);
        if (ZSTD_isError(left))
            return fail_with(error, EX_SOFTWARE, "cannot compress %s: %s", writer->path, ZSTD_getErrorName(left));
        if (!write_whole(writer->fd, writer->out, out.pos))
            return fail_with_errno(error, errno, "write", writer->new_path);
        if (EVP_DigestUpdate(writer->hash, writer->out, out.pos) != 1)
            abort();
        writer->segment.size += (int64_t)out.pos;
        is_done = how == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    writer->lines.len = 0;
    return true;
}

bool segment_put(struct segment_writer *writer, const struct fold_record *record, struct store_error *error)
{
    size_t before = writer->lines.len;
    archive_encode(&writer->lines, writer->segment.partition, record);
    buffer_append(&writer->lines, "\n", 1);
    writer->segment.bytes += (int64_t)(writer->lines.len - before);
    writer->segment.records++;
    writer->segment.next_offset = record->offset + 1;
    return writer->lines.len < LINES_OUT || write_lines(writer, ZSTD_e_continue, error);
}

int64_t segment_bytes(const struct segment_writer *writer)
{
    return writer->segment.bytes;
}

static bool name_segment(struct segment_writer *writer, struct store_error *error)
{
    FAIL_POINT("segment-written");
    if (!sync_file(writer->fd, writer->new_path, error))
        return false;
    if (rename(writer->new_path, writer->path) != 0)
        return fail_with_errno(error, errno, "name", writer->path);
    FAIL_POINT("segment-named");
    return sync_directory(writer->folder, error);
}

bool segment_finish(struct segment_writer *writer, struct archive_segment *segment, struct store_error *error)
{
    uint8_t sum[HASH_SIZE];
    if (!write_lines(writer, ZSTD_e_end, error) || !name_segment(writer, error)) {
        segment_abandon(writer);
        return false;
    }
    if (EVP_DigestFinal_ex(writer->hash, sum, NULL) != 1)
        abort();
    *segment = writer->segment;
    hex_encode(sum, sizeof sum, segment->sha256);
    free_writer(writer);
    return true;
}

/* Reading. */

struct segment_reader {
    const struct archive_segment *segment;
    char path[PATH_MAX];
    char *file;
    ZSTD_DCtx *zstd;
    ZSTD_inBuffer in;
    bool is_at_frame_end;
    char *lines; /* decompressed */
    size_t len, capacity;
    size_t at, scanned;     /* the next line begins at `at`; no newline in at..scanned */
    int64_t records, bytes; /* given out */
};

static bool fail_changed(const struct segment_reader *reader, struct store_error *error, const char *what,
                         int64_t found, int64_t wanted)
{
    return fail_with(error, EX_DATAERR,
                     "%s (offsets %" PRId64 " to %" PRId64 "): it has %" PRId64 " %s, the manifest says %" PRId64
                     ": the file was changed or cut",
                     reader->path, reader->segment->first_offset, reader->segment->next_offset - 1, found, what,
                     wanted);
}

static bool read_file(struct segment_reader *reader, struct store_error *error)
{
    struct stat status;
    int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        fail_with_errno(error, errno, "read", reader->path);
        error->code = EX_DATAERR;
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool fits = status.st_size == reader->segment->size ||
                fail_changed(reader, error, "bytes", status.st_size, reader->segment->size);
    size_t len = (size_t)reader->segment->size, got = 0;
    reader->file = malloc(fits && len > 0 ? len : 1);
    if (reader->file == NULL)
        abort();
    while (fits && got < len) {
        ssize_t more = read(fd, reader->file + got, len - got);
        if (more == 0 || (more < 0 && errno != EINTR))
            fits = fail_with_errno(error, more == 0 ? EIO : errno, "read", reader->path);
        got += more > 0 ? (size_t)more : 0;
    }
    close(fd);
    reader->in = (ZSTD_inBuffer){reader->file, len, 0};
    return fits;
}

static bool prove_file(const struct segment_reader *reader, struct store_error *error)
{
    uint8_t sum[HASH_SIZE];
    char hex[HASH_HEX];
    if (EVP_Digest(reader->file, reader->in.size, sum, NULL, EVP_sha256(), NULL) != 1)
        abort();
    hex_encode(sum, sizeof sum, hex);
    return memcmp(hex, reader->segment->sha256, HASH_HEX) == 0 ||
           fail_with(error, EX_DATAERR,
                     "%s (offsets %" PRId64 " to %" PRId64
                     "): its SHA-256 is %.*s, the manifest says %.*s: the file was changed",
                     reader->path, reader->segment->first_offset, reader->segment->next_offset - 1, HASH_HEX, hex,
                     HASH_HEX, reader->segment->sha256);
}

struct segment_reader *segment_open(const struct archive *archive, const struct archive_segment *segment,
                                    struct store_error *error)
{
    struct segment_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        abort();
    reader->segment = segment;
    archive_segment_path(reader->path, archive->dir, segment->partition, segment->first_offset);
    reader->zstd = ZSTD_createDCtx();
    reader->capacity = 2 * CHUNK;
    reader->lines = malloc(reader->capacity);
    if (reader->zstd == NULL || reader->lines == NULL)
        abort();
    if (read_file(reader, error) && prove_file(reader, error))
        return reader;
    segment_close(reader);
    return NULL;
}

void segment_close(struct segment_reader *reader)
{
    ZSTD_freeDCtx(reader->zstd);
    free(reader->file);
    free(reader->lines);
    free(reader);
}

/* The unfinished line comes to the front, and there is room for a chunk behind it. */
static void make_room(struct segment_reader *reader)
{
    memmove(reader->lines, reader->lines + reader->at, reader->len - reader->at);
    reader->len -= reader->at;
    reader->scanned -= reader->at;
    reader->at = 0;
    if (reader->capacity - reader->len >= CHUNK)
        return;
    reader->capacity = 2 * reader->len + CHUNK;
    reader->lines = realloc(reader->lines, reader->capacity);
    if (reader->lines == NULL)
        abort();
}

/* False at the end too: then error->code is EX_OK. */
static bool fill(struct segment_reader *reader, struct store_error *error)
{
    make_room(reader);
    error->code = EX_OK;
    if (reader->len > LINE_MAX_BYTES)
        return fail_with(error, EX_DATAERR, "%s holds a line of more than %zu bytes", reader->path, LINE_MAX_BYTES);
    ZSTD_outBuffer out = {reader->lines + reader->len, CHUNK, 0};
    while (out.pos < out.size && reader->in.pos < reader->in.size) {
        size_t left = ZSTD_decompressStream(reader->zstd, &out, &reader->in);
        if (ZSTD_isError(left))
            return fail_with(error, EX_DATAERR, "%s cannot be decompressed: %s", reader->path, ZSTD_getErrorName(left));
        reader->is_at_frame_end = left == 0;
    }
    while (out.pos < out.size && !reader->is_at_frame_end) {
        size_t before = out.pos, left = ZSTD_decompressStream(reader->zstd, &out, &reader->in);
        if (ZSTD_isError(left) || out.pos == before)
            return fail_with(error, EX_DATAERR, "%s ends within a frame of zstd", reader->path);
        reader->is_at_frame_end = left == 0;
    }
    reader->len += out.pos;
    return out.pos > 0;
}

/* What came out is held against the manifest. */
static enum segment_answer end(const struct segment_reader *reader, struct store_error *error)
{
    const struct archive_segment *segment = reader->segment;
    if (reader->at < reader->len)
        fail_with(error, EX_DATAERR, "%s ends within a line", reader->path);
    else if (reader->records != segment->records)
        fail_changed(reader, error, "records", reader->records, segment->records);
    else if (reader->bytes != segment->bytes)
        fail_changed(reader, error, "bytes of lines", reader->bytes, segment->bytes);
    else
        return SEGMENT_END;
    return SEGMENT_FAILED;
}

enum segment_answer segment_read(struct segment_reader *reader, struct text *line, struct store_error *error)
{
    const char *newline;
    while ((newline = memchr(reader->lines + reader->scanned, '\n', reader->len - reader->scanned)) == NULL) {
        reader->scanned = reader->len;
        if (!fill(reader, error))
            return error->code == EX_OK ? end(reader, error) : SEGMENT_FAILED;
    }
    size_t next = (size_t)(newline - reader->lines) + 1;
    *line = (struct text){reader->lines + reader->at, next - 1 - reader->at};
    reader->bytes += (int64_t)(next - reader->at);
    reader->records++;
    reader->at = reader->scanned = next;
    return SEGMENT_LINE;
}
