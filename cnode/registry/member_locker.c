/*
 * The locker: one join at a time, under one lock of both partitions.
 *
 *     idle ──► claiming ──► asking ──► held ──► releasing ──► idle
 *      ▲          │  └────────────────►┘▲          ▲
 *      │          │             └───────┼──────────┤ he could not, or it was cancelled
 *      └──────────┘ not free            └──────────┘
 *
 * Who begins claims the lock here, at the nodes known here, and at the other node; then it asks the
 * other locker for its partition (lock_set) and waits for the answer. Who is asked claims its own
 * partition and answers. Both know the same lock id, the two lockers' pids in order, so that both
 * may begin at once without being in each other's way: the question of one is the answer to the
 * other. The lock is held until the meeting says that all is done or cancelled.
 *
 * A BEAM node waits 200 ms when it knows nobody, else a second or more, before it begins; so do we,
 * by a random delay. After a join that succeeded we begin with the next one at once, but with
 * nobody who has been up for less than those 200 ms: he may be meeting our partition's members one
 * by one, and a join that overtakes their words costs him their names (member_meetings.c).
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "etf/compare.h"
#include "registry/member_internal.h"

#define ALONE_MS  200u
#define WAIT_MS   600u
#define SPREAD_MS 900u
#define HURRY_MS  5u

enum locker_state {
    LOCKER_IDLE,
    LOCKER_CLAIMING,
    LOCKER_ASKING,
    LOCKER_HELD,
    LOCKER_RELEASING,
};

static const struct sm_state locker_states[] = {
    [LOCKER_IDLE] = {"idle", SM_TO(LOCKER_CLAIMING), .initial = true},
    [LOCKER_CLAIMING] = {"claiming", SM_TO(LOCKER_ASKING) | SM_TO(LOCKER_HELD) |
                                         SM_TO(LOCKER_RELEASING) | SM_TO(LOCKER_IDLE)},
    [LOCKER_ASKING] = {"asking", SM_TO(LOCKER_HELD) | SM_TO(LOCKER_RELEASING)},
    [LOCKER_HELD] = {"held", SM_TO(LOCKER_RELEASING)},
    [LOCKER_RELEASING] = {"releasing", SM_TO(LOCKER_IDLE)},
};

static const struct sm_table locker_table = SM_TABLE("locker", locker_states);

void locker_init(struct member *member)
{
    struct locker *locker = &member->locker;

    sm_init(&locker->sm, &locker_table, 0, LOCKER_IDLE);
    list_init(&locker->waiting);
}

/* {global, [Pid, Pid]}, the pids in order. */
static void write_lock_id(const struct peer *peer, struct cn_writer *writer)
{
    const struct cn_pid *first = gen_server_pid(peer->member->locker_server);
    const struct cn_pid *second = &peer->meeting.locker;
    struct cn_writer a;
    struct cn_writer b;

    cn_writer_init(&a, 0);
    cn_writer_init(&b, 0);
    cn_write_pid(&a, first);
    cn_write_pid(&b, second);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "global");
    cn_write_list(writer, 2);
    if (cn_writer_error(&a) == 0 && cn_writer_error(&b) == 0 &&
        etf_compare(cn_writer_term(&a), cn_writer_term(&b)) > 0) {
        cn_write_term(writer, cn_writer_term(&b));
        cn_write_term(writer, cn_writer_term(&a));
    } else {
        cn_write_pid(writer, first);
        cn_write_pid(writer, second);
    }
    cn_write_nil(writer);
    cn_writer_free(&a);
    cn_writer_free(&b);
}

