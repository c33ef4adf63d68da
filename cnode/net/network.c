/*
 * The network of the node: puts listener, EPMD, connections and peers together.
 *
 *     network_start          EPMD answered            every kept peer was tried
 *   ──────────────► STARTING ─────────────► OPEN ────────────────────────────► ready
 *                                            │ network_stop
 *                                            ▼
 *                    done ◄──all closed── STOPPING: flush, finish, wait for the peers to close
 *
 * The creation is our own random one and not EPMD's: processes exist, and carry it, before EPMD
 * has answered, and 32 random bits tell two lives apart as well as EPMD's counter does. Until EPMD
 * knows us nobody is dialled and nobody's connection taken. EPMD's trouble is never fatal: it is
 * asked again for ever.
 */
#include "net/network.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sm.h"
#include "base/text.h"
#include "dist/epmd.h"
#include "dist/flags.h"
#include "dist/node_name.h"
#include "net/connections.h"
#include "net/epmd_client.h"
#include "net/listener.h"
#include "net/peers.h"
#include "net/watchdog.h"

#define QUEUE_BYTES_MAX (UINT32_C(64) << 20)
#define QUEUE_BUSY      (UINT32_C(1) << 20)
#define PENDING_MAX     64
#define NET_TICKTIME_S  60
#define STOP_LOOK_MS    5 /* between two looks whether everything is flushed */
#define CREATION_MIN    4

enum network_state {
    NETWORK_NEW,
    NETWORK_STARTING,
    NETWORK_OPEN,
    NETWORK_STOPPING
};

static const struct sm_state network_states[] = {
    [NETWORK_NEW] = {"new", SM_TO(NETWORK_STARTING) | SM_TO(NETWORK_STOPPING), .initial = true},
    [NETWORK_STARTING] = {"starting", SM_TO(NETWORK_OPEN) | SM_TO(NETWORK_STOPPING)},
    [NETWORK_OPEN] = {"open", SM_TO(NETWORK_STOPPING)},
    [NETWORK_STOPPING] = {"stopping", 0, .final = true},
};
static const struct sm_table network_table = SM_TABLE("network", network_states);

struct network {
    struct sm sm;
    struct loop *loop;
    struct network_config config;
    struct network_events events;
    struct watchdog *watchdog; /* NULL: none */
    struct node_name name;
    char *cookie;
    char *listen_address;
    char *epmd_address;
    uint32_t creation;
    struct connections *connections;
    struct peers *peers;
    struct listener *listener;
    struct epmd_client *epmd;
    struct loop_timer stop_timer;
    uint64_t stop_at_ms;
    bool finishing;
    void (*done)(void *context);
    void *done_context;
};

static char *dup_or_null(const char *text)
{
    return text != NULL ? mem_dup_text(text) : NULL;
}

static int copy_config(struct network *network, const struct network_config *config)
{
    int rc = node_name_parse(config->name, &network->name);

    if (rc != 0)
        return rc;
    network->config = *config;
    network->config.connect = NULL;
    network->config.name = network->name.full;
    network->cookie = mem_dup_text(config->cookie);
    network->listen_address = mem_dup_text(config->listen_address);
    network->epmd_address = dup_or_null(config->epmd_address);
    if (network->cookie == NULL || network->listen_address == NULL ||
        (config->epmd_address != NULL && network->epmd_address == NULL))
        return -ENOMEM;
    (void)sodium_mlock(network->cookie, strlen(network->cookie)); /* or it may be swapped */
    if (network->config.epmd_port == 0)
        network->config.epmd_port = EPMD_PORT;
    if (network->config.net_ticktime_s == 0)
        network->config.net_ticktime_s = NET_TICKTIME_S;
    if (network->config.queue_bytes_max == 0)
        network->config.queue_bytes_max = QUEUE_BYTES_MAX;
    if (network->config.queue_busy_bytes == 0)
        network->config.queue_busy_bytes = QUEUE_BUSY;
    if (network->config.pending_handshakes_max == 0)
        network->config.pending_handshakes_max = PENDING_MAX;
    return 0;
}

static void on_all_tried(void *context)
{
    struct network *network = context;

    if (sm_state(&network->sm) != NETWORK_OPEN)
        return;
    network->events.ready(network->events.context, listener_port(network->listener));
}

static void on_bark(void *context)
{
    struct network *network = context;
    char text[64];

    text_format(text, sizeof(text), "for more than %u ms", network->config.stall_ms);
    network->events.log(network->events.context, 3, "loop.stood_still", text);
}

