/*
 * This node's registration in EPMD, kept alive for ever.
 *
 * A node is registered as long as its socket to EPMD is open. When that breaks (EPMD was
 * restarted) or cannot be had, it is tried again every two seconds; the creation that the first
 * registration gave stays, since our pids carry it.
 *
 *     ASKING ──reply──► REGISTERED
 *       │  ▲               │
 *   fail│  │2 s            │broken
 *       ▼  │               │
 *     WAITING ◄────────────┘          any ──epmd_client_close──► gone
 */
#ifndef NET_EPMD_CLIENT_H
#define NET_EPMD_CLIENT_H

#include "net/address.h"
#include "net/loop.h"

/** How long until the next try. */
#define EPMD_RETRY_MS 2000

struct epmd_client;

/** What to register, where. Strings are copied. */
struct epmd_client_config {
    struct address address; /* EPMD's */
    const char *alive;      /* our name before the @ */
    uint16_t port;
    bool hidden;
    void *context;
    /** Registered; @creation is what EPMD gave. Called each time. */
    void (*registered)(void *context, uint32_t creation);
    /** As network_events.log. */
    void (*log)(void *context, int level, const char *event, const char *detail);
};

/** Start registering. Errors: -ENOMEM. */
int epmd_client_new(struct loop *loop, const struct epmd_client_config *config,
                    struct epmd_client **ret_client);
/** Tell whether the node is registered now. */
bool epmd_client_registered(const struct epmd_client *client);
/** Give up the registration and release; NULL is fine. Returns NULL. */
struct epmd_client *epmd_client_close(struct epmd_client *client);

#endif
