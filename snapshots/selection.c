/* selection.c - what the commands of callfold-snapshot are about; see commands.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "snapshots/commands.h"
#include "terminal/message.h"

int selection_each_partition(const struct selection *selection, selection_visit_partition *visit, void *context)
{
    uint32_t *partitions;
    int code = EX_OK;
    bool is_found = false;
    size_t count = store_partitions(selection->dir, &partitions);
    for (size_t i = 0; i < count && code == EX_OK; i++) {
        if (selection->partition >= 0 && partitions[i] != selection->partition)
            continue;
        is_found = true;
        code = visit(context, partitions[i]);
    }
    free(partitions);
    if (is_found)
        return code;
    return message_fail(EX_CONFIG, "%s holds no snapshots%s; make some with: callfold-snapshot create", selection->dir,
                        selection->partition >= 0 ? " of that partition" : "");
}

struct walk {
    const struct selection *selection;
    selection_visit_snapshot *visit;
    void *context;
    bool is_found;
};

static int visit_partition(void *context, uint32_t partition)
{
    struct walk *walk = context;
    struct snapshot_name *names;
    int code = EX_OK;
    size_t count = snapshot_names(walk->selection->dir, partition, &names);
    for (size_t i = 0; i < count && code == EX_OK; i++) {
        const struct snapshot_place place = {walk->selection->dir, partition, names[i].text};
        if (walk->selection->name != NULL && strcmp(walk->selection->name, names[i].text) != 0)
            continue;
        walk->is_found = true;
        code = walk->visit(walk->context, &place);
    }
    free(names);
    return code;
}

int selection_each_snapshot(const struct selection *selection, selection_visit_snapshot *visit, void *context)
{
    struct walk walk = {.selection = selection, .visit = visit, .context = context};
    int code = selection_each_partition(selection, visit_partition, &walk);
    if (code != EX_OK || walk.is_found || selection->name == NULL)
        return code;
    return message_fail(EX_CONFIG, "%s holds no snapshot named %s; callfold-snapshot list says which there are",
                        selection->dir, selection->name);
}

void selection_say_removed(void *context, const struct snapshot_place *place)
{
    (void)context;
    message_note("removed partition %" PRIu32 ": %s", place->partition, place->name);
}

bool verify_key_read(const char *path, struct signature_key **key, int *exit_code)
{
    struct store_error error;
    *key = path != NULL ? signature_public_key(path, &error) : NULL;
    if (path == NULL || *key != NULL)
        return true;
    *exit_code = message_fail(error.code, "%s", error.message);
    return false;
}
