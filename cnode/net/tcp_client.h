/*
 * One question over TCP: connect, send a request, hand over what comes back.
 *
 * Both talks with EPMD (registering, looking up) are of this kind. Everything is asynchronous;
 * deadlines are the caller's. tcp_client_close may be called at any time, from inside the
 * callbacks too.
 */
#ifndef NET_TCP_CLIENT_H
#define NET_TCP_CLIENT_H

#include "dist/epmd.h"
#include "net/address.h"
#include "net/loop.h"

struct tcp_client;

/** What a client tells. */
struct tcp_client_events {
    /** Bytes arrived: @data is everything received so far, @size at most EPMD_REPLY_MAX. */
    void (*received)(void *context, const uint8_t *data, size_t size);
    /** The connection failed or ended (@error: -errno; -ENODATA: ended). Close the client then. */
    void (*ended)(void *context, int error);
};

/**
 * Connect to @address and send @request, which is copied. Errors: -ENOMEM, -EMFILE, ...; nothing
 * is told then.
 */
int tcp_client_new(struct loop *loop, const struct address *address, const struct bytes *request,
                   const struct tcp_client_events *events, void *context,
                   struct tcp_client **ret_client);
/** Forget what was received. */
void tcp_client_clear(struct tcp_client *client);
/** Close and release; nothing is told any more. NULL is fine. Returns NULL. */
struct tcp_client *tcp_client_close(struct tcp_client *client);

#endif
