/*
 * The peers: the table, and what the layers above ask of it.
 */
#include "net/peers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "dist/flags.h"
#include "dist/node_name.h"
#include "net/peer.h"
#include "net/sending.h"

#define DIALS_MAX 128

void peers_log(struct peers *peers, int level, const char *event, const char *format, ...)
{
    const struct network_events *events = peers->config.events;
    char detail[768];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    events->log(events->context, level, event, detail);
}

int peers_new(struct connections *connections, const struct peers_config *config,
              struct peers **ret_peers)
{
    struct peers *peers = mem_zalloc(sizeof(*peers));

    if (peers == NULL)
        return -ENOMEM;
    peers->connections = connections;
    peers->config = *config;
    list_init(&peers->busy);
    cn_writer_init(&peers->scratch, 0);
    ticker_start(peers);
    *ret_peers = peers;
    return 0;
}

struct peers *peers_free(struct peers *peers)
{
    struct peer *peer;
    struct peer *next;

    if (peers == NULL)
        return NULL;
    map_for_each(peers->by_name, peer, next) peer_free(peer);
    loop_timer_stop(&peers->ticker);
    cn_writer_free(&peers->scratch);
    mem_free(peers);
    return NULL;
}

int peers_keep(struct peers *peers, const char *node)
{
    struct peer *peer;

    if (!node_name_valid(node, strlen(node)) || strcmp(node, peers->config.name) == 0)
        return CN_E_INVALID;
    peer = peer_obtain(peers, node);
    if (peer == NULL)
        return -ENOMEM;
    if (!peer->kept)
        peers->untried++;
    peer->kept = true;
    return 0;
}

void peers_start(struct peers *peers)
{
    struct peer *peer;
    struct peer *next;

    peers->started = true;
    map_for_each(peers->by_name, peer, next)
    {
        if (sm_state(&peer->sm) == PEER_IDLE)
            loop_timer_start(&peer->timer, 0);
    }
    if (peers->untried == 0)
        peers->config.all_tried(peers->config.context);
}

void peers_stop(struct peers *peers)
{
    struct peer *peer;
    struct peer *next;

    peers->stopped = true;
    map_for_each(peers->by_name, peer, next)
    {
        if (peer->connection == NULL && !peer->taking)
            peer_free(peer);
    }
}

/* What to say to a peer that tells its name: only looked up, since nothing is proven. */
static enum handshake_answer on_named(void *context, struct connection *connection)
{
    struct peers *peers = context;
    const char *name = handshake_peer(connection_handshake(connection));
    struct peer *peer = peer_find(peers, name);

    if (peers->stopped)
        return HANDSHAKE_NOT_ALLOWED;
    if (peer == NULL)
        return HANDSHAKE_OK;
    switch (sm_state(&peer->sm)) {
    case PEER_UP:
        return HANDSHAKE_IS_ALIVE;
    case PEER_DIALLING:
        if (peer->dial == NULL && peer->outgoing == NULL)
            return HANDSHAKE_OK;
        return strcmp(peers->config.name, name) > 0 ? HANDSHAKE_NOK : HANDSHAKE_OK_SIMULTANEOUS;
    case PEER_DEFERRED:
        return HANDSHAKE_OK_SIMULTANEOUS;
    default:
        return HANDSHAKE_OK;
    }
}

static void on_incoming_up(void *context, struct connection *connection)
{
    struct peers *peers = context;
    char host[ADDRESS_TEXT_MAX];
    struct peer *peer = NULL;

    address_host(connection_address(connection), host);
    failures_forget(&peers->failures, host);
    if (!peers->stopped)
        peer = peer_obtain(peers, handshake_peer(connection_handshake(connection)));
    if (peer == NULL)
        connection_close(connection, peers->stopped ? "disconnect" : "no_memory");
    else
        peer_take(peer, connection);
}

/*
 * Tell whether an ended handshake counts against its address. Only a refusal does, for only that
 * may have been a guess at the cookie: who is silent, or was pushed out by others, must not slow
 * down the honest nodes of the same address.
 */
static bool is_failure(struct connection *connection)
{
    return strcmp(connection_reason(connection), "refused") == 0 &&
           strcmp(connection_detail(connection), HANDSHAKE_LOST_TIE) != 0;
}

/* Tell whether the handshake ended for want of time or room. */
static bool is_idler(struct connection *connection)
{
    const char *reason = connection_reason(connection);

    return strcmp(reason, "timeout") == 0 || strcmp(reason, "too_many_handshakes") == 0;
}

static void on_incoming_closed(void *context, struct connection *connection)
{
    struct peers *peers = context;
    const char *name = handshake_peer(connection_handshake(connection));
    char host[ADDRESS_TEXT_MAX];
    char where[ADDRESS_TEXT_MAX];
    uint32_t count = 0;
    int level = 0;

    address_host(connection_address(connection), host);
    address_text(connection_address(connection), where);
    if (is_failure(connection)) {
        count = failures_note(&peers->failures, host, loop_now_ms(peers->connections->loop));
        level = failures_worth_telling(count) ? 2 : 0;
    } else if (is_idler(connection)) {
        level = failures_worth_telling(++peers->idlers) ? 2 : 0;
    }
    peers_log(peers, level, "handshake.refused", "%s from %s: %s (failures from there: %u)",
              name[0] != '\0' ? name : "somebody", where, connection_detail(connection), count);
}

