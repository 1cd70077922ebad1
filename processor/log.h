/* log.h - a partitioned log to read records from and to publish outputs to.
 *
 * The engine knows only this interface; log_file.h keeps it with files of JSON
 * lines, and a broker fits behind it. The order of a life:
 *
 *     read  -> LOG_ASSIGNED: partitions that this process now folds (none is an
 *              answer too), each with what the last commit said of it. The
 *              engine opens their states and answers each with begin(mark of
 *              the state).
 *     read  -> LOG_RECORDS: records, from the smallest mark on; those that a
 *              partition's state knows already come again and are the engine's
 *              to skip (by `end`). LOG_IDLE: nothing for now. LOG_END: nothing
 *              ever more.
 *     read  -> LOG_REVOKED: every partition goes. Unless they are lost already,
 *              the engine commits and stores what it has; then it lets go of
 *              them. The next read may assign them, or others, again.
 *     append   outputs, any number; nobody sees them before
 *     commit   publishes them together with the progress of all partitions:
 *              all or, after a failure, nothing (a file cuts back on opening,
 *              a broker aborts the transaction). It may still be under way
 *              when it returns: then the next read, commit or sync says how it
 *              ended
 *     sync     every commit has ended, and survives the machine; before a
 *              checkpoint
 *
 * LOG_ABORTED: nothing since the last commit was published, and the states in
 * memory are worthless. The engine lets go of all partitions; the next read
 * assigns them again as they were committed.
 *
 * A position is a number that grows along a partition, in the log's own
 * measure: bytes of a file, offsets of a broker's partition. Only the log
 * itself takes it for more than that.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_H
#define CALLFOLD_PROCESSOR_LOG_H

#include "events/output.h"
#include "processor/fold/fold.h"
#include "snapshots/store.h"

#define PARTITIONS_MAX 1024 /* partition numbers are below it */

/* A place in the log, with what is needed to recognise it. All zeros: the beginning. */
struct log_mark {
    int64_t position;
    int64_t lines;  /* of a file; else 0 */
    uint64_t check; /* of a file: hash of the line that ends at position; else 0 */
};

/* What a commit says of one partition. All zeros but the number: nothing was
 * ever committed. */
struct log_progress {
    uint32_t partition;
    uint32_t partition_count; /* 0: not known */
    uint32_t fold_version;
    int64_t position; /* where the partition's last record ends */
    int64_t next_offset, entries, inputs;
    char chain[HASH_HEX]; /* hex, no NUL */
};

struct log_record {
    uint32_t partition;
    int64_t end; /* position after it */
    struct fold_record record;
};

enum log_answer { LOG_ASSIGNED, LOG_REVOKED, LOG_RECORDS, LOG_IDLE, LOG_END, LOG_FAILED };
enum log_outcome { LOG_DONE, LOG_WAITING, LOG_ABORTED, LOG_BROKEN }; /* WAITING: inside a log only */

/* What read gave; valid until the next read. */
struct log_batch {
    size_t count;
    const struct log_record *records;    /* of LOG_RECORDS */
    const struct log_progress *assigned; /* of LOG_ASSIGNED */
    bool is_lost;                        /* of LOG_REVOKED: they belong to others already */
    bool is_ahead;                       /* of LOG_RECORDS: past the last commit, be it over blank lines alone */
    int64_t done, total;                 /* for a progress line; total 0: not known */
    bool counts_records;                 /* done and total are numbers of records; else bytes */
};

/* An attestation that was published before. */
struct log_published {
    struct text line;  /* valid until the next recall */
    const char *where; /* for messages: what place counts in which topic or file */
    int64_t place;
};

struct log {
    const struct log_operations *does;
    struct store_error error; /* of the last operation that failed */
    double commit_took;       /* seconds, of the last commit that has ended; the engine takes it and leaves 0 */
};

struct log_operations {
    bool forgets; /* the oldest of what was published may have expired */
    /* At most `most` records (fewer are no sign of the end); waits up to
     * wait_ms for the first one, or until a signal. LOG_FAILED leaves *error. */
    enum log_answer (*read)(struct log *log, size_t most, int wait_ms, struct log_batch *batch);
    /* False: the state stands where this log never was (error says where). */
    bool (*begin)(struct log *log, uint32_t partition, const struct log_mark *mark);
    /* The attestations of a partition that were published before its last
     * commit, in order, the next one a call; the first call gives the first
     * made after more than `inputs` records. LOG_RECORDS, LOG_END: none is
     * left, LOG_FAILED. */
    enum log_answer (*recall)(struct log *log, uint32_t partition, int64_t inputs, struct log_published *published);
    void (*append)(struct log *log, enum output_topic topic, uint32_t partition, struct text key, struct text bytes);
    enum log_outcome (*commit)(struct log *log, const struct log_progress *progress, size_t count);
    /* For a checkpoint of this partition: the place of the last commit, or of
     * the last read while what was committed before is read again. */
    void (*mark)(struct log *log, uint32_t partition, struct log_mark *mark);
    enum log_outcome (*sync)(struct log *log);
    /* ms since the partition's last record, whose timestamp that is; -1 while
     * more are to be read, or none may be written. NULL in a log that is not
     * ours to write to. */
    int64_t (*idle_ms)(struct log *log, uint32_t partition, int64_t timestamp_ms);
    /* Records from the last one read to the log's end; -1 when it is not known. */
    int64_t (*lag)(struct log *log, uint32_t partition);
    /* Writes a record for it to be read again. */
    void (*wake)(struct log *log, uint32_t partition, struct text event);
    void (*close)(struct log *log);
};

#endif
