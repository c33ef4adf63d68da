/*
 * The peers: other nodes by name, each with at most one connection that is up.
 *
 *           asked, or time to retry            cookie proven
 *   IDLE ────────────────────────► DIALLING ─────────────────► UP ──┐
 *    ▲  │                            │   │ nok                  ▲   │ we close it
 *    │  │   ◄────────failed──────────┘   ▼                      │   ▼
 *    │  │                            DEFERRED ──its dial came───┤ CLOSING
 *    │  │   ◄────────nobody came─────────┘                      │   │
 *    │  └───────────its dial came───────────────────────────────┘   │
 *    └────────────────────────connection closed─────────────────────┘  (from UP too)
 *
 * Two nodes that dial each other: the one with the greater name keeps its own attempt and answers
 * nok, the other answers ok_simultaneous. A name counts only once the cookie is proven, so our own
 * attempt is given up not when a stranger claims to be that peer, but when it has proven it. A
 * peer that we believe to be up and that connects anew hears alive, and takes its old connection's
 * place when it has proven the cookie: peer_down, then peer_up.
 *
 * What is sent to a peer that is being dialled waits, bounded. A peer nobody asks for is forgotten
 * when it goes down, unless it is configured to stay connected: that one is dialled again for
 * ever, after 0.2 s, 0.4 s, ... 10 s.
 */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "net/connection.h"
#include "net/network.h"

struct peers;

/** How much more than queue_bytes_max may wait for a peer that reads. */
#define PEERS_QUEUE_FACTOR 4

/** What the peers need. Strings must live as long. */
struct peers_config {
    const char *name; /* our node name */
    uint16_t epmd_port;
    uint64_t flags; /* ours */
    uint32_t queue_bytes_max;
    uint32_t queue_busy_bytes;
    uint32_t net_ticktime_s;
    const struct network_events *events; /* must live as long */
    void *context;
    /** Every peer added with peers_keep has been tried once. */
    void (*all_tried)(void *context);
};

/** Make the table. Errors: -ENOMEM. */
int peers_new(struct connections *connections, const struct peers_config *config,
              struct peers **ret_peers);
/** Forget all peers without a word; returns NULL. */
struct peers *peers_free(struct peers *peers);
/** Stay connected with @node. Errors: CN_E_INVALID; -ENOMEM. */
int peers_keep(struct peers *peers, const char *node);
/** Start dialling those to keep. Calls all_tried, at once when there are none. */
void peers_start(struct peers *peers);
/** Dial nobody any more, and tell nothing more of peers that go. */
void peers_stop(struct peers *peers);

/**
 * The events with which the listener's connections must be accepted; the context is the struct
 * peers.
 */
const struct connection_events *peers_incoming(void);
/** Tell how long a handshake from @host should wait, for its failures. */
uint32_t peers_delay_ms(const struct peers *peers, const char *host);

/** As network_send_shared; @body NULL: @message is whole. */
int peers_send(struct peers *peers, const char *node, const struct control *control,
               struct cn_term message, struct etf_body *body);
/** As network_connect. */
int peers_connect(struct peers *peers, const char *node);
/** As network_disconnect. */
bool peers_disconnect(struct peers *peers, const char *node);
/** As network_each_peer. */
void peers_each(struct peers *peers, void (*visit)(void *context, const struct peer_info *peer),
                void *context);
/** As network_queued_bytes. */
size_t peers_queued_bytes(const struct peers *peers, const char *node);
/** Say that nothing more will be sent on any connection. */
void peers_finish(struct peers *peers);
/** The queues of this turn were written: tell, from the loop, who is no longer busy. */
void peers_written(struct peers *peers);
/** Count the peers that are up. */
size_t peers_up(const struct peers *peers);

#endif
