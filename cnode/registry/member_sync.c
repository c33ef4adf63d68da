/*
 * Waiting until nodes are in sync, as global:sync/1; and leaving them, as global:disconnect/0.
 *
 * Who asks for some nodes is answered when each of them either is in sync with us or cannot be
 * waited for: each is monitored by its global_name_server, which also dials who is not connected.
 * So a node that goes, that cannot be reached, or that has no such server holds nobody up.
 *
 *     syncing ──< wait >── awaited, one by name, with one monitor however many wait for it
 *
 * Both have a limit, for anybody may ask for any nodes, and never come back for the answer.
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
#include "registry/member_sync.h"

#define LEAVE_MS    10
#define AWAITED_MAX 1024u  /* nodes that are waited for at a time, and of one list */
#define WAITS_MAX   16384u /* in all lists */

/* Somebody who waits. */
struct syncing {
    struct list link;  /* in member.syncings */
    struct list waits; /* struct wait.in_syncing */
    sync_done done;
    void *context;
};

/* One waits for the other. */
struct wait {
    struct list in_awaited;
    struct list in_syncing;
    struct awaited *awaited;
    struct syncing *syncing;
};

static struct awaited *awaited_find(const struct member *member, const char *node)
{
    struct awaited *awaited = NULL;

    map_find(member->awaited, node, strlen(node), awaited);
    return awaited;
}

static int awaited_new(struct member *member, const char *node, struct awaited **ret_awaited)
{
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = node};
    struct awaited *awaited = mem_zalloc(sizeof(*awaited));

    if (awaited == NULL)
        return -ENOMEM;
    list_init(&awaited->waits);
    memcpy(awaited->node, node, strlen(node) + 1);
    if (process_monitor(gen_server_process(member->server), &dest, &awaited->ref) != 0) {
        mem_free(awaited);
        return -ENOMEM;
    }
    if (!map_add(member->awaited, awaited->node, strlen(awaited->node), awaited)) {
        process_demonitor(gen_server_process(member->server), &awaited->ref, true);
        mem_free(awaited);
        return -ENOMEM;
    }
    *ret_awaited = awaited;
    return 0;
}

/* Nobody waits for it any more. */
static void awaited_drop(struct member *member, struct awaited *awaited)
{
    if (member->server != NULL)
        process_demonitor(gen_server_process(member->server), &awaited->ref, true);
    map_remove(member->awaited, awaited);
}

static void wait_free(struct member *member, struct wait *wait)
{
    list_remove(&wait->in_awaited);
    list_remove(&wait->in_syncing);
    mem_free(wait);
    member->waits--;
}

static void syncing_free(struct member *member, struct syncing *syncing)
{
    while (!list_empty(&syncing->waits)) {
        struct wait *wait = container_of(list_first(&syncing->waits), struct wait, in_syncing);
        struct awaited *awaited = wait->awaited;

        wait_free(member, wait);
        if (!list_empty(&awaited->waits))
            continue;
        awaited_drop(member, awaited);
        mem_free(awaited);
    }
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
    struct awaited *awaited = awaited_find(member, node);
    struct wait *wait = NULL;
    int r = 0;

    if (is_synced(member, node))
        return 0;
    if (member->waits >= WAITS_MAX ||
        (awaited == NULL && map_count(member->awaited) >= AWAITED_MAX))
        return CN_E_LIMIT;
    wait = mem_zalloc(sizeof(*wait));
    if (wait == NULL)
        return -ENOMEM;
    if (awaited == NULL)
        r = awaited_new(member, node, &awaited);
    if (r != 0) {
        mem_free(wait);
        return r;
    }
    wait->awaited = awaited;
    list_append(&awaited->waits, &wait->in_awaited);
    list_append(&syncing->waits, &wait->in_syncing);
    wait->syncing = syncing;
    member->waits++;
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
    if (count > AWAITED_MAX)
        return CN_E_LIMIT;
    for (; count > 0 && r == 0; count--)
        r = known_read_node(&reader, &node) ? await(member, syncing, node) : CN_E_INVALID;
    return r;
}

static void finish_if_synced(struct member *member, struct syncing *syncing)
{
    sync_done done = syncing->done;
    void *context = syncing->context;

    if (!list_empty(&syncing->waits))
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
    list_init(&syncing->waits);
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

/* Nobody need wait for it any more. */
static void release(struct member *member, struct awaited *awaited)
{
    awaited_drop(member, awaited);
    while (!list_empty(&awaited->waits)) {
        struct wait *wait = container_of(list_first(&awaited->waits), struct wait, in_awaited);
        struct syncing *syncing = wait->syncing;

        wait_free(member, wait);
        finish_if_synced(member, syncing);
    }
    mem_free(awaited);
}

void sync_in_sync(struct member *member, const char *node)
{
    struct awaited *awaited = awaited_find(member, node);

    if (awaited != NULL)
        release(member, awaited);
}

bool sync_take_down(struct member *member, const struct process_down *down)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct awaited *awaited = NULL;
    struct cn_reader reader;

    cn_reader_init(&reader, down->object);
    if (cn_peek(&reader) != CN_TYPE_TUPLE || !cn_read_this_tuple(&reader, 2) || !cn_skip(&reader) ||
        !known_read_node(&reader, &node))
        return false;
    awaited = awaited_find(member, node);
    if (awaited != NULL && cn_ref_equal(&awaited->ref, &down->ref))
        release(member, awaited);
    return true;
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
    int r = 0;

    known_write_connected(member, nodes);
    if (member->leave_timer != 0)
        return 0;
    r = process_start_timer(gen_server_process(member->server), LEAVE_MS, &member->leave_timer);
    if (r == 0 && member->hooks.leaving != NULL)
        member->hooks.leaving(member->hooks.context);
    return r;
}

bool leave_timer(struct member *member, uint64_t timer)
{
    struct peer *peer = NULL;
    struct peer *next = NULL;

    if (timer != member->leave_timer)
        return false;
    member->leave_timer = 0;
    if (member->hooks.leaving != NULL) /* again: somebody may have come since */
        member->hooks.leaving(member->hooks.context);
    trace("registry", "leaving all members");
    map_for_each(member->peers, peer, next)
    {
        if (peer->connected)
            member_part(member, peer->node);
    }
    return true;
}
