/*
 * The end of a join: each side applies its own ops and the other's verdicts, and tells the nodes
 * that it knew before of those that are new, with the same list, so that all tables are equal when
 * the lock is given back. Who hears of new nodes applies the list only while the lock stands under
 * which it was made. A list without new nodes is how a registrar changes many names at once
 * (member_bundle.c).
 */
#include <string.h>

#include "etf/writer.h"
#include "registry/member_internal.h"
#include "registry/member_sync.h"

/* Note who registered names for hidden nodes, from [{Name, Pid, Node}]. Errors: -ENOMEM. */
static int note_external(struct member *member, struct cn_term external)
{
    struct cn_reader reader;
    uint32_t count = 0;
    int r = 0;

    cn_reader_init(&reader, external);
    (void)cn_read_list(&reader, &count);
    for (; count > 0 && r == 0; count--) {
        char node[CN_NODE_NAME_MAX + 1];
        struct name *name = NULL;
        struct cn_term term;
        struct cn_pid pid;

        if (!cn_read_this_tuple(&reader, 3) || !cn_read_term(&reader, &term) ||
            !cn_read_pid(&reader, &pid) || !known_read_node(&reader, &node))
            break;
        name = roster_find(member, term);
        if (name != NULL && watched_is(name->watched, &pid))
            r = roster_registered_by(name, node);
    }
    return r;
}

/* Ops, and under which circumstances they have come. */
struct ops {
    struct cn_term list;
    struct cn_term external; /* [{Name, Pid, Node}] */
    bool allowed;            /* the lock stands under which they were made */
    bool joining;            /* two partitions become one; else names change as by any registrar */
    const char *from;        /* who is parted from without memory */
};

/* A process of ours loses its name to somebody else, after both were registered apart. */
static void tell_owner(struct member *member, const struct name *name, const struct cn_pid *other)
{
    struct cn_pid ours = watched_pid(name->watched);

    if (strcmp(ours.node, procs_node(member->procs)) == 0 && !cn_pid_equal(&ours, other) &&
        member->hooks.on_conflict != NULL)
        member->hooks.on_conflict(member->hooks.context, roster_term(name), &ours, other);
}

static int apply_insert(struct member *member, const struct ops *ops, const struct entry *entry)
{
    struct name *name = ops->joining ? roster_find(member, entry->name) : NULL;

    if (name != NULL)
        tell_owner(member, name, &entry->pid);
    if (ops->allowed)
        return roster_insert(member, entry->name, &entry->pid, entry->method, NULL);
    name = roster_find(member, entry->name);
    if (name != NULL)
        roster_delete(member, name);
    return 0;
}

/* Apply {insert, Entry} or {delete, Name}. */
static int apply(struct member *member, const struct ops *ops, struct cn_term op)
{
    struct cn_reader reader;
    struct cn_bytes verb;
    struct cn_term rest;
    struct entry entry;
    struct name *name = NULL;

    cn_reader_init(&reader, op);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_atom(&reader, &verb) ||
        !cn_read_term(&reader, &rest))
        return 0;
    if (cn_bytes_equal(verb, "delete"))
        name = roster_find(member, rest);
    if (name != NULL)
        roster_delete(member, name);
    cn_reader_init(&reader, rest);
    if (!cn_bytes_equal(verb, "insert") || !entry_read(&reader, &entry))
        return 0;
    return apply_insert(member, ops, &entry);
}

static void apply_all(struct member *member, const struct ops *ops)
{
    struct cn_reader reader;
    uint32_t count = 0;
    int r = 0;

    cn_reader_init(&reader, ops->list);
    (void)cn_read_list(&reader, &count);
    for (; count > 0 && r == 0; count--) {
        struct cn_term op;

        if (!cn_read_term(&reader, &op))
            break;
        r = apply(member, ops, op);
    }
    if (r == 0)
        r = note_external(member, ops->external);
    if (r != 0)
        member_part(member, ops->from);
}

/* What {resolved, Node, Verdicts, Known, _, External, Tag} says. */
struct resolved {
    struct cn_term verdicts;
    struct cn_term known;
    struct cn_term external;
};

static bool read_resolved(struct cn_term message, struct resolved *ret_resolved)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    return cn_read_this_tuple(&reader, 7) && cn_skip(&reader) && cn_skip(&reader) &&
           cn_read_term(&reader, &ret_resolved->verdicts) &&
           cn_read_term(&reader, &ret_resolved->known) && cn_skip(&reader) &&
           cn_read_term(&reader, &ret_resolved->external);
}

/* New nodes, as the nodes that we knew before are told of them. */
struct new_nodes {
    struct member *member;
    struct cn_writer *writer;
    bool versions;
};

static void write_new_node(void *context, const char *node, int64_t version)
{
    struct new_nodes *nodes = context;
    const struct peer *peer = known_find(nodes->member, node);

    if (version == 0 && peer != NULL && peer->known)
        version = peer->version;
    if (nodes->versions)
        cn_write_tuple(nodes->writer, 2);
    cn_write_atom(nodes->writer, node);
    if (nodes->versions)
        cn_write_integer(nodes->writer, version);
}