const struct connection_events *peers_incoming(void)
{
    static const struct connection_events events = {
        .named = on_named, .up = on_incoming_up, .closed = on_incoming_closed};

    return &events;
}

uint32_t peers_delay_ms(const struct peers *peers, const char *host)
{
    return failures_delay_ms(&peers->failures, host, loop_now_ms(peers->connections->loop));
}

/* Find the peer to send to; mostly it is the one of the last time. */
static struct peer *find_receiver(struct peers *peers, const char *node)
{
    if (peers->latest == NULL || strcmp(peers->latest->name, node) != 0)
        peers->latest = peer_find(peers, node);
    return peers->latest;
}

/*
 * Tell whether so many nodes are being dialled that no further one will be: each costs a
 * descriptor, and anybody can ask for answers to nodes that do not exist.
 */
static bool dials_enough(const struct peers *peers)
{
    size_t known = map_count(peers->by_name);

    return known >= DIALS_MAX && known - peers_up(peers) >= DIALS_MAX;
}

/* Find the peer to send to, dialling it when it is new or idle. Before the start it waits idle. */
static int reach(struct peers *peers, const char *node, struct peer **ret_peer)
{
    struct peer *peer = find_receiver(peers, node);
    int rc;

    if (peer == NULL) {
        if (!node_name_valid(node, strlen(node)) || strcmp(node, peers->config.name) == 0)
            return CN_E_UNKNOWN;
        if (dials_enough(peers)) {
            peers_log(peers, 0, "dial.refused", "%s: too many nodes are being dialled", node);
            return CN_E_UNKNOWN;
        }
        peer = peer_obtain(peers, node);
        if (peer == NULL)
            return -ENOMEM;
    }
    if (sm_state(&peer->sm) == PEER_IDLE && peers->started) {
        rc = peer_dial(peer);
        if (rc != 0) {
            if (!peer->kept && !peer->asked)
                peer_free(peer);
            else
                peer_retry(peer);
            return rc;
        }
    }
    *ret_peer = peer;
    return 0;
}

static int send_up(struct peer *peer, const struct control *control, struct cn_term message,
                   struct etf_body *body)
{
    int rc = sender_append(connection_sender(peer->connection), control, message, body);

    if (rc == 0 && busy_is_stuck(peer))
        rc = CN_E_LIMIT;
    if (rc == CN_E_LIMIT) {
        peers_log(peer->peers, 2, "peer.queue_full",
                  "%s does not read: %zu bytes wait, it is dropped", peer->name,
                  connection_queued_bytes(peer->connection));
        peer_close(peer, "queue_full");
        return rc;
    }
    connection_wants_flush(peer->connection);
    return rc == 0 ? busy_note(peer, &control->from) : rc;
}

int peers_send(struct peers *peers, const char *node, const struct control *control,
               struct cn_term message, struct etf_body *body)
{
    struct peer *peer;
    int rc;

    if (peers->stopped) {
        peer = peer_find(peers, node);
        if (peer == NULL || sm_state(&peer->sm) != PEER_UP)
            return CN_E_CLOSED;
        return send_up(peer, control, message, body);
    }
    rc = reach(peers, node, &peer);
    if (rc != 0)
        return rc;
    if (sm_state(&peer->sm) == PEER_UP && !connection_is_closing(peer->connection))
        return send_up(peer, control, message, body);
    if (peer->connection != NULL)
        return 0; /* lost with the connection, as peer_down will tell */
    peer->asked = true;
    rc = sending_append(&peer->waiting, control, message, body, peers->config.flags,
                        &peers->scratch);
    if (rc == CN_E_LIMIT)
        peer_overflow(peer);
    return rc == 0 ? busy_note(peer, &control->from) : rc;
}

int peers_connect(struct peers *peers, const char *node)
{
    struct peer *peer;
    int rc;

    if (peers->stopped)
        return CN_E_CLOSED;
    rc = reach(peers, node, &peer);
    if (rc == 0 && peer->connection == NULL)
        peer->asked = true;
    return rc;
}

bool peers_disconnect(struct peers *peers, const char *node)
{
    struct peer *peer = peer_find(peers, node);

    if (peer == NULL || sm_state(&peer->sm) != PEER_UP)
        return false;
    peer_close(peer, "disconnect");
    return true;
}

void peers_each(struct peers *peers, void (*visit)(void *context, const struct peer_info *peer),
                void *context)
{
    struct peer *peer;
    struct peer *next;

    map_for_each(peers->by_name, peer, next)
    {
        if (sm_state(&peer->sm) == PEER_UP)
            visit(context, &peer->info);
    }
}

size_t peers_queued_bytes(const struct peers *peers, const char *node)
{
    struct peer *peer = peer_find(peers, node);

    if (peer == NULL)
        return 0;
    if (peer->connection == NULL)
        return outbox_bytes(&peer->waiting);
    return connection_queued_bytes(peer->connection);
}

void peers_finish(struct peers *peers)
{
    struct peer *peer;
    struct peer *next;

    map_for_each(peers->by_name, peer, next)
    {
        if (peer->connection != NULL)
            connection_finish(peer->connection);
    }
}

void peers_written(struct peers *peers)
{
    busy_look(peers);
}

size_t peers_up(const struct peers *peers)
{
    struct peer *peer;
    struct peer *next;
    size_t count = 0;

    map_for_each(peers->by_name, peer, next)
    {
        if (peer->connection != NULL)
            count++;
    }
    return count;
}
