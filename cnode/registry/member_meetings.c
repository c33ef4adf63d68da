/*
 * Meetings: two nodes meet.
 *
 * Both send init_connect with a tag of their own; every later message of the meeting carries the
 * receiver's tag, so that what belongs to an earlier attempt is told apart and dropped. An
 * acknowledgement with other tags than ours, or a second init_connect, shows that the two are out
 * of step: we cancel on the other side and begin again, as it does when told so. The drawing is in
 * member.h.
 *
 * We acknowledge nothing ourselves. A BEAM node of OTP 27 or 29 that gets an acknowledgement after
 * it has come to know the sender through somebody else, which takes a join that is quicker than the
 * answer, takes it for the sign of a lost connection: it deletes the sender's names, still knows
 * the sender, and nobody brings the names back. What the acknowledgement is for, a connection that
 * only one side has lost, cannot stay unseen here: ups, downs and messages come in their order.
 */
#include "base/trace.h"

#include <errno.h>
#include <string.h>

#include "registry/member_internal.h"
#include "registry/member_sync.h"

static const struct sm_state meeting_states[] = {
    [MEETING_IDLE] = {"idle", SM_TO(MEETING_CALLED), .initial = true},
    [MEETING_CALLED] = {"called", SM_TO(MEETING_MET) | SM_TO(MEETING_IDLE)},
    [MEETING_MET] = {"met", SM_TO(MEETING_LOCKED) | SM_TO(MEETING_IDLE)},
    [MEETING_LOCKED] = {"locked", SM_TO(MEETING_RESOLVING) | SM_TO(MEETING_IDLE)},
    [MEETING_RESOLVING] = {"resolving", SM_TO(MEETING_RESOLVED) | SM_TO(MEETING_IDLE)},
    [MEETING_RESOLVED] = {"resolved", SM_TO(MEETING_IDLE)},
};

static const struct sm_table meeting_table = SM_TABLE("meeting", meeting_states);

void meeting_init(struct peer *peer)
{
    sm_init(&peer->meeting.sm, &meeting_table, 0, MEETING_IDLE);
    list_init(&peer->meeting.waiting);
}

void meeting_reset(struct peer *peer)
{
    struct meeting *meeting = &peer->meeting;

    if (sm_state(&meeting->sm) == MEETING_IDLE)
        return;
    locker_cancel(peer);
    trace("registry", "meeting with %s: %s -> idle", peer->node, sm_name(&meeting->sm));
    sm_move(&meeting->sm, MEETING_IDLE);
    meeting->my_tag = 0;
    meeting->open = 0;
    meeting->offered = false;
    kept_clear(&meeting->his_tag);
    kept_clear(&meeting->lock_id);
    kept_clear(&meeting->exchange);
    kept_clear(&meeting->resolved);
    cn_writer_free(&meeting->ops.writer);
    cn_writer_free(&meeting->verdicts.writer);
}

struct peer *meeting_find(struct member *member, const char *node, uint64_t tag)
{
    struct peer *peer = known_find(member, node);

    return peer != NULL && tag != 0 && peer->meeting.my_tag == tag ? peer : NULL;
}

int meeting_call(struct peer *peer)
{
    struct member *member = peer->member;
    struct meeting *meeting = &peer->meeting;
    struct cn_writer writer;

    meeting->my_tag = ++member->next_tag;
    meeting->ops.count = 0;
    meeting->verdicts.count = 0;
    cn_writer_init(&meeting->ops.writer, 0);
    cn_writer_init(&meeting->verdicts.writer, 0);
    sm_move(&meeting->sm, MEETING_CALLED);
    trace("registry", "meeting with %s: idle -> called", peer->node);

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 4);
    cn_write_atom(&writer, "init_connect");
    cn_write_tuple(&writer, 2);
    cn_write_integer(&writer, GLOBAL_VERSION);
    cn_write_unsigned(&writer, meeting->my_tag);
    cn_write_atom(&writer, procs_node(member->procs));
    cn_write_tuple(&writer, 4);
    cn_write_atom(&writer, "locker");
    cn_write_atom(&writer, "no_longer_a_pid");
    cn_write_map(&writer, 0);
    cn_write_pid(&writer, gen_server_pid(member->locker_server));
    member_cast(member, peer->node, &writer);
    return 0;
}

static void send_cancel(struct peer *peer, struct cn_term his_tag)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "cancel_connect");
    cn_write_atom(&writer, procs_node(peer->member->procs));
    cn_write_term(&writer, his_tag);
    member_send(peer->member, peer->node, &writer);
}

