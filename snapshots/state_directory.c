/* state_directory.c - the directory that holds the partitions: its lock, and
 * which partitions are there. See store.h. */
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
