/* state_directory.c - the directory that holds the partitions: its lock, where
 * it is at home, and which partitions are there. See store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/files.h"

#define STORE_NAME "partition-"

/* The pid is only for the message of whoever comes second: the lock is the flock. */
static void write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return;
}

static bool refuse_second(int fd, const char *dir, struct store_error *error)
{
    char pid[24] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? len : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return fail_with(error, EX_CONFIG,
                     "the state directory %s is in use by process %s; stop that one first, or name another directory",
                     dir, pid[0] != '\0' ? pid : "(unknown)");
}

int state_lock(const char *dir, struct store_error *error)
{
    char path[PATH_MAX];
    if (!make_directories(dir, error))
        return -1;
    snprintf(path, sizeof path, "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        fail_with_errno(error, errno, "open", path);
        return -1;
    }
    if (lock_exclusively(fd)) {
        write_pid(fd);
        return fd;
    }
    if (errno == EWOULDBLOCK)
        refuse_second(fd, dir, error);
    else
        fail_with_errno(error, errno, "lock", path);
    close(fd);
    return -1;
}

void store_path(char *path, const char *dir, uint32_t partition)
{
    snprintf(path, PATH_MAX, "%s/" STORE_NAME "%" PRIu32, dir, partition);
}

bool store_remove(const char *dir, uint32_t partition, struct store_error *error)
{
    char path[PATH_MAX];
    store_path(path, dir, partition);
    return remove_directory(path, error) && sync_directory(dir, error);
}

/* Where it is at home. */

static void home_path(char path[PATH_MAX], const char *dir)
{
    snprintf(path, PATH_MAX, "%s/kafka", dir);
}

bool state_home_read(const char *dir, char home[HOME_SIZE], struct store_error *error)
{
    char path[PATH_MAX];
    home_path(path, dir);
    home[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT || fail_with_errno(error, errno, "read", path);
    size_t len = fread(home, 1, HOME_SIZE - 1, file);
    bool read = !ferror(file);
    fclose(file);
    home[len] = '\0';
    home[strcspn(home, "\n")] = '\0';
    return read || fail_with_errno(error, EIO, "read", path);
}

bool state_home_write(const char *dir, const char *home, struct store_error *error)
{
    char path[PATH_MAX], draft[PATH_MAX + 8]; /* so that there is never half of it */
    home_path(path, dir);
    snprintf(draft, sizeof draft, "%s.new", path);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_with_errno(error, errno, "make", draft);
    bool written = (write_whole(fd, home, strlen(home)) && write_whole(fd, "\n", 1)) ||
                   fail_with_errno(error, errno, "write", draft);
    bool synced = written && sync_file(fd, draft, error);
    close(fd);
    if (synced && rename(draft, path) != 0)
        return fail_with_errno(error, errno, "make", path);
    return synced && sync_directory(dir, error);
}

/* The partitions. */

/* "partition-17" is 17; what is not spelt so exactly (a damaged store that was
 * set aside) is no partition. */
static bool partition_of_name(const char *name, uint32_t *partition)
{
    char again[NAME_MAX + 1];
    if (strncmp(name, STORE_NAME, strlen(STORE_NAME)) != 0)
        return false;
    unsigned long number = strtoul(name + strlen(STORE_NAME), NULL, 10);
    *partition = (uint32_t)number;
    snprintf(again, sizeof again, STORE_NAME "%" PRIu32, *partition);
    return strcmp(name, again) == 0;
}

static int compare_partitions(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

size_t store_partitions(const char *dir, uint32_t **partitions)
{
    size_t count = 0;
    *partitions = NULL;
    DIR *stream = opendir(dir);
    if (stream == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        uint32_t partition;
        if (!partition_of_name(entry->d_name, &partition))
            continue;
        uint32_t *grown = realloc(*partitions, (count + 1) * sizeof *grown);
        if (grown == NULL)
            abort();
        *partitions = grown;
        grown[count++] = partition;
    }
    closedir(stream);
    if (count > 1)
        qsort(*partitions, count, sizeof **partitions, compare_partitions);
    return count;
}
