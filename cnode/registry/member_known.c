/*
 * Who is known: the nodes that have joined, and share one table with us.
 *
 * A node is up, or known, or both: whoever joins others names all it knows (new_nodes), so that
 * nodes become known before there is a connection; a cast of in_sync then makes one.
 *
 * A node that loses a connection tells everybody (lost_connection), and whoever hears of it parts
 * from the one that was lost, so that no two nodes see different clusters. We pass each such
 * message on, once, and do as it says; we never begin one: a node that lost its link to us says
 * so itself, and only we must go. Which losses were heard of is remembered for an hour.
 *
 * A node that stood still, or was cut off, hears late of all that it lost meanwhile, and tells
 * those who are there again: us, since we dial again at once. What it says then, before it has
 * joined anew, is about a partition that is no more; passed on, it would part nodes that have never
 * lost each other. So who is up again and has not joined is not believed. Who wants us to go has
 * forgotten us, whatever we think of it: that connection is of no use and is closed.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/trace.h"
#include "registry/member_internal.h"

#define LOST_KEEP_MS UINT64_C(3600000)
#define LOST_MAX     4096u
#define PEERS_MAX    4096u

/* A loss that was heard of: @from lost its connection to another, in its incarnation @creation. */
struct lost {
    struct map_handle hh;
    int64_t creation;
    int64_t number;
    uint64_t heard_ms;
    size_t key_size;
    char key[]; /* both nodes, with a space between */
};

struct peer *known_find(const struct member *member, const char *node)
{
    struct peer *peer = NULL;

    map_find(member->peers, node, strlen(node), peer);
    return peer;
}

struct peer *known_get(struct member *member, const char *node)
{
    struct peer *peer = known_find(member, node);

    if (peer != NULL || strchr(node, '@') == NULL || map_count(member->peers) >= PEERS_MAX)
        return peer;
    peer = mem_zalloc(sizeof(*peer));
    if (peer == NULL)
        return NULL;
    peer->member = member;
    (void)text_copy(peer->node, sizeof(peer->node), node);
    meeting_init(peer);
    if (!map_add(member->peers, peer->node, strlen(peer->node), peer)) {
        mem_free(peer);
        return NULL;
    }
    return peer;
}

static void peer_free(struct peer *peer)
{
    meeting_reset(peer);
    map_remove(peer->member->peers, peer);
    mem_free(peer);
}

bool known_read_node(struct cn_reader *reader, char (*ret_node)[CN_NODE_NAME_MAX + 1])
{
    struct cn_bytes node;

    return cn_read_atom(reader, &node) &&
           text_copy_bytes(*ret_node, sizeof(*ret_node), node.data, node.size) == 0;
}

int known_up(struct member *member, const char *node)
{
    struct peer *peer = known_get(member, node);

    if (peer == NULL)
        return -ENOMEM;
    peer->up = true;
    peer->joined = peer->known;
    peer->up_ms = procs_now_ms(member->procs);
    if (peer->known || sm_state(&peer->meeting.sm) != MEETING_IDLE)
        return 0;
    return meeting_call(peer);
}

void known_forget(struct peer *peer)
{
    if (peer->known)
        trace("registry", "%s is not known any more", peer->node);
    peer->known = false;
    peer->synced = false;
    meeting_reset(peer);
    registrar_kick(peer->member);
}

void known_down(struct member *member, const char *node)
{
    struct peer *peer = known_find(member, node);

    watched_node_down(member, node);
    if (peer == NULL)
        return;
    known_forget(peer);
    peer->up = false;
    if (!peer->connected)
        peer_free(peer);
}

bool known_add(struct member *member, const char *node, int64_t version)
{
    bool ours = strcmp(node, procs_node(member->procs)) == 0;
    struct peer *peer = ours ? NULL : known_get(member, node);

    if (peer == NULL || peer->known)
        return false;
    trace("registry", "%s is known", node);
    peer->known = true;
    peer->joined = true;
    peer->version = version;
    slice_forget(&member->registrar.slice);
    return true;
}

