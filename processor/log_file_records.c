/* log_file_records.c - see log_file_records.h. */
#include "processor/log_file_records.h"

bool line_is_blank(struct text line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] != ' ' && line.at[i] != '\t' && line.at[i] != '\r')
            return false;
    return true;
}

bool line_to_record(struct line_records *records, const struct line *line, struct log_record *record)
{
    record->end = line->end;
    if (archive_parse(&records->memory, line->bytes, &record->partition, &record->record) &&
        record->record.offset >= records->next_offset[record->partition])
        return true;
    record->partition = 0;
    record->record = (struct fold_record){.offset = line->number, .value = line->bytes};
    return false;
}

void line_was_taken(struct line_records *records, const struct log_record *record)
{
    records->next_offset[record->partition] = record->record.offset + 1;
}