static int make_parts(struct network *network)
{
    uint64_t flags = network->config.hidden ? FLAGS_OURS_HIDDEN : FLAGS_OURS;
    int rc = 0;

    if (network->config.stall_ms > 0)
        rc = watchdog_new(network->loop, network->config.stall_ms, on_bark, network,
                          &network->watchdog);
    if (rc != 0)
        return rc;
    rc = connections_new(
        network->loop,
        &(struct connections_config){
            .name = network->name.full,
            .cookie = network->cookie,
            .flags = flags,
            .frame_bytes_max = network->config.frame_bytes_max,
            .queue_bytes_max = network->config.queue_bytes_max * PEERS_QUEUE_FACTOR,
            .watchdog = network->watchdog,
        },
        &network->connections);

    if (rc != 0)
        return rc;
    return peers_new(network->connections,
                     &(struct peers_config){
                         .name = network->name.full,
                         .epmd_port = network->config.epmd_port,
                         .flags = flags,
                         .queue_bytes_max = network->config.queue_bytes_max,
                         .queue_busy_bytes = network->config.queue_busy_bytes,
                         .net_ticktime_s = network->config.net_ticktime_s,
                         .events = &network->events,
                         .context = network,
                         .all_tried = on_all_tried,
                     },
                     &network->peers);
}

static int keep_all(struct network *network, const char *const *nodes)
{
    int rc = 0;

    for (; nodes != NULL && *nodes != NULL && rc == 0; nodes++)
        rc = peers_keep(network->peers, *nodes);
    return rc;
}

static void on_stop_timer(void *context);

int network_new(struct loop *loop, const struct network_config *config,
                const struct network_events *events, struct network **ret_network)
{
    struct network *network = mem_zalloc(sizeof(*network));
    int rc;

    if (network == NULL)
        return -ENOMEM;
    network->loop = loop;
    network->events = *events;
    network->creation = CREATION_MIN + randombytes_uniform(UINT32_MAX - CREATION_MIN);
    loop_timer_init(&network->stop_timer, loop, on_stop_timer, network);
    rc = copy_config(network, config);
    if (rc == 0) {
        sm_init(&network->sm, &network_table, 0, NETWORK_NEW);
        rc = make_parts(network);
    }
    if (rc == 0) {
        connections_set_creation(network->connections, network->creation);
        rc = keep_all(network, config->connect);
    }
    if (rc != 0) {
        network_free(network);
        return rc;
    }
    *ret_network = network;
    return 0;
}

static int on_incoming(void *context, struct uv_stream_s *server)
{
    struct network *network = context;
    struct connection *connection = NULL;
    struct connection *expendable;
    char host[ADDRESS_TEXT_MAX];
    int rc;

    if (connections_pending(network->connections) >= network->config.pending_handshakes_max) {
        expendable = connections_expendable(network->connections);
        connection_close(expendable, "too_many_handshakes");
    }
    rc = connection_accept(network->connections, server, peers_incoming(), network->peers,
                           &connection);
    if (rc != 0) {
        network->events.log(network->events.context, 2, "handshake.refused", error_name(rc));
        return rc;
    }
    address_host(connection_address(connection), host);
    connection_greet(connection, peers_delay_ms(network->peers, host));
    return 0;
}

static void on_registered(void *context, uint32_t creation)
{
    struct network *network = context;
    const struct network_events *events = &network->events;
    char detail[ADDRESS_TEXT_MAX + CN_NODE_NAME_MAX + 64];

    text_format(detail, sizeof(detail), "%s, port %u", network->name.full,
                listener_port(network->listener));
    (void)creation; /* ours is older than EPMD's answer, and processes already carry it */
    events->log(events->context, 1, "epmd.registered", detail);
    if (sm_state(&network->sm) != NETWORK_STARTING)
        return;
    sm_move(&network->sm, NETWORK_OPEN);
    if (events->published != NULL)
        events->published(events->context, network->creation);
    listener_accept_now(network->listener);
    peers_start(network->peers);
}

static void on_part_log(void *context, int level, const char *event, const char *detail)
{
    struct network *network = context;

    network->events.log(network->events.context, level, event, detail);
}

