/*
 * The network of the node: its listener, its EPMD registration and one connection per peer.
 *
 * node/ owns one and plugs it into proc/: what arrives goes out through `struct
 * network_events`, what leaves comes in through network_send. A peer is known by its node name.
 * Between peer_up and peer_down a peer has one incarnation (creation). The order of signals to
 * one peer is kept. Sending to a node that is not connected dials it, and queues (bounded)
 * meanwhile; if it cannot be reached, peer_down is called with reason "noconnection" for a node
 * that never was up, so that watchers learn of it.
 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include "dist/control.h"
#include "net/loop.h"

struct network;
struct etf_body; /* etf/body.h */

/** A peer as the layers above see it. */
struct peer_info {
    const char *node; /* name@host */
    uint32_t creation;
    uint64_t flags; /* effective: ours and theirs */
    bool hidden;    /* it, or we, or both */
    bool published; /* it is not */
    bool initiated; /* we dialled */
};

/** What the network tells. All called from the loop, never from inside network_send. */
struct network_events {
    void *context;
    void (*peer_up)(void *context, const struct peer_info *peer);
    /* reason: "connection_closed", "net_tick_timeout", "disconnect", "noconnection" ... */
    void (*peer_down)(void *context, const char *node, const char *reason);
    /* Less waits for a peer for which CN_E_BUSY was answered, so send on. May be NULL. */
    void (*peer_ready)(void *context, const char *node);
    /* A validated signal. `from` was NOT yet compared with the peer: proc/ does that. Non-zero
     * closes the connection. */
    int (*deliver)(void *context, const struct peer_info *peer, const struct control *control,
                   struct cn_term message);
    /* The node is published in EPMD for the first time. Comes before any peer_up. May be NULL. */
    void (*published)(void *context, uint32_t creation);
    /* The node is listening and published in EPMD for the first time and every --connect node
     * was tried once. */
    void (*ready)(void *context, uint16_t port);
    /* A line worth an operator's eye. level: 0 debug, 1 info, 2 warning, 3 error. */
    void (*log)(void *context, int level, const char *event, const char *detail);
};

/** How the network is set up. Strings are copied. */
struct network_config {
    const char *name; /* full node name; a host part with a dot is a long name */
    const char *cookie;
    const char *listen_address; /* "0.0.0.0", "::", ... */
    uint16_t listen_port;       /* 0: any */
    const char *epmd_address;   /* NULL: the node's own host, loopback for registering */
    uint16_t epmd_port;         /* 4369 */
    bool hidden;
    uint32_t net_ticktime_s;
    uint32_t stall_ms; /* a loop that stands still for longer loses its connections; 0: never */
    const char *const *connect;      /* nodes to stay connected with; ended by NULL */
    uint32_t frame_bytes_max;        /* 0: 128 MiB */
    uint32_t queue_bytes_max;        /* per peer, 0: 64 MiB: beyond it a peer that does not read is
                                        dropped, and at four times that any; at most 1 GiB */
    uint32_t queue_busy_bytes;       /* per peer, 0: 1 MiB: beyond it senders should wait */
    uint32_t pending_handshakes_max; /* 0: 64 */
};

/** Make a network in @loop; nothing is opened yet. Errors: -ENOMEM. */
int network_new(struct loop *loop, const struct network_config *config,
                const struct network_events *events, struct network **ret_network);
/**
 * Listen, register in EPMD, dial. Errors: -EADDRINUSE, ... from listening; EPMD trouble is
 * retried, not an error.
 */
int network_start(struct network *network);
/**
 * Leave: unregister from EPMD, flush what is queued (at most @flush_ms), close all connections
 * together, call @done. No event but `deliver` and `log` comes any more. Asked again, it only
 * shortens the time.
 */
void network_stop(struct network *network, uint32_t flush_ms, void (*done)(void *context),
                  void *context);
/** Release; after `done`, or to drop everything at once. Returns NULL. */
struct network *network_free(struct network *network);

/**
 * This incarnation's creation: random, at least 4, the same from network_new on.
 */
uint32_t network_creation(const struct network *network);

/**
 * Send a signal to @node, dialling it when needed. The bytes are copied or consumed before the
 * call returns.
 * Errors: CN_E_BUSY when the signal was taken and much waits for that peer: whoever can stop
 * sending should, until `peer_ready` or `peer_down`, of which one is sure to come (see busy.c);
 * CN_E_LIMIT when the peer's queue is full (the peer is being dropped), CN_E_UNKNOWN when
 * @node is our own name or no node name, or must be dialled while too many others are;
 * CN_E_CLOSED after network_stop when it is not connected; -ENOTSUP as control_encode; -ENOMEM.
 */
int network_send(struct network *network, const char *node, const struct control *control,
                 struct cn_term message);
/**
 * The same for a message that is made of @start, the start of a term in whole heads, and @body, its
 * end, which is shared with its other users and not copied when @node is connected.
 */
int network_send_shared(struct network *network, const char *node, const struct control *control,
                        struct cn_term start, struct etf_body *body);
/** Dial @node unless it is connected or being dialled; the outcome is peer_up or peer_down. */
int network_connect(struct network *network, const char *node);
/**
 * Close the connection to @node; false when there is none. peer_down follows with reason
 * "disconnect".
 */
bool network_disconnect(struct network *network, const char *node);
/** Visit every peer that is up. */
void network_each_peer(struct network *network,
                       void (*visit)(void *context, const struct peer_info *peer), void *context);
/** Bytes queued to @node and not yet written to its socket. */
size_t network_queued_bytes(const struct network *network, const char *node);
/** Write out what was queued in this turn: one writev per peer. Called at the end of a turn. */
void network_flush(struct network *network);

#endif
