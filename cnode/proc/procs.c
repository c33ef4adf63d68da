/*
 * The process side of a node as a whole: making it, releasing it, its references.
 *
 * References have three words, the first of 18 bits, as every release reads them; together with the
 * creation they are never given twice by a node's name.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/trace.h"
#include "proc/internal.h"

#define REF_WORDS             3
#define REF_FIRST_BITS        18

#define MAILBOX_BYTES_DEFAULT (UINT64_C(256) << 20)

static uint32_t or_default(uint32_t limit, uint32_t normal)
{
    return limit != 0 ? limit : normal;
}

static struct procs_limits limits_complete(const struct procs_limits *limits)
{
    struct procs_limits given = limits != NULL ? *limits : (struct procs_limits){0};

    return (struct procs_limits){
        .processes_max = or_default(given.processes_max, 2000000),
        .names_max = or_default(given.names_max, 65536),
        .mailbox_max = or_default(given.mailbox_max, 1000000),
        .mailbox_bytes_max = given.mailbox_bytes_max != 0 ? given.mailbox_bytes_max
                                                          : MAILBOX_BYTES_DEFAULT,
        .monitors_per_peer_max = or_default(given.monitors_per_peer_max, 131072),
        .links_per_peer_max = or_default(given.links_per_peer_max, 131072),
        .listed_max = or_default(given.listed_max, 250000),
        .context = given.context,
        .reached = given.reached,
    };
}

void procs_limit_reached(const struct procs *procs, const char *limit, const char *who)
{
    trace("proc", "%s: %s", limit, who);
    if (procs->limits.reached != NULL)
        procs->limits.reached(procs->limits.context, limit, who);
}

int procs_new(const char *name, uint32_t creation, const struct transport *transport,
              const struct procs_limits *limits, struct procs **ret_procs)
{
    struct procs *procs = NULL;

    if (name[0] == '\0' || strlen(name) > CN_NODE_NAME_MAX)
        return -EINVAL;
    procs = mem_zalloc(sizeof(*procs));
    if (procs == NULL)
        return -ENOMEM;
    text_copy(procs->node_pid.node, sizeof(procs->node_pid.node), name);
    procs->node_pid.creation = creation;
    if (transport != NULL)
        procs->transport = *transport;
    procs->limits = limits_complete(limits);
    heap_init(&procs->heap);
    list_init(&procs->run);
    cn_writer_init(&procs->scratch, 0);
    *ret_procs = procs;
    return 0;
}

struct procs *procs_free(struct procs *procs)
{
    if (procs == NULL)
        return NULL;
    procs->closing = true;
    for (uint32_t id = 0; id < procs->table.used; id++) {
        struct process *process = procs->table.slots[id].process;

        if (process == NULL)
            continue;
        process_mark_exiting(process, REASON_SHUTDOWN);
        process_end(process, true);
    }
    procs_peers_free(procs);
    map_clear(procs->monitors);
    map_clear(procs->links);
    map_clear(procs->names);
    map_clear(procs->timers);
    table_deinit(&procs->table);
    cn_writer_free(&procs->scratch);
    mem_free(procs);
    return NULL;
}

const char *procs_node(const struct procs *procs)
{
    return procs->node_pid.node;
}

uint32_t procs_creation(const struct procs *procs)
{
    return procs->node_pid.creation;
}

bool procs_closing(const struct procs *procs)
{
    return procs->closing;
}

size_t procs_listed_max(const struct procs *procs)
{
    return procs->limits.listed_max;
}

size_t procs_count(const struct procs *procs)
{
    return procs->table.live;
}

size_t procs_limit(const struct procs *procs)
{
    return procs->limits.processes_max;
}

struct process *procs_find(struct procs *procs, const struct cn_pid *pid)
{
    struct process *process = route_find(procs, pid);

    return process != NULL && !process->exiting ? process : NULL;
}

void procs_make_ref(struct procs *procs, struct cn_ref *ret_ref)
{
    uint64_t number = ++procs->next_ref;
    struct cn_ref ref = {.count = REF_WORDS, .creation = procs->node_pid.creation};

    ref.words[0] = (uint32_t)(number & ((1u << REF_FIRST_BITS) - 1));
    ref.words[1] = (uint32_t)(number >> REF_FIRST_BITS);
    ref.words[2] = (uint32_t)(number >> REF_FIRST_BITS >> 32);
    memcpy(ref.node, procs->node_pid.node, sizeof(ref.node));
    *ret_ref = ref;
}

void procs_set_extra(struct procs *procs, const void *extra)
{
    procs->extra = extra;
}

const void *procs_extra(const struct procs *procs)
{
    return procs->extra;
}
