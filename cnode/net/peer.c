/*
 * One peer: its dials, its connection, its comings and goings.
 *
 * A peer that goes back to IDLE is freed there unless it is kept, so a function that may lead
 * there is the last thing its caller does with the peer.
 */
#include "net/peer.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "base/text.h"
#include "dist/flags.h"
#include "net/sender.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 10000
#define STEADY_MS      10000 /* a connection that lasted so long starts the backoff anew */
#define COURTESY_MS    300   /* how long a peer that is greeting us may go first */
#define DEFERRED_MS    7000

static const struct sm_state peer_states[] = {
    [PEER_IDLE] = {"idle", SM_TO(PEER_DIALLING) | SM_TO(PEER_UP), .initial = true},
    [PEER_DIALLING] = {"dialling", SM_TO(PEER_IDLE) | SM_TO(PEER_DEFERRED) | SM_TO(PEER_UP)},
    [PEER_DEFERRED] = {"deferred", SM_TO(PEER_IDLE) | SM_TO(PEER_UP)},
    [PEER_UP] = {"up", SM_TO(PEER_IDLE) | SM_TO(PEER_CLOSING) | SM_TO(PEER_DEFERRED)},
    [PEER_CLOSING] = {"closing", SM_TO(PEER_IDLE) | SM_TO(PEER_DEFERRED)},
};
static const struct sm_table peer_table = SM_TABLE("peer", peer_states);

static void on_timer(void *context);

struct peer *peer_find(const struct peers *peers, const char *name)
{
    struct peer *peer;

    map_find(peers->by_name, name, strlen(name), peer);
    return peer;
}

struct peer *peer_obtain(struct peers *peers, const char *name)
{
    struct peer *peer = peer_find(peers, name);

    if (peer != NULL)
        return peer;
    peer = mem_zalloc(sizeof(*peer));
    if (peer == NULL)
        return NULL;
    text_copy(peer->name, sizeof(peer->name), name);
    peer->peers = peers;
    peer->backoff_ms = BACKOFF_MIN_MS;
    sm_init(&peer->sm, &peer_table, ++peers->connections->next_id, PEER_IDLE);
    outbox_init(&peer->waiting, peers->config.queue_bytes_max);
    loop_timer_init(&peer->timer, peers->connections->loop, on_timer, peer);
    busy_init(peer);
    if (!map_add(peers->by_name, peer->name, strlen(peer->name), peer)) {
        mem_free(peer);
        return NULL;
    }
    return peer;
}

/* Let go of every attempt to reach the peer. */
static void drop_attempts(struct peer *peer)
{
    loop_timer_stop(&peer->timer);
    peer->dial = dial_cancel(peer->dial);
    if (peer->outgoing != NULL)
        connection_drop(peer->outgoing);
    peer->outgoing = NULL;
}

void peer_free(struct peer *peer)
{
    drop_attempts(peer);
    busy_forget(peer);
    if (peer->connection != NULL)
        connection_drop(peer->connection);
    outbox_deinit(&peer->waiting);
    map_remove(peer->peers->by_name, peer);
    if (peer->peers->latest == peer)
        peer->peers->latest = NULL;
    mem_free(peer);
}

/* The first dial of a kept peer has ended, well or not. Tells whether it was the last of them. */
static bool note_tried(struct peer *peer)
{
    struct peers *peers = peer->peers;

    if (!peer->kept || peer->tried)
        return false;
    peer->tried = true;
    peers->untried--;
    return peers->untried == 0 && peers->started;
}

void peer_retry(struct peer *peer)
{
    uint32_t base = peer->backoff_ms;

    loop_timer_start(&peer->timer, base / 2 + randombytes_uniform(base / 2 + 1));
    peer->backoff_ms = base * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : base * 2;
}

/*
 * Back to IDLE, and tell that the peer is down unless @reason is NULL: whoever hears it may dial
 * the peer anew. A kept peer is dialled again, another is forgotten.
 */
