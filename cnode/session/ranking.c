/*
 * The known hosts in the order of placement. Fails by memory only, with nothing held.
 */
#include "session/ranking.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "session/members.h"

static int add(struct ranking *ranking, struct cn_bytes id, const char *node)
{
    struct candidate *candidate = &ranking->candidates[ranking->count];
    int error = placement_weight(id, node, &candidate->weight);

    if (error != 0)
        return error;
    text_copy(candidate->node, sizeof(candidate->node), node);
    ranking->count++;
    return 0;
}

static int add_all(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id,
                   bool with_self)
{
    int error = with_self ? add(ranking, id, procs_node(hosts->procs)) : 0;

    list_for_each(link, &hosts->members) {
        if (error != 0)
            break;
        error = add(ranking, id, container_of(link, struct member, link)->pid.node);
    }
    return error;
}

int ranking_init(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id,
                 bool with_self)
{
    int error;

    *ranking = (struct ranking){.count = 0};
    ranking->candidates = mem_zalloc_array(hosts->members_count + 1, sizeof(*ranking->candidates));
    if (ranking->candidates == NULL)
        return -ENOMEM;
    error = add_all(ranking, hosts, id, with_self);
    if (error != 0)
        ranking_deinit(ranking);
    else
        placement_sort(ranking->candidates, ranking->count);
    return error;
}

void ranking_deinit(struct ranking *ranking)
{
    mem_free(ranking->candidates);
    *ranking = (struct ranking){.count = 0};
}

static bool takes(const struct hosts *hosts, const char *node)
{
    const struct member *member = members_find(hosts, node);

    if (strcmp(node, procs_node(hosts->procs)) == 0)
        return !host_draining(hosts) && !host_full(hosts);
    return member != NULL && member_takes(member, hosts->game->state_version);
}

const char *ranking_next(struct ranking *ranking, const struct hosts *hosts)
{
    while (ranking->next < ranking->count) {
        const char *node = ranking->candidates[ranking->next++].node;

        if (takes(hosts, node))
            return node;
    }
    return NULL;
}
