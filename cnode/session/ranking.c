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

static void add(struct ranking *ranking, const char *node, bool preferred)
{
    struct candidate *candidate = &ranking->candidates[ranking->count++];

    text_copy(candidate->node, sizeof(candidate->node), node);
    candidate->preferred = preferred;
}

static void add_others(struct ranking *ranking, const struct hosts *hosts, bool prefer_newer)
{
    list_for_each(link, &hosts->members) {
        const struct member *member = container_of(link, struct member, link);

        add(ranking, member->pid.node, prefer_newer && member_version(hosts, member) > 0);
    }
}

/* One that is alone is first, whatever its weight. */
static int weigh(struct ranking *ranking, struct cn_bytes id)
{
    int error = 0;

    for (size_t i = 0; ranking->count > 1 && i < ranking->count && error == 0; i++) {
        struct candidate *candidate = &ranking->candidates[i];

        error = placement_weight(id, candidate->node, &candidate->weight);
    }
    return error;
}

static int rank(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id,
                bool leaving)
{
    int error = ranking_alloc(ranking, hosts->members_count + 1);

    if (error != 0)
        return error;
    if (!leaving)
        add(ranking, procs_node(hosts->procs), false);
    add_others(ranking, hosts, leaving);
    error = weigh(ranking, id);
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