void known_in_sync(struct member *member, const char *node)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "in_sync");
    cn_write_atom(&writer, procs_node(member->procs));
    cn_write_bool(&writer, true);
    member_cast(member, node, &writer);
}

void known_each(struct cn_term nodes, void *context, known_visit visit)
{
    struct cn_reader reader;
    uint32_t count = 0;

    cn_reader_init(&reader, nodes);
    (void)cn_read_list(&reader, &count);
    for (; count > 0; count--) {
        char node[CN_NODE_NAME_MAX + 1];
        int64_t version = 0;
        bool pair = cn_peek(&reader) == CN_TYPE_TUPLE && cn_read_this_tuple(&reader, 2);

        if (!known_read_node(&reader, &node) || (pair && !cn_read_integer(&reader, &version)))
            return;
        visit(context, node, version);
    }
}

static void add_listed(void *context, const char *node, int64_t version)
{
    if (known_add(context, node, version))
        known_in_sync(context, node);
}

void known_add_list(struct member *member, struct cn_term nodes)
{
    known_each(nodes, member, add_listed);
}

static bool is_known(const struct peer *peer)
{
    return peer->known;
}

static bool is_synced(const struct peer *peer)
{
    return peer->synced;
}

static bool is_connected(const struct peer *peer)
{
    return peer->connected;
}

static uint32_t count(const struct member *member, bool (*is_listed)(const struct peer *peer))
{
    uint32_t count = 0;

    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next)
        count += is_listed(peer) ? 1 : 0;
    return count;
}

size_t known_count(const struct member *member)
{
    return count(member, is_known);
}

static void write_list(const struct member *member, bool (*is_listed)(const struct peer *peer),
                       struct cn_writer *writer)
{
    cn_write_list(writer, count(member, is_listed));
    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next) {
        if (is_listed(peer))
            cn_write_atom(writer, peer->node);
    }
    cn_write_nil(writer);
}

void known_write_nodes(const struct member *member, bool synced, struct cn_writer *writer)
{
    write_list(member, synced ? is_synced : is_known, writer);
}

void known_write_connected(const struct member *member, struct cn_writer *writer)
{
    write_list(member, is_connected, writer);
}

void known_write_known(const struct member *member, int64_t version, struct cn_writer *writer)
{
    if (version < 7) {
        known_write_nodes(member, false, writer);
        return;
    }
    cn_write_list(writer, count(member, is_known));
    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next) {
        if (!peer->known)
            continue;
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, peer->node);
        cn_write_integer(writer, peer->version);
    }
    cn_write_nil(writer);
}

/* Lost connections. */

static bool is_met(const struct peer *peer)
{
    return sm_state(&peer->meeting.sm) >= MEETING_MET;
}

static int64_t version_of(const struct peer *peer)
{
    return peer->known ? peer->version : is_met(peer) ? peer->meeting.version : 0;
}

static void lost_free(struct member *member, struct lost *lost)
{
    map_remove(member->lost, lost);
    mem_free(lost);
}

static void forget_old_losses(struct member *member)
{
    uint64_t now_ms = procs_now_ms(member->procs);
    struct lost *lost = NULL;
    struct lost *next = NULL;

    map_for_each(member->lost, lost, next)
    {
        if (now_ms - lost->heard_ms > LOST_KEEP_MS || map_count(member->lost) >= LOST_MAX)
            lost_free(member, lost);
    }
}

static struct lost *lost_get(struct member *member, const char *from, const char *to)
{
    char key[2 * CN_NODE_NAME_MAX + 2];
    struct lost *lost = NULL;
    size_t size;

    (void)text_format(key, sizeof(key), "%s %s", from, to);
    size = strlen(key);
    map_find(member->lost, key, size, lost);
    if (lost != NULL)
        return lost;
    forget_old_losses(member);
    lost = mem_zalloc(sizeof(*lost) + size);
    if (lost == NULL)
        return NULL;
    lost->key_size = size;
    memcpy(lost->key, key, size);
    if (!map_add(member->lost, lost->key, lost->key_size, lost)) {
        mem_free(lost);
        return NULL;
    }
    return lost;
}

