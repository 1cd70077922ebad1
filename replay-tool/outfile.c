/* outfile.c - see outfile.h. */
#include "replay-tool/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/fail_point.h"
#include "snapshots/files.h"

/* A rename would put a file in the place of a device or a pipe. */
static bool check_place(const char *path, struct store_error *error)
{
    struct stat status;
    return stat(path, &status) != 0 || S_ISREG(status.st_mode) ||
           fail_with(error, EX_USAGE, "--output %s: that is no file; leave out --output and redirect stdout", path);
}

/* Locked before it is emptied: another run may be writing it. */
static int open_partial(const char *partial, struct store_error *error)
{
    int fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        fail_with_errno(error, errno, "make", partial);
        return -1;
    }
    if (!lock_exclusively(fd))
        fail_with(error, EX_CONFIG, "%s is being written by another run: wait for it, or name another --output",
                  partial);
    else if (ftruncate(fd, 0) != 0)
        fail_with_errno(error, errno, "write", partial);
    else
        return fd;
    close(fd);
    return -1;
}

/* stdio does not keep why a write failed. */
static ssize_t write_some(void *cookie, const char *bytes, size_t len)
{
    struct outfile *file = cookie;
    if (write_whole(file->fd, bytes, len))
        return (ssize_t)len;
    if (file->fault == 0)
        file->fault = errno;
    return 0;
}

bool outfile_open(struct outfile *file, const char *path, struct store_error *error)
{
    *file = (struct outfile){.path = path, .stream = stdout};
    if (path == NULL)
        return true;
    if (!check_place(path, error))
        return false;
    if (asprintf(&file->partial, "%s.partial", path) < 0)
        abort();
    file->fd = open_partial(file->partial, error);
    if (file->fd >= 0) {
        file->stream = fopencookie(file, "w", (cookie_io_functions_t){.write = write_some});
        if (file->stream == NULL)
            abort();
        return true;
    }
    free(file->partial);
    file->partial = NULL;
    return false;
}

static void end(struct outfile *file)
{
    fclose(file->stream);
    close(file->fd);
    free(file->partial);
    file->partial = NULL;
}

static bool sync_place(const char *path, struct store_error *error)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX] = ".";
    if (slash != NULL)
        snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return sync_directory(dir, error);
}

static bool name_it(struct outfile *file, struct store_error *error)
{
    FAIL_POINT("outfile-written");
    if (!sync_file(file->fd, file->partial, error))
        return false;
    if (rename(file->partial, file->path) != 0)
        return fail_with_errno(error, errno, "rename to", file->path);
    return sync_place(file->path, error);
}

bool outfile_keep(struct outfile *file, struct store_error *error)
{
    if (fflush(file->stream) != 0 || ferror(file->stream))
        return file->path == NULL ? fail_with(error, EX_IOERR, "standard output could not be written")
                                  : fail_with_errno(error, file->fault, "write", file->partial);
    if (file->path == NULL)
        return true;
    if (!name_it(file, error))
        return false;
    end(file);
    return true;
}

void outfile_drop(struct outfile *file)
{
    if (file->partial == NULL)
        return;
    unlink(file->partial);
    end(file);
}