static int start_listening(struct network *network)
{
    static const struct listener_events events = {.incoming = on_incoming, .log = on_part_log};
    struct address address;
    int rc = address_parse(network->listen_address, network->config.listen_port, &address);

    if (rc != 0)
        return -EADDRNOTAVAIL;
    return listener_new(network->loop, &address, &events, network, &network->listener);
}

static int start_registering(struct network *network)
{
    const char *text = network->epmd_address != NULL ? network->epmd_address : "127.0.0.1";
    struct epmd_client_config config = {
        .alive = network->name.alive,
        .port = listener_port(network->listener),
        .hidden = network->config.hidden,
        .context = network,
        .registered = on_registered,
        .log = on_part_log,
    };

    if (address_parse(text, network->config.epmd_port, &config.address) != 0)
        return -EADDRNOTAVAIL;
    return epmd_client_new(network->loop, &config, &network->epmd);
}

int network_start(struct network *network)
{
    int rc;

    sm_move(&network->sm, NETWORK_STARTING);
    rc = start_listening(network);
    if (rc == 0)
        rc = start_registering(network);
    return rc;
}

/* Everything is flushed or time is over: close all at once and say so. */
static void finish_stop(struct network *network)
{
    void (*done)(void *context) = network->done;

    network->peers = peers_free(network->peers);
    network->connections = connections_free(network->connections);
    network->done = NULL;
    if (done != NULL)
        done(network->done_context);
}

static void on_stop_timer(void *context)
{
    struct network *network = context;
    bool late = loop_now_ms(network->loop) >= network->stop_at_ms;

    connections_flush(network->connections);
    if (!network->finishing && connections_queued_bytes(network->connections) == 0) {
        network->finishing = true;
        peers_finish(network->peers);
    }
    if (late || peers_up(network->peers) == 0)
        finish_stop(network);
    else
        loop_timer_start(&network->stop_timer, STOP_LOOK_MS);
}

void network_stop(struct network *network, uint32_t flush_ms, void (*done)(void *context),
                  void *context)
{
    uint64_t stop_at_ms = loop_now_ms(network->loop) + flush_ms;

    if (sm_state(&network->sm) == NETWORK_STOPPING) {
        if (stop_at_ms < network->stop_at_ms)
            network->stop_at_ms = stop_at_ms;
        return;
    }
    sm_move(&network->sm, NETWORK_STOPPING);
    network->done = done;
    network->done_context = context;
    network->epmd = epmd_client_close(network->epmd);
    network->listener = listener_close(network->listener);
    peers_stop(network->peers);
    network->stop_at_ms = stop_at_ms;
    loop_timer_start(&network->stop_timer, 0);
}

struct network *network_free(struct network *network)
{
    if (network == NULL)
        return NULL;
    loop_timer_stop(&network->stop_timer);
    epmd_client_close(network->epmd);
    listener_close(network->listener);
    peers_free(network->peers);
    connections_free(network->connections);
    watchdog_free(network->watchdog);
    if (network->cookie != NULL)
        sodium_munlock(network->cookie, strlen(network->cookie)); /* and wipe */
    mem_free(network->cookie);
    mem_free(network->listen_address);
    mem_free(network->epmd_address);
    mem_free(network);
    return NULL;
}

uint32_t network_creation(const struct network *network)
{
    return network->creation;
}

int network_send(struct network *network, const char *node, const struct control *control,
                 struct cn_term message)
{
    return network_send_shared(network, node, control, message, NULL);
}

int network_send_shared(struct network *network, const char *node, const struct control *control,
                        struct cn_term start, struct etf_body *body)
{
    if (network->peers == NULL)
        return CN_E_CLOSED;
    return peers_send(network->peers, node, control, start, body);
}

int network_connect(struct network *network, const char *node)
{
    return network->peers == NULL ? CN_E_CLOSED : peers_connect(network->peers, node);
}

bool network_disconnect(struct network *network, const char *node)
{
    return network->peers != NULL && peers_disconnect(network->peers, node);
}

void network_each_peer(struct network *network,
                       void (*visit)(void *context, const struct peer_info *peer), void *context)
{
    if (network->peers != NULL)
        peers_each(network->peers, visit, context);
}

size_t network_queued_bytes(const struct network *network, const char *node)
{
    return network->peers != NULL ? peers_queued_bytes(network->peers, node) : 0;
}

void network_flush(struct network *network)
{
    if (network->connections != NULL)
        connections_flush(network->connections);
    if (network->peers != NULL)
        peers_written(network->peers);
}