static void become_idle(struct peer *peer, const char *reason)
{
    struct peers *peers = peer->peers;
    const struct network_events *events = peers->config.events;
    bool all_tried = note_tried(peer);
    char name[sizeof(peer->name)];

    text_copy(name, sizeof(name), peer->name);
    peer->asked = false;
    busy_forget(peer);
    sm_move(&peer->sm, PEER_IDLE);
    if (peer->kept && !peers->stopped)
        peer_retry(peer);
    if (reason != NULL && !peers->stopped) {
        events->peer_down(events->context, name, reason);
        peer = peer_find(peers, name);
    }
    if (peer != NULL && sm_state(&peer->sm) == PEER_IDLE && (!peer->kept || peers->stopped))
        peer_free(peer);
    if (all_tried)
        peers->config.all_tried(peers->config.context);
}

/* The same failure of a kept peer is logged once, its repetitions as debug lines. */
static void log_failure(struct peer *peer, const char *detail)
{
    bool again = strcmp(peer->told, detail) == 0;

    text_copy(peer->told, sizeof(peer->told), detail);
    peers_log(peer->peers, again ? 0 : 2, "dial.failed", "%s: %s", peer->name, detail);
}

/* No connection came of it. */
static void attempt_failed(struct peer *peer, const char *detail)
{
    log_failure(peer, detail);
    drop_attempts(peer);
    outbox_deinit(&peer->waiting);
    peer->overflown = false;
    become_idle(peer, peer->asked ? "noconnection" : NULL);
}

static void on_outgoing_up(void *context, struct connection *connection)
{
    struct peer *peer = context;

    peer->outgoing = NULL;
    peer_take(peer, connection);
}

static void on_outgoing_closed(void *context, struct connection *connection)
{
    struct peer *peer = context;
    char where[ADDRESS_TEXT_MAX];
    char detail[384];

    peer->outgoing = NULL;
    if (handshake_state(connection_handshake(connection)) == HANDSHAKE_DEFERRED) {
        sm_move(&peer->sm, PEER_DEFERRED);
        loop_timer_start(&peer->timer, DEFERRED_MS);
        return;
    }
    address_text(connection_address(connection), where);
    text_format(detail, sizeof(detail), "at %s: %s", where, connection_detail(connection));
    attempt_failed(peer, detail);
}

static void on_reached(void *context, struct connection *connection)
{
    static const struct connection_events events = {.up = on_outgoing_up,
                                                    .closed = on_outgoing_closed};
    struct peer *peer = context;

    peer->dial = NULL;
    peer->outgoing = connection;
    connection_set_events(connection, &events, peer);
}

static void on_dial_failed(void *context, const char *detail)
{
    struct peer *peer = context;

    peer->dial = NULL;
    attempt_failed(peer, detail);
}

static int start_dial(struct peer *peer)
{
    static const struct dial_events events = {.reached = on_reached, .failed = on_dial_failed};

    return dial_new(peer->peers->connections, peer->name, peer->peers->config.epmd_port, &events,
                    peer, &peer->dial);
}

int peer_dial(struct peer *peer)
{
    int rc;

    loop_timer_stop(&peer->timer);
    sm_move(&peer->sm, PEER_DIALLING);
    if (connections_greeted_by(peer->peers->connections, peer->name)) {
        loop_timer_start(&peer->timer, COURTESY_MS);
        return 0;
    }
    rc = start_dial(peer);
    if (rc != 0)
        sm_move(&peer->sm, PEER_IDLE);
    return rc;
}

static void on_timer(void *context)
{
    struct peer *peer = context;
    int rc = 0;

    if (peer->overflown) {
        attempt_failed(peer, "more waits to be sent to it than the limit allows");
        return;
    }
    switch (sm_state(&peer->sm)) {
    case PEER_IDLE:
        rc = peer_dial(peer);
        if (rc != 0)
            peer_retry(peer);
        break;
    case PEER_DIALLING:
        rc = start_dial(peer);
        if (rc != 0)
            attempt_failed(peer, error_name(rc));
        break;
    case PEER_DEFERRED:
        attempt_failed(peer, "it said that it dials us itself, and did not");
        break;
    default:
        break;
    }
}