static void count_node(void *context, const char *node, int64_t version)
{
    (*(uint32_t *)context)++;
}

static void tell_one(struct peer *to, const struct peer *peer, struct cn_term ops,
                     const struct resolved *his)
{
    struct member *member = to->member;
    struct cn_writer writer;
    struct new_nodes nodes = {member, &writer, to->version >= 7};
    uint32_t count = 1;

    known_each(his->known, &count, count_node);
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 6);
    cn_write_atom(&writer, "new_nodes");
    cn_write_atom(&writer, procs_node(member->procs));
    cn_write_term(&writer, ops);
    cn_write_term(&writer, his->external);
    cn_write_list(&writer, count);
    write_new_node(&nodes, peer->node, peer->meeting.version);
    known_each(his->known, &nodes, write_new_node);
    cn_write_nil(&writer);
    cn_write_list(&writer, 2);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "vsn");
    cn_write_integer(&writer, peer->meeting.version < GLOBAL_VERSION ? peer->meeting.version
                                                                     : GLOBAL_VERSION);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "lock");
    cn_write_term(&writer, kept_term(&peer->meeting.lock_id));
    cn_write_nil(&writer);
    member_cast(member, to->node, &writer);
}

static void tell_known(const struct peer *peer, struct cn_term ops, const struct resolved *his)
{
    struct peer *to = NULL;
    struct peer *next = NULL;

    map_for_each(peer->member->peers, to, next)
    {
        if (to->known)
            tell_one(to, peer, ops, his);
    }
}

static void join_with(void *context, const char *node, int64_t version)
{
    struct member *member = context;
    struct peer *peer = known_find(member, node);

    if (strcmp(node, procs_node(member->procs)) == 0)
        return;
    known_in_sync(member, node);
    if (peer != NULL)
        meeting_reset(peer);
    (void)known_add(member, node, version);
}

/* Our ops, then his verdicts, as one list. */
static void write_ops(const struct meeting *meeting, struct cn_term verdicts,
                      struct cn_writer *writer)
{
    struct cn_reader reader;
    uint32_t count = 0;
    struct cn_term op;

    cn_reader_init(&reader, verdicts);
    (void)cn_read_list(&reader, &count);
    if (meeting->ops.count + count > 0)
        cn_write_list(writer, meeting->ops.count + count);
    etf_write_raw(writer, meeting->ops.writer.data, meeting->ops.writer.size);
    while (count-- > 0 && cn_read_term(&reader, &op))
        cn_write_term(writer, op);
    cn_write_nil(writer);
}

void exchange_finish(struct peer *peer, struct cn_term message)
{
    struct member *member = peer->member;
    struct resolved his;
    struct cn_writer ops;

    if (!read_resolved(message, &his))
        return;
    cn_writer_init(&ops, 0);
    write_ops(&peer->meeting, his.verdicts, &ops);
    if (cn_writer_error(&ops) != 0) {
        member_part(member, peer->node);
        cn_writer_free(&ops);
        return;
    }
    apply_all(member, &(struct ops){cn_writer_term(&ops), his.external, true, true, peer->node});
    tell_known(peer, cn_writer_term(&ops), &his);
    cn_writer_free(&ops);
    peer->synced = true;
    (void)known_add(member, peer->node, peer->meeting.version);
    known_each(his.known, member, join_with);
    meeting_reset(peer); /* the lock is given back; the message may have been kept there */
    registrar_kick(member);
    sync_in_sync(member, peer->node);
}

static struct cn_term read_lock(struct cn_term extra)
{
    struct cn_reader reader;
    uint32_t count = 0;
    struct cn_term lock = {0};

    cn_reader_init(&reader, extra);
    (void)cn_read_list(&reader, &count);
    for (; count > 0; count--) {
        struct cn_bytes key;
        struct cn_term value;

        if (!cn_read_this_tuple(&reader, 2) || !cn_read_atom(&reader, &key) ||
            !cn_read_term(&reader, &value))
            break;
        if (cn_bytes_equal(key, "lock"))
            lock = value;
    }
    return lock;
}

static bool is_nil(struct cn_term list)
{
    struct cn_reader reader;
    uint32_t count = 1;

    cn_reader_init(&reader, list);
    return cn_read_list(&reader, &count) && count == 0;
}

bool exchange_take_new_nodes(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    char from[CN_NODE_NAME_MAX + 1];
    struct cn_term ops;
    struct cn_term external;
    struct cn_term nodes;
    struct cn_term extra;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 6) || !cn_read_this_atom(&reader, "new_nodes"))
        return false;
    if (!known_read_node(&reader, &from) || !cn_read_term(&reader, &ops) ||
        !cn_read_term(&reader, &external) || !cn_read_term(&reader, &nodes) ||
        !cn_read_term(&reader, &extra))
        return true;
    known_add_list(member, nodes);
    apply_all(member, &(struct ops){ops, external, locks_allow_id(member, read_lock(extra)),
                                    !is_nil(nodes), from});
    registrar_kick(member);
    return true;
}
