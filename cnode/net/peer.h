/*
 * The inside of a peer, for peer.c, peers.c, busy.c and ticker.c only.
 */
#ifndef NET_PEER_H
#define NET_PEER_H

#include "base/map.h"
#include "base/sm.h"
#include "net/dial.h"
#include "net/failures.h"
#include "net/outbox.h"
#include "net/peers.h"

enum peer_state {
    PEER_IDLE,
    PEER_DIALLING,
    PEER_DEFERRED,
    PEER_UP,
    PEER_CLOSING
};

struct peer {
    char name[CN_NODE_NAME_MAX + 1];
    struct map_handle hh;
    struct sm sm;
    struct peers *peers;
    bool kept;                     /* dialled again for ever */
    bool tried;                    /* its first dial has ended */
    bool taking;                   /* a connection is about to be its own: not to be freed */
    bool overflown;                /* too much waits: to be given up by the timer */
    bool asked;                    /* somebody waits for peer_up or peer_down */
    struct dial *dial;             /* DIALLING, before TCP is up */
    struct connection *outgoing;   /* DIALLING, in the handshake */
    struct connection *connection; /* UP, CLOSING */
    struct peer_info info;         /* UP, CLOSING */
    struct outbox waiting;         /* what is sent while there is no connection */
    struct loop_timer timer;       /* the next dial, or the end of DEFERRED */
    struct list busy;              /* in peers.busy while much waits for it: busy.c */
    struct loop_timer busy_timer;
    uint64_t busy_since_ms;
    bool busy_told; /* that it is busy long */
    uint32_t backoff_ms;
    uint64_t up_ms;
    char told[256]; /* the failure that was logged last */
};

struct peers {
    struct connections *connections;
    struct peers_config config;
    struct peer *by_name;
    struct peer *latest; /* that something was sent to, or NULL */
    struct list busy;    /* struct peer.busy */
    struct failures failures;
    uint32_t idlers; /* handshakes that ended for want of time or room */
    struct cn_writer scratch;
    struct loop_timer ticker;
    uint32_t ticker_ms;
    uint64_t ticked_ms;
    size_t untried;
    bool started;
    bool stopped;
};

/** Find a peer; NULL when there is none of this name. */
struct peer *peer_find(const struct peers *peers, const char *name);
/** Find or make a peer. Errors: NULL without memory. */
struct peer *peer_obtain(struct peers *peers, const char *name);
/** Dial an idle peer. Errors: -ENOMEM, CN_E_INVALID; it is idle then. */
int peer_dial(struct peer *peer);
/** Dial an idle peer again, later each time. */
void peer_retry(struct peer *peer);
/** Take @connection, which is up, as the peer's only one; an older one gives way. */
void peer_take(struct peer *peer, struct connection *connection);
/** Close the connection of a peer that is UP. */
void peer_close(struct peer *peer, const char *reason);
/** More waits for a peer without a connection than may: give it up, from the loop. */
void peer_overflow(struct peer *peer);
/** Release a peer, whatever it is doing, without a word. */
void peer_free(struct peer *peer);
/** Write a log line through the events. */
void peers_log(struct peers *peers, int level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** Let a new peer be ready. */
void busy_init(struct peer *peer);
/** The process @from has queued something for @peer. Errors: CN_E_BUSY, see network_send. */
int busy_note(struct peer *peer, const struct cn_pid *from);
/** Tell whether more waits for @peer, which is connected, than may, and it takes none of it. */
bool busy_is_stuck(const struct peer *peer);
/** Nothing waits for @peer any more, and whoever must know hears it otherwise. */
void busy_forget(struct peer *peer);
/** The queues were written: look which busy peers are ready, and tell it from the loop. */
void busy_look(struct peers *peers);
/** Start sending ticks and looking for silent peers. */
void ticker_start(struct peers *peers);

#endif
