/* segment.h - one segment of an archive: written record by record, read line by line.
 *
 * A segment that is read has proved itself first: its size and SHA-256 are
 * those of the manifest, and the bytes that were hashed are those that are
 * used. At its end its lines are held against the manifest too.
 */
#ifndef CALLFOLD_REPLAY_TOOL_SEGMENT_H
#define CALLFOLD_REPLAY_TOOL_SEGMENT_H

#include "replay-tool/archive.h"

/* Writing. */

struct segment_writer;

/* Begins DIR/partition-N/FIRST_OFFSET.jsonl.zst, under another name. NULL on error. */
struct segment_writer *segment_begin(const char *dir, uint32_t partition, int64_t first_offset,
                                     struct store_error *error);
bool segment_put(struct segment_writer *writer, const struct fold_record *record, struct store_error *error);
/* Bytes of lines so far. */
int64_t segment_bytes(const struct segment_writer *writer);
/* Ends, syncs and names it; *segment is for the manifest. Frees the writer, on
 * error too. */
bool segment_finish(struct segment_writer *writer, struct archive_segment *segment, struct store_error *error);
/* Frees the writer and removes what it wrote. */
void segment_abandon(struct segment_writer *writer);

/* Reading. */

struct segment_reader;
enum segment_answer { SEGMENT_LINE, SEGMENT_END, SEGMENT_FAILED };

/* Reads the file into memory and proves it. EX_DATAERR when it is another one. */
struct segment_reader *segment_open(const struct archive *archive, const struct archive_segment *segment,
                                    struct store_error *error);
/* The next line without its newline, valid until the next call. */
enum segment_answer segment_read(struct segment_reader *reader, struct text *line, struct store_error *error);
void segment_close(struct segment_reader *reader);

#endif
