/* archive.h - a log kept as compressed files that need none of our code to be read.
 *
 *     DIR/partition-N/FIRST_OFFSET.jsonl.zst   segments: records in archive form, one a line
 *     DIR/manifest.json                        the segments: offsets, records, sizes, SHA-256
 *     DIR/SHA256SUMS                           the same hashes for `sha256sum -c SHA256SUMS`
 *
 *     zstdcat DIR/partition-0/0*.zst | jq -r .value
 *
 * The segments of a partition follow each other without a gap: each begins at
 * the offset where the one before ends. A segment is written under another
 * name, synced and renamed; it counts once the manifest, replaced in the same
 * way, names it. Whoever keeps the manifest's own hash can tell that nothing
 * of the archive was changed.
 */
#ifndef CALLFOLD_REPLAY_TOOL_ARCHIVE_H
#define CALLFOLD_REPLAY_TOOL_ARCHIVE_H

#include <limits.h>

#include "events/output.h"
#include "processor/log.h"

#define ARCHIVE_FORMAT   1
#define ARCHIVE_MANIFEST "manifest.json"

struct archive_segment {
    uint32_t partition;
    int64_t first_offset, next_offset; /* its records' offsets lie in [first_offset, next_offset) */
    int64_t records;
    int64_t bytes;         /* of its lines */
    int64_t size;          /* of the file */
    char sha256[HASH_HEX]; /* of the file, hex */
};

struct archive {
    const char *dir; /* borrowed */
    uint32_t partition_count;
    char *cluster;                    /* of Kafka, whose offsets these are; "" for a file's */
    struct log_mark mark;             /* of a file: where the last run ended */
    struct archive_segment *segments; /* by partition, then by offset */
    size_t count;
};

/* True when there is a manifest in the directory. */
bool archive_exists(const char *dir);
/* Reads the manifest and checks that the segments follow each other. Without a
 * manifest the archive is empty. archive_release in either case. EX_DATAERR: it is
 * no manifest of ours. */
bool archive_read(struct archive *archive, const char *dir, struct store_error *error);
/* Replaces manifest.json and SHA256SUMS. */
bool archive_write(const struct archive *archive, struct store_error *error);
void archive_release(struct archive *archive);

/* Adds a segment behind those of its partition. */
void archive_add(struct archive *archive, const struct archive_segment *segment);
/* The segments of a partition; *count of them, none: NULL. */
const struct archive_segment *archive_segments(const struct archive *archive, uint32_t partition, size_t *count);
/* Where the partition's last segment ends; 0 without one. */
int64_t archive_next_offset(const struct archive *archive, uint32_t partition);

void archive_segment_path(char path[PATH_MAX], const char *dir, uint32_t partition, int64_t first_offset);

#endif