void meeting_restart(struct peer *peer)
{
    if (sm_state(&peer->meeting.sm) >= MEETING_MET && peer->meeting.version >= 8)
        send_cancel(peer, kept_term(&peer->meeting.his_tag));
    meeting_reset(peer);
    if (peer->up && !peer->known)
        (void)meeting_call(peer);
}

/* {init_connect, {Version, Tag, ...}, Node, {locker, _, _, Locker}} */
struct call_in {
    int64_t version;
    struct cn_term tag;
    char node[CN_NODE_NAME_MAX + 1];
    struct cn_pid locker;
};

static bool read_call(struct cn_reader *reader, struct call_in *ret_call)
{
    uint32_t arity = 0;

    if (!cn_read_tuple(reader, &arity) || arity < 2 ||
        !cn_read_integer(reader, &ret_call->version) || !cn_read_term(reader, &ret_call->tag))
        return false;
    for (; arity > 2; arity--)
        (void)cn_skip(reader);
    return known_read_node(reader, &ret_call->node) && cn_read_this_tuple(reader, 4) &&
           cn_skip(reader) && cn_skip(reader) && cn_skip(reader) &&
           cn_read_pid(reader, &ret_call->locker) &&
           strcmp(ret_call->node, ret_call->locker.node) == 0;
}

static void meet(struct peer *peer, const struct call_in *call)
{
    struct meeting *meeting = &peer->meeting;

    if (kept_set(&meeting->his_tag, call->tag) != 0) {
        member_part(peer->member, peer->node);
        return;
    }
    meeting->version = call->version;
    meeting->locker = call->locker;
    sm_move(&meeting->sm, MEETING_MET);
    trace("registry", "meeting with %s: called -> met", peer->node);
    locker_add(peer);
}

static void take_call(struct member *member, struct cn_reader *reader)
{
    struct call_in call;
    struct peer *peer = NULL;

    if (!read_call(reader, &call) || call.version < 5)
        return;
    peer = known_find(member, call.node);
    if (peer == NULL || !peer->up || peer->known)
        return;
    if (sm_state(&peer->meeting.sm) >= MEETING_MET) {
        send_cancel(peer, call.tag);
        meeting_reset(peer);
        (void)meeting_call(peer);
        return;
    }
    if (sm_state(&peer->meeting.sm) == MEETING_IDLE)
        (void)meeting_call(peer);
    meet(peer, &call);
}

static bool is_tag(struct cn_reader *reader, uint64_t tag)
{
    int64_t number = 0;

    return cn_read_integer(reader, &number) && tag != 0 && (uint64_t)number == tag;
}

/* {init_connect_ack, Node, OurTag, HisTag} */
static void take_ack(struct member *member, struct cn_reader *reader)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct peer *peer = NULL;
    struct cn_term ours;
    struct cn_term his;
    struct cn_reader tag;

    if (!known_read_node(reader, &node) || !cn_read_term(reader, &ours) ||
        !cn_read_term(reader, &his))
        return;
    peer = known_find(member, node);
    if (peer == NULL || sm_state(&peer->meeting.sm) == MEETING_IDLE)
        return;
    cn_reader_init(&tag, ours);
    if (is_tag(&tag, peer->meeting.my_tag) && peer->meeting.his_tag.data != NULL &&
        cn_term_equal(kept_term(&peer->meeting.his_tag), his))
        return;
    send_cancel(peer, his);
    meeting_reset(peer);
    if (peer->up && !peer->known)
        (void)meeting_call(peer);
}

/* {cancel_connect, Node, OurTag} */
static void take_cancel(struct member *member, struct cn_reader *reader)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct peer *peer = NULL;

    if (!known_read_node(reader, &node))
        return;
    peer = known_find(member, node);
    if (peer != NULL && is_tag(reader, peer->meeting.my_tag))
        meeting_restart(peer);
}

/* {in_sync, Node, _}: it has our names from somebody else. */
static void take_in_sync(struct member *member, struct cn_reader *reader)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct peer *peer = NULL;

    if (!known_read_node(reader, &node))
        return;
    peer = known_find(member, node);
    if (peer == NULL)
        return;
    trace("registry", "%s is in sync", node);
    peer->synced = true;
    meeting_reset(peer);
    registrar_kick(member);
    sync_in_sync(member, node);
}

