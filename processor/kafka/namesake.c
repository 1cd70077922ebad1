/* namesake.c - see namesake.h. */
#include "processor/kafka/namesake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define ASK_MS     5000
#define RANDOM_LEN 8
#define UUID_LEN   36 /* a broker makes member ids of the instance's name, '-' and one */

const char *namesake_client_id(const struct kafka_settings *settings)
{
    static char id[96];
    static uint32_t number;
    while (number == 0)
        if (getrandom(&number, sizeof number, 0) < 0)
            number = 0;
    snprintf(id, sizeof id, "callfold-%s-%08" PRIx32, settings->instance, number);
    return id;
}

bool namesake_is(const struct kafka_settings *settings, const char *client_id)
{
    const char *ours = namesake_client_id(settings);
    size_t len = strlen(ours);
    return strlen(client_id) == len && strncmp(client_id, ours, len - RANDOM_LEN) == 0 && strcmp(client_id, ours) != 0;
}

static bool is_named(const struct rd_kafka_group_member_info *member, const char *instance)
{
    size_t len = strlen(instance);
    return strlen(member->member_id) == len + 1 + UUID_LEN && strncmp(member->member_id, instance, len) == 0 &&
           member->member_id[len] == '-';
}

bool namesake_exists(struct client *client, const struct kafka_settings *settings, char host[128])
{
    const struct rd_kafka_group_list *list;
    bool exists = false;
    if (rd_kafka_list_groups(client->rk, settings->group, &list, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    for (int i = 0; i < list->group_cnt; i++)
        for (int j = 0; j < list->groups[i].member_cnt; j++) {
            const struct rd_kafka_group_member_info *member = &list->groups[i].members[j];
            if (!is_named(member, settings->instance) || strcmp(member->client_id, namesake_client_id(settings)) == 0)
                continue;
            exists = true;
            snprintf(host, 128, "%s", member->client_host);
        }
    rd_kafka_group_list_destroy(list);
    return exists;
}
