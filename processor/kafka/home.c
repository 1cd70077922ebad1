/* home.c - see home.h. */
#include "processor/kafka/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/files.h"

#define ASK_MS    10000
#define HOME_SIZE 1024

static bool describe(struct client *client, const char *group, char home[HOME_SIZE], struct store_error *error)
{
    char *cluster = rd_kafka_clusterid(client->rk, ASK_MS);
    if (cluster == NULL)
        return client_fail(client, error, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer", "ask Kafka for its cluster id");
    snprintf(home, HOME_SIZE, "cluster %s group %s", cluster, group);
    rd_kafka_mem_free(client->rk, cluster);
    return true;
}

static bool claim(const char *dir, const char *path, const char *home, struct store_error *error)
{
    uint32_t *stored;
    size_t count = store_partitions(dir, &stored);
    free(stored);
    if (count > 0)
        return fail_with(error, EX_CONFIG,
                         "the state directory %s belongs to a meter on files (there is no %s); name another directory "
                         "for the one on Kafka",
                         dir, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_with_errno(error, errno, "make", path);
    bool written = (write_whole(fd, home, strlen(home)) && write_whole(fd, "\n", 1)) ||
                   fail_with_errno(error, errno, "write", path);
    bool synced = written && sync_file(fd, path, error);
    close(fd);
    return synced && sync_directory(dir, error);
}

bool home_check(const char *dir, struct client *client, const char *group, struct store_error *error)
{
    char path[PATH_MAX], home[HOME_SIZE], found[HOME_SIZE];
    if (!describe(client, group, home, error))
        return false;
    snprintf(path, sizeof path, "%s/kafka", dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ? claim(dir, path, home, error) : fail_with_errno(error, errno, "read", path);
    size_t len = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    found[len] = '\0';
    found[strcspn(found, "\n")] = '\0';
    return strcmp(found, home) == 0 ||
           fail_with(error, EX_CONFIG,
                     "the state directory %s belongs to %s, but this is %s; name another directory, or the right "
                     "cluster and group",
                     dir, found, home);
}
