/* base.c - see base.h. */
#include "replay-tool/base.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "events/instant.h"
#include "snapshots/files.h"
#include "snapshots/snapshot.h"
#include "terminal/message.h"

size_t base_partitions(const struct base_options *options, uint32_t **partitions, struct store_error *error)
{
    const char *dir = options->snapshots != NULL ? options->snapshots : options->state;
    error->code = EX_OK;
    *partitions = NULL;
    if (dir == NULL)
        return 0;
    size_t count = store_partitions(dir, partitions);
    if (count == 0)
        fail_with(error, EX_CONFIG, "%s holds no %s: name the directory that `callfold %s` was given", dir,
                  options->snapshots != NULL ? "snapshots" : "state",
                  options->snapshots != NULL ? "run --snapshots" : "run --state");
    return count;
}

/* Where it begins. A state of a meter on Kafka stands at an offset, not at a
 * byte of a file. */
static void begin_at(struct base_start *start, const struct store_header *header, const char *home)
{
    start->header = *header;
    if (home[0] == '\0')
        start->mark = (struct log_mark){header->source_position, header->source_lines, header->source_check};
}

static bool is_early_enough(const struct stock *stock, const struct base_place *place)
{
    if (place->has_offset && stock->header.next_offset > place->offset + 1)
        return false;
    if (place->has_entries && stock->header.entries > place->entries)
        return false;
    return !place->has_time || stock->partition_time_ms <= place->time_ms;
}

/* Snapshots. */

/* False with EX_DATAERR: not this one, but perhaps an older one; with EX_OK: it is too late. */
static bool take_snapshot(const struct snapshot_place *snapshot, const struct base_place *place, const char *scratch,
                          struct base_start *start, struct store_error *error)
{
    struct manifest manifest;
    if (!snapshot_read(snapshot, NULL, &manifest, NULL, error))
        return false;
    error->code = EX_OK;
    if (!is_early_enough(&manifest.stock, place))
        return false;
    if (!snapshot_restore(snapshot, NULL, scratch, false, &manifest, error))
        return false;
    begin_at(start, &manifest.stock.header, manifest.home);
    return true;
}

static bool take_newest(const struct base_options *options, uint32_t partition, const struct base_place *place,
                        const char *scratch, struct base_start *start, struct store_error *error)
{
    struct snapshot_name *names;
    size_t count = snapshot_names(options->snapshots, partition, &names);
    bool taken = false;
    error->code = EX_OK;
    while (count-- > 0 && !taken && (error->code == EX_OK || error->code == EX_DATAERR)) {
        const struct snapshot_place snapshot = {options->snapshots, partition, names[count].text};
        taken = take_snapshot(&snapshot, place, scratch, start, error);
        if (!taken && error->code == EX_DATAERR)
            message_note("%s/partition-%" PRIu32 "/%s is passed over: %s", options->snapshots, partition,
                         names[count].text, error->message);
    }
    free(names);
    return taken || error->code == EX_OK || error->code == EX_DATAERR;
}

/* State directories. */

static bool copy_state(const char *dir, uint32_t partition, const char *path, struct store_error *error)
{
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/" STORE_FILE, path);
    if (!make_directories(path, error))
        return false;
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_with_errno(error, errno, "make", file);
    bool copied = store_copy(dir, partition, fd, file, error);
    close(fd);
    return copied;
}

static bool check_early_enough(const struct base_options *options, uint32_t partition, const struct stock *stock,
                               const struct base_place *place, struct store_error *error)
{
    char instant[INSTANT_TEXT_MAX];
    if (is_early_enough(stock, place))
        return true;
    instant_format(stock->partition_time_ms, instant);
    return fail_with(error, EX_CONFIG,
                     "the state of partition %" PRIu32 " in %s stands at offset %" PRId64
                     ", %s, which is past the place asked for: leave --state out, or give --snapshots",
                     partition, options->state, stock->header.next_offset, instant);
}

static bool take_state(const struct base_options *options, uint32_t partition, const struct base_place *place,
                       const char *scratch, struct base_start *start, struct store_error *error)
{
    char home[HOME_SIZE], path[PATH_MAX];
    struct stocktaking taking;
    struct stock stock;
    store_path(path, scratch, partition);
    if (!state_home_read(options->state, home, error) || !copy_state(options->state, partition, path, error))
        return false;
    stock_begin(&taking, path);
    if (!stock_end(&taking, &stock, error) || !check_early_enough(options, partition, &stock, place, error))
        return false;
    begin_at(start, &stock.header, home);
    return true;
}

bool base_take(const struct base_options *options, uint32_t partition, const struct base_place *place,
               const char *scratch, struct base_start *start, struct store_error *error)
{
    *start = (struct base_start){0};
    return options->snapshots != NULL ? take_newest(options, partition, place, scratch, start, error)
                                      : take_state(options, partition, place, scratch, start, error);
}