/* Nodes older than version 6 let the lockers talk to each other directly. */
static void send_lock_set(struct peer *peer, bool set)
{
    struct member *member = peer->member;
    struct meeting *meeting = &peer->meeting;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, meeting->version >= 8 ? 5 : 4);
    cn_write_atom(&writer, "lock_set");
    cn_write_pid(&writer, gen_server_pid(member->locker_server));
    cn_write_bool(&writer, set);
    known_write_nodes(member, false, &writer);
    if (meeting->version >= 8)
        cn_write_term(&writer, kept_term(&meeting->his_tag));
    if (meeting->version >= 6) {
        member_cast(member, peer->node, &writer);
        return;
    }
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(member->procs, gen_server_process(member->locker_server),
                             &meeting->locker, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static void arm(struct member *member)
{
    struct locker *locker = &member->locker;
    uint32_t delay_ms = WAIT_MS + member_random(member, SPREAD_MS);

    if (list_empty(&locker->waiting) || sm_state(&locker->sm) != LOCKER_IDLE ||
        locker->timer != 0 || member->locker_server == NULL)
        return;
    if (locker->hurry)
        delay_ms = HURRY_MS;
    else if (known_count(member) == 0)
        delay_ms = ALONE_MS;
    locker->hurry = false;
    (void)process_start_timer(gen_server_process(member->locker_server), delay_ms, &locker->timer);
}

static void begin(struct peer *peer, bool initiator);

/* Answer who waits for us, or begin by ourselves later. */
static void next(struct member *member)
{
    list_for_each(item, &member->locker.waiting) {
        struct peer *peer = container_of(item, struct peer, meeting.waiting);

        if (peer->meeting.offered) {
            peer->meeting.offered = false;
            begin(peer, false);
            return;
        }
    }
    arm(member);
}

/* With whom, unless that meeting was cancelled meanwhile. */
static struct peer *partner(struct member *member)
{
    return meeting_find(member, member->locker.node, member->locker.my_tag);
}

static void idle(struct member *member)
{
    struct locker *locker = &member->locker;

    sm_move(&locker->sm, LOCKER_IDLE);
    locker->claim = NULL;
    next(member);
}

static void release(struct member *member)
{
    sm_move(&member->locker.sm, LOCKER_RELEASING);
    claim_release(member->locker.claim);
}

/* Both partitions are locked. */
static void hold(struct member *member, struct peer *peer)
{
    struct locker *locker = &member->locker;

    sm_move(&locker->sm, LOCKER_HELD);
    locker->hurry = true;
    list_remove(&peer->meeting.waiting);
    meeting_locked(peer, kept_term(&locker->claim->id));
}

static void on_claimed(struct member *member)
{
    struct locker *locker = &member->locker;
    struct peer *peer = partner(member);

    if (peer == NULL) {
        release(member);
        return;
    }
    send_lock_set(peer, true);
    if (locker->initiator && !peer->meeting.offered) {
        sm_move(&locker->sm, LOCKER_ASKING);
        return;
    }
    peer->meeting.offered = false;
    hold(member, peer);
}

/* The lock could not be had. */
static void on_refused(struct member *member)
{
    struct locker *locker = &member->locker;
    struct peer *peer = partner(member);

    trace("registry", "the lock with %s is not free", locker->node);
    if (peer != NULL && !locker->initiator)
        send_lock_set(peer, false);
    idle(member);
}

static void on_claim(void *context, bool held)
{
    struct member *member = context;

    if (held)
        on_claimed(member);
    else if (sm_state(&member->locker.sm) == LOCKER_CLAIMING)
        on_refused(member);
    else
        idle(member);
}

static void begin(struct peer *peer, bool initiator)
{
    struct member *member = peer->member;
    struct locker *locker = &member->locker;
    struct cn_writer id;
    bool claimed = false;

    memcpy(locker->node, peer->node, sizeof(locker->node));
    locker->my_tag = peer->meeting.my_tag;
    locker->initiator = initiator;
    cn_writer_init(&id, 0);
    write_lock_id(peer, &id);
    if (cn_writer_error(&id) == 0 && locks_free_for(member, cn_writer_term(&id)))
        claimed = claim_start(member, member->locker_server, cn_writer_term(&id),
                              initiator ? peer->node : NULL, on_claim, member, &locker->claim) == 0;
    cn_writer_free(&id);
    if (claimed) {
        trace("registry", "locking with %s, %s", peer->node, initiator ? "first" : "asked");
        sm_move(&locker->sm, LOCKER_CLAIMING);
        return;
    }
    if (!initiator)
        send_lock_set(peer, false);
    arm(member);
}

void locker_add(struct peer *peer)
{
    struct member *member = peer->member;

    list_append(&member->locker.waiting, &peer->meeting.waiting);
    arm(member);
}

void locker_cancel(struct peer *peer)
{
    struct member *member = peer->member;
    struct locker *locker = &member->locker;

    list_remove(&peer->meeting.waiting);
    if (peer->meeting.my_tag == 0 || peer != partner(member))
        return;
    locker->my_tag = 0;
    if (member->locker_server == NULL)
        return;
    if (sm_state(&locker->sm) == LOCKER_CLAIMING)
        claim_cancel(locker->claim);
    else if (sm_state(&locker->sm) == LOCKER_ASKING || sm_state(&locker->sm) == LOCKER_HELD)
        release(member);
}

void locker_lock_set(struct peer *peer, bool set)
{
    struct member *member = peer->member;
    struct locker *locker = &member->locker;

    if (sm_state(&locker->sm) == LOCKER_ASKING && peer == partner(member)) {
        if (set)
            hold(member, peer);
        else
            release(member);
        return;
    }
    peer->meeting.offered = set && !list_empty(&peer->meeting.waiting);
    if (sm_state(&locker->sm) == LOCKER_IDLE)
        next(member);
}

static bool is_settled(const struct peer *peer)
{
    return procs_now_ms(peer->member->procs) - peer->up_ms >= ALONE_MS;
}

/* Begin with one of those who wait, and are not known through others by now. */
static void begin_with_one(struct member *member)
{
    struct locker *locker = &member->locker;
    uint32_t left = 0;

    list_for_each_safe(item, &locker->waiting) {
        const struct peer *peer = container_of(item, struct peer, meeting.waiting);

        if (peer->known)
            list_remove(item);
        else if (is_settled(peer))
            left++;
    }
    if (left == 0)
        return;
    left = member_random(member, left);
    list_for_each(item, &locker->waiting) {
        struct peer *peer = container_of(item, struct peer, meeting.waiting);

        if (is_settled(peer) && left-- == 0) {
            begin(peer, true);
            return;
        }
    }
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    struct member *member = state;

    member->locker.timer = 0;
    if (sm_state(&member->locker.sm) == LOCKER_IDLE && !locks_global_set(member))
        begin_with_one(member);
    arm(member);
}

/* {lock_set, Locker, IsSet, Known}, from a node older than version 6. */
static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    (void)meetings_take_cast(state, message);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    member_server_ended(state, self);
}

const struct gen_server_callbacks member_locker_callbacks = {
    .module = "global",
    .handle_info = on_info,
    .handle_timer = on_timer,
    .terminate = on_terminate,
};
