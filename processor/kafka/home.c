/* home.c - see home.h. */
#include "processor/kafka/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "snapshots/files.h"

static bool describe(struct client *client, const char *group, char home[HOME_SIZE], struct store_error *error)
{
    char *cluster = client_cluster(client, error);
    if (cluster == NULL)
        return false;
    snprintf(home, HOME_SIZE, "cluster %s group %s", cluster, group);
    rd_kafka_mem_free(client->rk, cluster);
    return true;
}

static bool claim(const char *dir, const char *home, struct store_error *error)
{
    uint32_t *stored;
    size_t count = store_partitions(dir, &stored);
    free(stored);
    if (count > 0)
        return fail_with(error, EX_CONFIG,
                         "the state directory %s belongs to a meter on files (there is no file named kafka in it); "
                         "name another directory for the one on Kafka",
                         dir);
    return state_home_write(dir, home, error);
}

bool home_check(const char *dir, struct client *client, const char *group, struct store_error *error)
{
    char home[HOME_SIZE], found[HOME_SIZE];
    if (!describe(client, group, home, error) || !state_home_read(dir, found, error))
        return false;
    if (found[0] == '\0')
        return claim(dir, home, error);
    return strcmp(found, home) == 0 ||
           fail_with(error, EX_CONFIG,
                     "the state directory %s belongs to %s, but this is %s; name another directory, or the right "
                     "cluster and group",
                     dir, found, home);
}