/* {lock_set, Locker, IsSet, Known [, OurTag]}: his partition is locked, or is not. */
static void take_lock_set(struct member *member, struct cn_reader *reader, uint32_t arity)
{
    struct cn_pid locker;
    bool set = false;
    struct peer *peer = NULL;

    if (!cn_read_pid(reader, &locker) || !cn_read_bool(reader, &set) || !cn_skip(reader))
        return;
    peer = known_find(member, locker.node);
    if (peer == NULL || (arity == 5 && !is_tag(reader, peer->meeting.my_tag)))
        return;
    if (sm_state(&peer->meeting.sm) >= MEETING_MET)
        locker_lock_set(peer, set);
}

/* The meeting that {exchange | resolved, Node, ..., OurTag} belongs to; NULL: to none. */
static struct peer *meeting_of(struct member *member, struct cn_term message, unsigned arity)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct cn_reader reader;
    struct peer *peer = NULL;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, arity) || !cn_skip(&reader) ||
        !known_read_node(&reader, &node))
        return NULL;
    for (; arity > 3; arity--)
        (void)cn_skip(&reader);
    peer = known_find(member, node);
    return peer != NULL && is_tag(&reader, peer->meeting.my_tag) ? peer : NULL;
}

static void keep(struct peer *peer, struct kept *kept, struct cn_term message)
{
    if (kept_set(kept, message) != 0)
        member_part(peer->member, peer->node);
}

/* {exchange, Node, Names, _, OurTag} */
static void take_exchange(struct member *member, struct cn_term message)
{
    struct peer *peer = meeting_of(member, message, 5);

    if (peer == NULL)
        return;
    if (sm_state(&peer->meeting.sm) == MEETING_LOCKED)
        exchange_begin(peer, message);
    else if (sm_state(&peer->meeting.sm) == MEETING_MET)
        keep(peer, &peer->meeting.exchange, message);
}

/* {resolved, Node, Verdicts, Known, _, External, OurTag} */
static void take_resolved(struct member *member, struct cn_term message)
{
    struct peer *peer = meeting_of(member, message, 7);

    if (peer == NULL)
        return;
    if (sm_state(&peer->meeting.sm) == MEETING_RESOLVED)
        exchange_finish(peer, message);
    else if (sm_state(&peer->meeting.sm) >= MEETING_LOCKED)
        keep(peer, &peer->meeting.resolved, message);
}

static void send_names(struct peer *peer)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 5);
    cn_write_atom(&writer, "exchange");
    cn_write_atom(&writer, procs_node(peer->member->procs));
    roster_write_names(peer->member, &writer);
    cn_write_nil(&writer);
    cn_write_term(&writer, kept_term(&peer->meeting.his_tag));
    member_cast(peer->member, peer->node, &writer);
}

void meeting_locked(struct peer *peer, struct cn_term lock_id)
{
    struct meeting *meeting = &peer->meeting;

    if (kept_set(&meeting->lock_id, lock_id) != 0) {
        member_part(peer->member, peer->node);
        return;
    }
    sm_move(&meeting->sm, MEETING_LOCKED);
    trace("registry", "meeting with %s: met -> locked", peer->node);
    send_names(peer);
    if (meeting->exchange.data != NULL)
        exchange_begin(peer, kept_term(&meeting->exchange));
}

bool meetings_take_cast(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes verb;
    uint32_t arity = 0;

    cn_reader_init(&reader, message);
    if (!cn_read_tuple(&reader, &arity) || !cn_read_atom(&reader, &verb))
        return false;
    if (cn_bytes_equal(verb, "init_connect") && arity == 4)
        take_call(member, &reader);
    else if (cn_bytes_equal(verb, "in_sync") && arity == 3)
        take_in_sync(member, &reader);
    else if (cn_bytes_equal(verb, "lock_set") && (arity == 4 || arity == 5))
        take_lock_set(member, &reader, arity);
    else if (cn_bytes_equal(verb, "exchange"))
        take_exchange(member, message);
    else if (cn_bytes_equal(verb, "resolved"))
        take_resolved(member, message);
    else
        return false;
    return true;
}

bool meetings_take_info(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes verb;
    uint32_t arity = 0;

    cn_reader_init(&reader, message);
    if (!cn_read_tuple(&reader, &arity) || !cn_read_atom(&reader, &verb))
        return false;
    if (cn_bytes_equal(verb, "init_connect_ack") && arity == 4)
        take_ack(member, &reader);
    else if (cn_bytes_equal(verb, "cancel_connect") && arity == 3)
        take_cancel(member, &reader);
    else
        return false;
    return true;
}
