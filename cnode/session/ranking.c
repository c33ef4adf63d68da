/*
 * The known hosts in the order of placement. Fails by memory only, with nothing held.
 */
#include "session/ranking.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "session/members.h"

static int ranking_alloc(struct ranking *ranking, size_t count)
{
    *ranking = (struct ranking){.count = 0};
    ranking->candidates = mem_zalloc_array(count, sizeof(*ranking->candidates));
    return ranking->candidates == NULL ? -ENOMEM : 0;
}

/* One that is alone is first, whatever its weight. */
static int add(struct ranking *ranking, struct cn_bytes id, const char *node, bool preferred)
{
    struct candidate *candidate = &ranking->candidates[ranking->count];
    int error = ranking->alone ? 0 : placement_weight(id, node, &candidate->weight);

    if (error != 0)
        return error;
    text_copy(candidate->node, sizeof(candidate->node), node);
    candidate->preferred = preferred;
    ranking->count++;
    return 0;
}

static int add_others(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id,
                      bool prefer_newer)
{
    int error = 0;

    list_for_each(link, &hosts->members) {
        const struct member *member = container_of(link, struct member, link);

        error = add(ranking, id, member->pid.node,
                    prefer_newer && member_version(hosts, member) > 0);
        if (error != 0)
            break;
    }
    return error;
}

static int rank(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id,
                bool leaving)
{
    size_t count = hosts->members_count + (leaving ? 0 : 1);
    int error = ranking_alloc(ranking, hosts->members_count + 1);

    if (error != 0)
        return error;
    ranking->alone = count == 1;
    if (!leaving)
        error = add(ranking, id, procs_node(hosts->procs), false);
    if (error == 0)
        error = add_others(ranking, hosts, id, leaving);
    if (error != 0)
        ranking_deinit(ranking);
    else
        placement_sort(ranking->candidates, ranking->count);
    return error;
}

int ranking_init(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id)
{
    return rank(ranking, hosts, id, false);
}

int ranking_init_leaving(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id)
{
    return rank(ranking, hosts, id, true);
}

int ranking_init_one(struct ranking *ranking, const char *node)
{
    int error = ranking_alloc(ranking, 1);

    if (error != 0)
        return error;
    text_copy(ranking->candidates[0].node, sizeof(ranking->candidates[0].node), node);
    ranking->count = 1;
    ranking->ordered = true;
    return 0;
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

        if (ranking->ordered ? members_find(hosts, node) != NULL : takes(hosts, node))
            return node;
    }
    return NULL;
}

bool ranking_finds_better(struct ranking *ranking, const struct hosts *hosts, const char **ret_node)
{
    for (size_t i = 0; i < ranking->count; i++) {
        const char *node = ranking->candidates[i].node;

        if (strcmp(node, procs_node(hosts->procs)) == 0)
            return false;
        if (takes(hosts, node) && member_version(hosts, members_find(hosts, node)) >= 0) {
            *ret_node = node;
            return true;
        }
    }
    return false;
}
