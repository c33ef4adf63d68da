/*
 * What this node knows of others: their creation, and who here refers to them.
 *
 * A record is made by the first reference or connection and released when the peer is down and
 * nothing refers to it, so names that somebody invents do not pile up.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "proc/internal.h"

struct peer *procs_peer_find(struct procs *procs, const char *node)
{
    struct peer *peer = procs->peer_found;

    if (peer != NULL && strcmp(peer->name, node) == 0) /* signals come in rows */
        return peer;
    map_find(procs->peers, node, strlen(node), peer);
    if (peer != NULL)
        procs->peer_found = peer;
    return peer;
}

struct peer *procs_peer_get(struct procs *procs, const char *node)
{
    struct peer *peer = procs_peer_find(procs, node);
    size_t size = strlen(node);

    if (peer != NULL)
        return peer;
    peer = mem_zalloc(sizeof(*peer) + size + 1);
    if (peer == NULL)
        return NULL;
    memcpy(peer->name, node, size);
    list_init(&peer->watching);
    list_init(&peer->watched);
    list_init(&peer->links);
    list_init(&peer->stalled);
    if (!map_add(procs->peers, peer->name, size, peer)) {
        mem_free(peer);
        return NULL;
    }
    return peer;
}

void procs_peer_put(struct procs *procs, struct peer *peer)
{
    if (peer->up || !list_empty(&peer->watching) || !list_empty(&peer->watched) ||
        !list_empty(&peer->links) || !list_empty(&peer->stalled))
        return;
    map_remove(procs->peers, peer);
    if (procs->peer_found == peer)
        procs->peer_found = NULL;
    mem_free(peer);
}

void procs_peers_free(struct procs *procs)
{
    struct peer *peer = NULL;
    struct peer *next = NULL;

    map_for_each(procs->peers, peer, next)
    {
        peer->up = true; /* keeps the record while its lists are emptied */
        links_peer_down(procs, peer);
        monitors_peer_down(procs, peer);
        peer->up = false;
        procs_peer_put(procs, peer);
    }
}

int procs_peer_up(struct procs *procs, const char *node, uint32_t creation)
{
    struct peer *peer = NULL;

    if (route_is_local(procs, node))
        return -EINVAL;
    peer = procs_peer_find(procs, node);
    if (peer != NULL && peer->up && peer->creation != creation)
        procs_peer_down(procs, node);
    peer = procs_peer_get(procs, node);
    if (peer == NULL)
        return -ENOMEM;
    peer->up = true;
    peer->no_acks = false;
    peer->monitors_told = false;
    peer->links_told = false;
    peer->creation = creation;
    trace("proc", "peer up %s", node);
    return 0;
}

void procs_peer_acks_no_unlinks(struct procs *procs, const char *node)
{
    struct peer *peer = procs_peer_find(procs, node);

    if (peer == NULL || !peer->up)
        return;
    peer->no_acks = true;
    links_drop_unlinked(procs, peer);
}

void procs_peer_down(struct procs *procs, const char *node)
{
    struct peer *peer = procs_peer_find(procs, node);

    if (peer == NULL)
        return;
    trace("proc", "peer down %s", node);
    peer->up = true; /* keeps the record while its lists are emptied */
    links_peer_down(procs, peer);
    monitors_peer_down(procs, peer);
    stalls_end(peer);
    peer->up = false;
    peer->quiet = false;
    procs_peer_put(procs, peer);
}

uint32_t procs_answers_out(struct procs *procs)
{
    struct peer *peer = NULL;
    struct peer *next = NULL;
    uint32_t fewest = 0;

    if (!procs->answered)
        return 0;
    procs->answered = false;
    map_for_each(procs->peers, peer, next)
    {
        peer->answered_asked = peer->answered_count;
        if (peer->answered_count > 0 && (fewest == 0 || peer->answered_count < fewest))
            fewest = peer->answered_count;
    }
    return fewest;
}

uint32_t procs_answers_left(const struct procs *procs)
{
    const struct peer *peer = NULL;
    const struct peer *next = NULL;
    uint32_t left = 100;

    map_for_each(procs->peers, peer, next)
    {
        uint64_t asked = peer->answered_asked;

        if (asked > 0 && peer->answered_count * UINT64_C(100) < left * asked)
            left = (uint32_t)(peer->answered_count * UINT64_C(100) / asked);
    }
    return left;
}

int procs_quiet_partner(struct procs *procs, const struct cn_pid *partner)
{
    struct peer *peer = procs_peer_find(procs, partner->node);

    if (peer == NULL || !peer->up || peer->creation != partner->creation)
        return CN_E_UNKNOWN;
    peer->quiet = true;
    peer->quiet_pid = (struct short_pid){partner->id, partner->serial, partner->creation};
    return 0;
}
