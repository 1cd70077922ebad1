/* log_file_records.h - a line of an events file to a record of its partition.
 *
 * A line is a bare event, of partition 0, its line number its offset; or it is
 * in archive form (log_file_archive.h) and says both itself. Offsets in archive
 * form only grow along a partition: a line that goes back is taken for a bare
 * one. A blank line is no record, but it is counted.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_RECORDS_H
#define CALLFOLD_PROCESSOR_LOG_FILE_RECORDS_H

#include "processor/log_file_archive.h"
#include "processor/log_file_lines.h"

/* Zero it to begin. */
struct line_records {
    struct archive_memory memory;
    int64_t next_offset[PARTITIONS_MAX]; /* the smallest that a line in archive form may have */
};

bool line_is_blank(struct text line);
/* The record of a line that is not blank; true when it is in archive form. Its
 * texts live as long as the line, and until archive_forget. */
bool line_to_record(struct line_records *records, const struct line *line, struct log_record *record);
/* The record, of a line in archive form, counts: those after it have larger offsets. */
void line_was_taken(struct line_records *records, const struct log_record *record);

#endif
