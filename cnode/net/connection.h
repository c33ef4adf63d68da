/*
 * One TCP connection to a peer: handshake, then frames.
 *
 *                  accepted            TCP is up
 *   CONNECTING ────────────────► GREETING ──cookie proven──► UP
 *       │            │              │                         │
 *       └────────────┴──────────────┴──any trouble, close─────┴──► CLOSING (libuv lets go, then
 * gone)
 *
 * The connection decides nothing: its owner hears what happens and answers. What goes out is
 * appended to the outbox and leaves with connection_flush, one writev per turn of the loop. What
 * comes in is read with a budget per turn, so that one busy peer cannot starve the others.
 *
 * All events come from the loop, never from inside a call of this header; `closed` comes exactly
 * once unless connection_drop was called, and the connection is gone after it.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "dist/control.h"
#include "dist/handshake.h"
#include "net/address.h"
#include "net/connections.h"
#include "net/sender.h"

struct connection;
struct uv_stream_s;

/** What the owner of a connection hears. */
struct connection_events {
    /** Dialling: TCP is up, our name is on its way. */
    void (*connected)(void *context, struct connection *connection);
    /** Accepting: the peer told its name, which proves nothing. Give the answer. */
    enum handshake_answer (*named)(void *context, struct connection *connection);
    /** Both sides have proven the cookie: frames may flow. */
    void (*up)(void *context, struct connection *connection);
    /** A signal arrived; non-zero closes the connection. */
    int (*deliver)(void *context, struct connection *connection, const struct control *control,
                   struct cn_term message);
    /** It is over. See connection_reason and connection_detail. */
    void (*closed)(void *context, struct connection *connection);
};

/** Start connecting to @address, to shake hands with @peer. Errors: -ENOMEM, -EMFILE, ... */
int connection_dial(struct connections *all, const char *peer, const struct address *address,
                    const struct connection_events *events, void *context,
                    struct connection **ret_connection);
/**
 * Take a connection from the listening @server; connection_greet must follow.
 * Errors: -ENOMEM, -EMFILE, ...; the connection is then closed.
 */
int connection_accept(struct connections *all, struct uv_stream_s *server,
                      const struct connection_events *events, void *context,
                      struct connection **ret_connection);
/** Start shaking hands with an accepted connection after @delay_ms, a part of its time. */
void connection_greet(struct connection *connection, uint32_t delay_ms);
/** From now on tell @events. */
void connection_set_events(struct connection *connection, const struct connection_events *events,
                           void *context);

/** Close it for @reason (static text, as network_events.peer_down); `closed` follows. */
void connection_close(struct connection *connection, const char *reason);
/** Close it and tell nobody. */
void connection_drop(struct connection *connection);
/** Say that nothing more will be sent; the peer then closes. */
void connection_finish(struct connection *connection);

/** Give the sending side, once frames may flow. After sending call connection_wants_flush. */
struct sender *connection_sender(struct connection *connection);
/** Give the queue of bytes below it. */
struct outbox *connection_outbox(struct connection *connection);
/** Count the bytes that were sent and are not yet written to the socket. */
size_t connection_queued_bytes(const struct connection *connection);
/** Note that bytes wait: connections_flush will write them. */
void connection_wants_flush(struct connection *connection);
/** Write what waits. */
void connection_flush(struct connection *connection);
/** Send a tick unless something else waits to be sent. */
void connection_tick(struct connection *connection);

/** Tell whether frames may flow. */
bool connection_is_up(const struct connection *connection);
/** Tell whether it is being closed. */
bool connection_is_closing(const struct connection *connection);
/** Tell whether we dialled. */
bool connection_initiated(const struct connection *connection);
/** Give the handshake: names and flags stay readable while the connection lives. */
struct handshake *connection_handshake(struct connection *connection);
/** Give the peer's address. */
const struct address *connection_address(const struct connection *connection);
/** Why it was closed: "connection_closed", "net_tick_timeout", ... */
const char *connection_reason(const struct connection *connection);
/** The same in a sentence for the log: "wrong cookie", ... */
const char *connection_detail(const struct connection *connection);
/** Give the loop's clock, in milliseconds, when bytes were last received. */
uint64_t connection_received_ms(const struct connection *connection);
/** The same for bytes that were sent. */
uint64_t connection_sent_ms(const struct connection *connection);
/** Count @gap_ms as time in which the peer could not be heard, because we did not run. */
void connection_forgive(struct connection *connection, uint64_t gap_ms);

#endif
