/* commands.h - what the program callfold-snapshot can be asked to do.
 *
 * Each command is one function in one file, cmd_NAME.c, called with the words
 * from its own name on and returning the exit code: 0, EXIT_DIFFERS, or one of
 * sysexits.h. main.c lists them and does nothing else.
 */
#ifndef CALLFOLD_SNAPSHOTS_COMMANDS_H
#define CALLFOLD_SNAPSHOTS_COMMANDS_H

#include "snapshots/snapshot.h"
#include "terminal/options.h"
#include "terminal/program.h"

int cmd_create(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_prune(int argc, char **argv);

/* Which snapshots a command is about. */
struct selection {
    const char *dir;
    int64_t partition; /* below zero: all */
    const char *name;  /* NULL: all */
};
#define SELECTION_ALL ((struct selection){.partition = -1})

#define SNAPSHOTS_SPEC(selection)                                                                               \
    {                                                                                                           \
        .name = "snapshots", .kind = OPTION_TEXT, .target = &(selection).dir, .value = "DIR", .required = true, \
        .help = "where the snapshots are"                                                                       \
    }
#define PARTITION_SPEC(selection)                                                                               \
    {                                                                                                           \
        .name = "partition", .kind = OPTION_NUMBER, .target = &(selection).partition, .value = "N", .least = 0, \
        .most = INT32_MAX, .help = "only that partition"                                                        \
    }
#define NAME_SPEC(selection)                                                                   \
    {                                                                                          \
        .name = "snapshot", .kind = OPTION_TEXT, .target = &(selection).name, .value = "NAME", \
        .help = "only the one of that name"                                                    \
    }
#define VERIFY_KEY_SPEC(path)                                                            \
    {                                                                                    \
        .name = "verify-key", .kind = OPTION_TEXT, .target = &(path), .value = "PUBLIC", \
        .help = "an Ed25519 public key (PEM) that the manifest must\nbe signed with"     \
    }

#define QUIET_SPEC(flag)                                                                                         \
    {                                                                                                            \
        .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .target = &(flag), .help = "say nothing but errors" \
    }

/* Calls visit for each partition of the selection, ascending, until one does
 * not answer EX_OK; its answer, or after a message EX_CONFIG when there is none. */
typedef int selection_visit_partition(void *context, uint32_t partition);
int selection_each_partition(const struct selection *selection, selection_visit_partition *visit, void *context);
/* The same for each snapshot, the oldest of a partition first. */
typedef int selection_visit_snapshot(void *context, const struct snapshot_place *place);
int selection_each_snapshot(const struct selection *selection, selection_visit_snapshot *visit, void *context);

/* A snapshot_told: notes that it was removed. */
void selection_say_removed(void *context, const struct snapshot_place *place);

/* Reads the public key at path, if any is given. False after a message. */
bool verify_key_read(const char *path, struct signature_key **key, int *exit_code);

#endif
