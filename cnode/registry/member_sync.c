/*
 * Waiting until nodes are in sync, as global:sync/1; and leaving them, as global:disconnect/0.
 *
 * Who asks for some nodes is answered when each of them either is in sync with us or cannot be
 * waited for: each is monitored by its global_name_server, which also dials who is not connected.
 * So a node that goes, that cannot be reached, or that has no such server holds nobody up.
 *
 * Leaving closes the connections to all members at once, so that each of them loses only us and
 * none is parted from another; nobody is dialled again until somebody comes to us. A moment lies
 * between the answer and that, for the answer goes to a node that is left.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/member_internal.h"

#define LEAVE_MS 10

/* A node that is waited for. */
struct awaited {
    struct list link; /* in syncing.nodes */
    struct cn_ref ref;
    char node[CN_NODE_NAME_MAX + 1];
};

/* Somebody who waits. */
struct syncing {
    struct list link; /* in member.syncings */
    struct list nodes;
    sync_done done;
    void *context;
};

static void awaited_free(struct member *member, struct awaited *awaited)
{
    list_remove(&awaited->link);
    if (member->server != NULL)
        process_demonitor(gen_server_process(member->server), &awaited->ref, true);
    mem_free(awaited);
}

static void syncing_free(struct member *member, struct syncing *syncing)
{
    while (!list_empty(&syncing->nodes))
        awaited_free(member, container_of(list_first(&syncing->nodes), struct awaited, link));
    list_remove(&syncing->link);
    mem_free(syncing);
}

static bool is_synced(const struct member *member, const char *node)
{
    const struct peer *peer = known_find(member, node);

    return strcmp(node, procs_node(member->procs)) == 0 || (peer != NULL && peer->synced);
}

static int await(struct member *member, struct syncing *syncing, const char *node)
{
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = node};
    struct awaited *awaited = NULL;

    if (is_synced(member, node))
        return 0;
    awaited = mem_zalloc(sizeof(*awaited));
    if (awaited == NULL)
        return -ENOMEM;
    memcpy(awaited->node, node, strlen(node) + 1);
    if (process_monitor(gen_server_process(member->server), &dest, &awaited->ref) != 0) {
        mem_free(awaited);
        return -ENOMEM;
    }
    list_append(&syncing->nodes, &awaited->link);
    return 0;
}

static int await_all(struct member *member, struct syncing *syncing, struct cn_term nodes)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct cn_reader reader;
    uint32_t count = 0;
    int r = 0;

    cn_reader_init(&reader, nodes);
    if (!cn_read_list(&reader, &count))
        return CN_E_INVALID;
    for (; count > 0 && r == 0; count--)
        r = known_read_node(&reader, &node) ? await(member, syncing, node) : CN_E_INVALID;
    return r;
}

static void finish_if_synced(struct member *member, struct syncing *syncing)
{
    sync_done done = syncing->done;
    void *context = syncing->context;

    if (!list_empty(&syncing->nodes))
        return;
    syncing_free(member, syncing);
    done(context, true);
}

int sync_start(struct member *member, struct cn_term nodes, sync_done done, void *context)
{
    struct syncing *syncing = member->server != NULL ? mem_zalloc(sizeof(*syncing)) : NULL;
    int r;

    if (syncing == NULL)
        return member->server != NULL ? -ENOMEM : CN_E_CLOSED;
    list_init(&syncing->nodes);
    list_append(&member->syncings, &syncing->link);
    syncing->done = done;
    syncing->context = context;
    r = await_all(member, syncing, nodes);
    if (r != 0)
        syncing_free(member, syncing);
    else
        finish_if_synced(member, syncing);
    return r;
}

void sync_in_sync(struct member *member, const char *node)
{
    list_for_each_safe(item, &member->syncings) {
        struct syncing *syncing = container_of(item, struct syncing, link);

        list_for_each_safe(inner, &syncing->nodes) {
            struct awaited *awaited = container_of(inner, struct awaited, link);

            if (strcmp(awaited->node, node) == 0)
                awaited_free(member, awaited);
        }
        finish_if_synced(member, syncing);
    }
}

bool sync_take_down(struct member *member, const struct cn_ref *ref)
{
    list_for_each_safe(item, &member->syncings) {
        struct syncing *syncing = container_of(item, struct syncing, link);

        list_for_each_safe(inner, &syncing->nodes) {
            struct awaited *awaited = container_of(inner, struct awaited, link);

            if (!cn_ref_equal(&awaited->ref, ref))
                continue;
            awaited_free(member, awaited);
            finish_if_synced(member, syncing);
            return true;
        }
    }
    return false;
}

void sync_free_all(struct member *member)
{
    while (!list_empty(&member->syncings)) {
        struct syncing *syncing = container_of(list_first(&member->syncings), struct syncing, link);
        sync_done done = syncing->done;
        void *context = syncing->context;

        syncing_free(member, syncing);
        done(context, false);
    }
}

/* Leaving. */

int leave_start(struct member *member, struct cn_writer *nodes)
{
    known_write_connected(member, nodes);
    if (member->leave_timer != 0)
        return 0;
    return process_start_timer(gen_server_process(member->server), LEAVE_MS, &member->leave_timer);
}

bool leave_timer(struct member *member, uint64_t timer)
{
    struct peer *peer = NULL;
    struct peer *next = NULL;

    if (timer != member->leave_timer)
        return false;
    member->leave_timer = 0;
    trace("registry", "leaving all members");
    if (member->hooks.leaving != NULL)
        member->hooks.leaving(member->hooks.context);
    map_for_each(member->peers, peer, next)
    {
        if (peer->connected)
            member_part(member, peer->node);
    }
    return true;
}
