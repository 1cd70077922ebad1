/* scratch.c - see scratch.h. */
#include "replay-tool/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "snapshots/files.h"

#define DESCRIPTORS 8 /* that nftw may hold */

const char *scratch_parent(void)
{
    const char *parent = getenv("TMPDIR");
    return parent != NULL && parent[0] != '\0' ? parent : "/var/tmp";
}

char *scratch_make(struct store_error *error)
{
    char *dir;
    if (asprintf(&dir, "%s/callfold-replay-XXXXXX", scratch_parent()) < 0)
        abort();
    if (mkdtemp(dir) != NULL)
        return dir;
    fail_with_errno(error, errno, "make a directory like", dir);
    free(dir);
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_remove(char *dir)
{
    if (dir != NULL)
        nftw(dir, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    free(dir);
}