static void log_down(struct peer *peer)
{
    const char *reason = connection_reason(peer->connection);
    bool ordinary = strcmp(reason, "disconnect") == 0 || strcmp(reason, "connection_closed") == 0;

    if (!peer->peers->stopped)
        peers_log(peer->peers, ordinary ? 1 : 2, "peer.down", "%s: %s (%s)", peer->name, reason,
                  connection_detail(peer->connection));
}

static void on_closed(void *context, struct connection *connection)
{
    struct peer *peer = context;

    log_down(peer);
    peer->connection = NULL;
    if (loop_now_ms(peer->peers->connections->loop) - peer->up_ms > STEADY_MS)
        peer->backoff_ms = BACKOFF_MIN_MS;
    become_idle(peer, connection_reason(connection));
}

static int on_deliver(void *context, struct connection *connection, const struct control *control,
                      struct cn_term message)
{
    struct peer *peer = context;
    const struct network_events *events = peer->peers->config.events;

    return events->deliver(events->context, &peer->info, control, message);
}

/*
 * The old connection's place is taken: its end comes first. What is sent now waits for the new
 * one.
 */
static void give_way(struct peer *peer)
{
    const struct network_events *events = peer->peers->config.events;
    struct connection *old = peer->connection;
    const char *reason = connection_is_closing(old) ? connection_reason(old) : "connection_closed";

    peers_log(peer->peers, 1, "peer.replaced", "%s: it connected anew", peer->name);
    peer->connection = NULL;
    busy_forget(peer);
    connection_drop(old);
    sm_move(&peer->sm, PEER_DEFERRED);
    peer->taking = true;
    events->peer_down(events->context, peer->name, reason);
    peer->taking = false;
}

static void fill_info(struct peer *peer, struct connection *connection)
{
    struct handshake *handshake = connection_handshake(connection);
    uint64_t flags = handshake_flags(handshake);

    peer->info = (struct peer_info){
        .node = peer->name,
        .creation = handshake_peer_creation(handshake),
        .flags = flags,
        .hidden = (flags & FLAG_PUBLISHED) == 0,
        .published = (handshake->peer_flags & FLAG_PUBLISHED) != 0,
        .initiated = connection_initiated(connection),
    };
}

void peer_take(struct peer *peer, struct connection *connection)
{
    static const struct connection_events events = {.deliver = on_deliver, .closed = on_closed};
    const struct network_events *told = peer->peers->config.events;
    char where[ADDRESS_TEXT_MAX];

    if (peer->connection != NULL)
        give_way(peer);
    drop_attempts(peer);
    fill_info(peer, connection);
    peer->connection = connection;
    peer->up_ms = loop_now_ms(peer->peers->connections->loop);
    peer->told[0] = '\0';
    peer->asked = false;
    connection_set_events(connection, &events, peer);
    sm_move(&peer->sm, PEER_UP);
    address_text(connection_address(connection), where);
    peers_log(peer->peers, 1, "peer.up", "%s at %s%s", peer->name, where,
              peer->info.hidden ? ", hidden" : "");
    peer->overflown = false;
    if (sender_move(connection_sender(connection), &peer->waiting) != 0)
        connection_close(connection, "no_memory");
    connection_wants_flush(connection);
    told->peer_up(told->context, &peer->info);
    if (note_tried(peer))
        peer->peers->config.all_tried(peer->peers->config.context);
}

void peer_overflow(struct peer *peer)
{
    peer->overflown = true;
    loop_timer_start(&peer->timer, 0);
}

void peer_close(struct peer *peer, const char *reason)
{
    sm_move(&peer->sm, PEER_CLOSING);
    connection_close(peer->connection, reason);
}
