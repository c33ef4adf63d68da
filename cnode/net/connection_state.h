/*
 * The inside of a connection, for connection.c, connection_input.c and connections.c only.
 */
#ifndef NET_CONNECTION_STATE_H
#define NET_CONNECTION_STATE_H

#include <uv.h>

#include "base/sm.h"
#include "dist/decoder.h"
#include "dist/frame.h"
#include "net/connection.h"
#include "net/sender.h"
#include "net/stream.h"
#include "net/watchdog.h"

enum connection_state {
    CONNECTION_CONNECTING,
    CONNECTION_GREETING,
    CONNECTION_UP,
    CONNECTION_CLOSING,
};

struct connection {
    struct sm sm;
    struct list link;
    struct list dirty_link;
    struct list paused_link;
    struct connections *all;
    struct connection_events events; /* all NULL once dropped */
    void *context;
    bool initiated;
    bool writing;  /* a uv_write is under way for the first `in_flight` bytes */
    bool finished; /* nothing more will be sent */
    size_t in_flight;
    uv_tcp_t tcp;
    struct watched_socket watched;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct loop_timer deadline; /* of the handshake, or the delay before it */
    struct handshake handshake;
    struct frame_reader frames;
    struct decoder decoder; /* UP */
    struct sender sender;   /* UP */
    struct outbox outbox;
    struct address address;
    uint64_t received_ms;
    uint64_t sent_ms;
    uint64_t budget_turn; /* the turn in which... */
    size_t budget_used;   /* ...so many bytes were read, or as much work was done */
    size_t more_work;     /* of the bytes being read, beside their number */
    struct stream stream;
    struct loop_timer rest; /* from a stream: nothing is read until it expires */
    const char *reason;
    char detail[256];
};

/** Go on reading after a rest; for its timer. */
void connection_rested(void *connection);
/** Start reading from the socket. Closes the connection when that fails. */
void connection_read_start(struct connection *connection);
/** Close for @reason with a sentence for the log; the first reason stays. */
void connection_fail(struct connection *connection, const char *reason, const char *detail);
/** Hand the handshake's output to the outbox and write it. */
void connection_send_handshake(struct connection *connection);

#endif
