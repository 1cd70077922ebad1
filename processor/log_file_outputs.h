/* log_file_outputs.h - the files that the embedded log writes.
 *
 * DIR/{commands,ledger,calls,balances,rejects,attestations}.jsonl and
 * DIR/progress.jsonl. A commit appends the outputs to their files and then one
 * record to progress.jsonl, which says how long every file is and how far the
 * input was read. The last such record that the files cover is what holds:
 * outputs_cut removes whatever came after it. progress.jsonl is not part of
 * the replayable output, and is kept short.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_OUTPUTS_H
#define CALLFOLD_PROCESSOR_LOG_FILE_OUTPUTS_H

#include "events/encode.h"
#include "processor/log.h"

/* One record of progress.jsonl. */
struct file_progress {
    struct log_mark mark;         /* how far the input was read */
    bool has_archive;             /* some of it was in archive form */
    int64_t lengths[TOPIC_COUNT]; /* bytes of each output file */
    size_t count;
    /* Of outputs_open, outputs_find and file_progress_decode: freed by file_progress_free. */
    const struct log_progress *partitions;
    const int64_t *archive_offsets; /* PARTITIONS_MAX: the smallest offset that an archived line may have next */
};
void file_progress_free(struct file_progress *progress);
/* Reads one line of progress.jsonl; false for one that a failing machine tore. */
bool file_progress_decode(struct text line, struct file_progress *progress);

struct output_file {
    int fd;
    char *path;
    int64_t length; /* of what is committed */
    int64_t begun;  /* bytes that the disk has been asked to write */
    bool unsynced;
    struct buffer pending; /* appended and not yet committed */
};

struct outputs {
    const char *dir;
    int lock; /* of the directory, locked: two writers would spoil every file */
    struct output_file files[TOPIC_COUNT], progress;
    char shortage[256];   /* set when a later commit does not hold, for an output was cut: which, and how long it was */
    struct buffer last;   /* the last record of progress.jsonl, its newline included */
    struct buffer synced; /* the one of the last sync but one: older ones may go */
};

/* Opens or makes the directory and its files and finds the commit that holds
 * (all zeros in a new directory). Changes nothing that is there. */
bool outputs_open(struct outputs *outputs, const char *dir, struct file_progress *holds, struct store_error *error);
void outputs_close(struct outputs *outputs);

/* Cuts every file back to what holds, or begins progress.jsonl with it. */
bool outputs_cut(struct outputs *outputs, const struct file_progress *holds, struct store_error *error);
/* The commit made when the input was read up to position exactly; false: it is
 * not there any more. */
bool outputs_find(struct outputs *outputs, int64_t position, struct file_progress *found);

/* Appends one line to the file of a topic; kept in memory until the commit. */
void outputs_append(struct outputs *outputs, enum output_topic topic, struct text line);
/* Writes what was appended, then the record; fills progress->lengths. */
bool outputs_commit(struct outputs *outputs, struct file_progress *progress, struct store_error *error);
/* fsync of all that was committed. */
bool outputs_sync(struct outputs *outputs, struct store_error *error);

#endif
