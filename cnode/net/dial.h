/*
 * Reaching a node: resolve its host, ask EPMD there for its port, connect.
 *
 *     RESOLVING ──► LOOKING_UP ──► CONNECTING ──► reached
 *         │          │   ▲  │          │
 *         │          │   └──┴──────────┘ the next address
 *         └──────────┴─────────────────────► failed
 *
 * All addresses of the host are tried in turn, IPv4 and IPv6. Names are resolved in libuv's
 * threads, so that a slow DNS server stops nobody; an answer that comes too late is thrown away.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/connection.h"

/** Milliseconds that each step may take. */
#define DIAL_STEP_MS 5000
/** Addresses of one host that are tried. */
#define DIAL_ADDRESSES_MAX 8

struct dial;

/** What a dial tells, once, from the loop. The dial is gone afterwards. */
struct dial_events {
    /** TCP is up and the handshake has begun: take @connection over with connection_set_events. */
    void (*reached)(void *context, struct connection *connection);
    /** No address worked; @detail says why the last one did not. */
    void (*failed)(void *context, const char *detail);
};

/**
 * Start dialling @node through the EPMD on its host. Errors: CN_E_INVALID (no node name); -ENOMEM.
 */
int dial_new(struct connections *connections, const char *node, uint16_t epmd_port,
             const struct dial_events *events, void *context, struct dial **ret_dial);
/** Give up: nothing is told any more. NULL is fine. Returns NULL. */
struct dial *dial_cancel(struct dial *dial);

#endif