/* Remember a loss; false when it was heard of before. Without memory it counts as heard of. */
static bool is_news(struct member *member, const char *from, const char *to, int64_t creation,
                    int64_t number)
{
    struct lost *lost = lost_get(member, from, to);
    bool news = lost != NULL &&
                (lost->heard_ms == 0 || lost->creation != creation || lost->number < number);

    if (!news)
        return false;
    lost->creation = creation;
    lost->number = number;
    lost->heard_ms = procs_now_ms(member->procs) + 1;
    return true;
}

static void relay(struct member *member, struct cn_term message, const char *except)
{
    struct peer *peer = NULL;
    struct peer *next = NULL;

    map_for_each(member->peers, peer, next)
    {
        struct cn_writer writer;

        if (strcmp(peer->node, except) == 0 || version_of(peer) < 7)
            continue;
        cn_writer_init(&writer, 0);
        cn_write_term(&writer, message);
        member_send(member, peer->node, &writer);
    }
}

/* Somebody lost @node: it shall go. It closes the connection, being told to. */
static void expel(struct member *member, const char *node)
{
    struct peer *peer = known_find(member, node);
    struct cn_writer writer;

    if (peer == NULL || (!peer->known && !is_met(peer)))
        return;
    trace("registry", "%s shall go", node);
    if (version_of(peer) < 7) {
        member_part(member, node);
    } else {
        cn_writer_init(&writer, 0);
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "remove_connection");
        cn_write_atom(&writer, procs_node(member->procs));
        member_send(member, node, &writer);
    }
    known_forget(peer);
}

/* It may tell of what it lost before it came back. */
static bool is_behind(const struct member *member, const char *node)
{
    const struct peer *peer = known_find(member, node);

    return peer != NULL && peer->up && !peer->joined;
}

bool known_take_lost(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    char from[CN_NODE_NAME_MAX + 1];
    char to[CN_NODE_NAME_MAX + 1];
    int64_t creation = 0;
    int64_t number = 0;
    bool ours;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 5) || !cn_read_this_atom(&reader, "lost_connection"))
        return false;
    if (!known_read_node(&reader, &from) || !cn_read_integer(&reader, &creation) ||
        !cn_read_integer(&reader, &number) || !known_read_node(&reader, &to))
        return true;
    if (is_behind(member, from)) {
        trace("registry", "%s has yet to join, and says that it lost %s", from, to);
        return true;
    }
    if (!is_news(member, from, to, creation, number))
        return true;
    trace("registry", "%s lost %s", from, to);
    relay(member, message, from);
    ours = strcmp(to, procs_node(member->procs)) == 0;
    expel(member, ours ? from : to);
    return true;
}

bool known_take_remove(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    char node[CN_NODE_NAME_MAX + 1];
    struct peer *peer = NULL;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_this_atom(&reader, "remove_connection"))
        return false;
    if (known_read_node(&reader, &node))
        peer = known_find(member, node);
    if (peer == NULL)
        return true;
    trace("registry", "%s wants us to go", node);
    known_forget(peer);
    member_part(member, node);
    return true;
}

bool known_take_event(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes event;
    char node[CN_NODE_NAME_MAX + 1];

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_atom(&reader, &event) ||
        !known_read_node(&reader, &node))
        return false;
    if (cn_bytes_equal(event, "nodedown"))
        known_down(member, node);
    else if (!cn_bytes_equal(event, "nodeup"))
        return false;
    else if (known_up(member, node) != 0)
        member_part(member, node);
    return true;
}

void known_free_all(struct member *member)
{
    struct peer *peer = NULL;
    struct peer *next_peer = NULL;
    struct lost *lost = NULL;
    struct lost *next_lost = NULL;

    map_for_each(member->peers, peer, next_peer) peer_free(peer);
    map_for_each(member->lost, lost, next_lost) lost_free(member, lost);
}
