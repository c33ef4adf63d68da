/*
 * The listening socket.
 *
 * It listens from the start, so that its port is known and taken, but hands out connections only
 * from listener_accept_now on, when EPMD knows the node. The backlog holds whoever comes earlier.
 *
 * When descriptors run out, a connection that waits is taken with a spare descriptor and closed:
 * accept would otherwise report the same connection again and again without end, and the peer
 * would wait in vain. When even that does not help, listening pauses for a second.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/address.h"
#include "net/loop.h"

struct listener;
struct uv_stream_s;

/** What a listener tells. */
struct listener_events {
    /** A connection waits: take it with uv_accept. Errors: < 0, it is then turned away. */
    int (*incoming)(void *context, struct uv_stream_s *server);
    /** As network_events.log. */
    void (*log)(void *context, int level, const char *event, const char *detail);
};

/** Listen on @address, port 0: any. Errors: -EADDRINUSE, -EACCES, ..., -ENOMEM. */
int listener_new(struct loop *loop, const struct address *address,
                 const struct listener_events *events, void *context,
                 struct listener **ret_listener);
/** Give the port. */
uint16_t listener_port(const struct listener *listener);
/** Hand out connections from now on. */
void listener_accept_now(struct listener *listener);
/** Stop listening and release; NULL is fine. Returns NULL. */
struct listener *listener_close(struct listener *listener);

#endif
