/*
 * All connections of a node, whoever owns them: what they share, and what is done to all at once.
 *
 * They share the buffer that reads go into, the limits, the identity of the node, and the
 * challenges: a challenge that any of our handshakes has given out must not be answered by
 * another.
 */
#ifndef NET_CONNECTIONS_H
#define NET_CONNECTIONS_H

#include "base/list.h"
#include "dist/decoder.h"
#include "net/loop.h"
#include "net/sender.h"

/** Bytes of the buffer that reads go into. */
#define CONNECTIONS_READ_BYTES (256 * 1024)
/** Bytes that one connection may read in one turn of the loop: some milliseconds of work. */
#define CONNECTIONS_READ_BUDGET (256 * 1024)
/** What a frame costs beside its bytes, in bytes: decoding and delivering it. */
#define CONNECTIONS_FRAME_WORK 256
/** Milliseconds for a whole handshake. */
#define CONNECTIONS_HANDSHAKE_MS 7000

struct connection;
struct watchdog;

/** What all connections have in common. Strings must live as long. */
struct connections_config {
    const char *name;
    const char *cookie;
    uint64_t flags;
    uint32_t frame_bytes_max;
    uint32_t queue_bytes_max;
    uint32_t handshake_ms;     /* 0: CONNECTIONS_HANDSHAKE_MS */
    struct watchdog *watchdog; /* closes them when the loop stands still; NULL: nobody */
};

/** Shared by connection.c and connections.c only. */
struct connections {
    struct loop *loop;
    struct connections_config config;
    uint32_t creation;
    uint64_t turn;      /* counts turns of the loop */
    uint64_t next_id;   /* tells traces apart */
    struct list all;    /* connection.link */
    struct list dirty;  /* connection.dirty_link: have something to write */
    struct list paused; /* connection.paused_link: have used up their budget */
    struct connections_handle *handle;
    struct decoder_scratch decoding;
    struct encoder_scratch encoding;
    uint8_t read_buffer[CONNECTIONS_READ_BYTES];
};

/** Make the group. Errors: -ENOMEM. */
int connections_new(struct loop *loop, const struct connections_config *config,
                    struct connections **ret_connections);
/** Drop all connections without a word and release; returns NULL. */
struct connections *connections_free(struct connections *connections);
/** Set the creation that handshakes tell. */
void connections_set_creation(struct connections *connections, uint32_t creation);
/** Write out what waits on any connection. */
void connections_flush(struct connections *connections);
/** Count the bytes that wait on all connections that are up. */
size_t connections_queued_bytes(const struct connections *connections);
/** Count the connections that came in and have not proven the cookie. */
size_t connections_pending(const struct connections *connections);
/**
 * Give the one of them that makes room for a newcomer: the oldest that has not told its name, so
 * that a flood of silent ones pushes out its own; else the oldest. NULL when there is none.
 */
struct connection *connections_expendable(const struct connections *connections);
/** Tell whether a connection that came in claims to be @name and has not proven the cookie. */
bool connections_greeted_by(const struct connections *connections, const char *name);
/** Tell whether an unfinished handshake has given out @challenge. For struct handshake_config. */
bool connections_outstanding(void *connections, uint32_t challenge);

#endif
