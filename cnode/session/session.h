/*
 * One session: a gen_server that owns a game's state.
 *
 * The process knows nothing of the game but its table: calls, casts and messages go to it, its
 * timer message comes back to it, an unknown call is {error, unknown_request}. What makes a session
 * more than a gen_server is that it can stand still: while it starts (its names are not yet its
 * own), is frozen (its state is on the way to another host) or is paused (its state is only
 * arriving), it executes nothing and holds what comes; as a forwarder it passes everything on.
 *
 *                    names are ours             state and queue are there, activated
 *   ┌──────────┐      ┌─────────┐      ┌───────┐             ┌───────────┐
 *   │ starting ├─────►│ running │◄─────┤ ready │◄────────────┤ receiving │
 *   └────┬─────┘      └┬───▲────┘      └───┬───┘ all checked └─────┬─────┘
 *        │      freeze │   │ thaw          │                       │
 *        │            ┌▼───┴───┐           │                       │
 *        │            │ frozen ├───────────┼────────┐              │
 *        │            └────────┘  active   │        │              │
 *        │                         ┌───────▼──┐ ┌───▼────────┐     │
 *        └────────────────────────►│  ended   │◄┤ forwarding │     │
 *                (from every state)└──────────┘ └────────────┘◄────┘ (ended)
 *
 * A forwarder whose new owner dies runs again (forward.h).
 *
 * An idle session is this structure, its game's state and its process; what a move needs is
 * allocated while it runs.
 *
 * A session is not held when it answers a node that does not read, as a GenServer on a BEAM would
 * be: a game is read from several nodes, and one that is frozen must not stop it for the others
 * until the net ticks end. Its answers wait in that node's queue, most of them a header and a
 * reference to one body, until the node reads, or is dropped at the limit of the queue.
 *
 * How it fails: a request that finds no memory is answered {error, no_memory} with the state as it
 * was. The end of a round that fails is tried again after 1 s, then 2, 4, up to 32 s.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "base/map.h"
#include "base/sm.h"
#include "session/held.h"
#include "session/hosts.h"

struct handoff_out;
struct handoff_in;
struct forward;
struct move;
struct naming;
struct etf_body;
struct carried_out;
struct start;

/** The states of the drawing above. */
enum session_state {
    SESSION_STARTING,
    SESSION_RUNNING,
    SESSION_FROZEN,
    SESSION_FORWARDING,
    SESSION_RECEIVING,
    SESSION_READY,
    SESSION_ENDED,
};

struct session;

/** The handoff by which a session came. */
struct handoff_origin {
    struct cn_ref transfer;
    struct cn_pid source;
    bool told; /* it runs because its source said so */
};

/** A session's place in one of the tables of table.h. */
struct session_key {
    struct map_handle hh;
    struct session *session;
};

/** One session. Its id and its join code follow the structure. */
struct session {
    struct hosts *hosts;
    struct gen_server *server; /* NULL before it is started */
    void *game;                /* the game's state; NULL while receiving */
    struct sm sm;              /* enum session_state */
    uint64_t epoch;
    uint64_t version;
    uint64_t timer;     /* of the round; 0: none */
    int64_t deadline_s; /* what `timer` was set for; 0: none */
    uint64_t round;     /* that subscribers know of */
    struct held *held;
    union {
        struct start *start;     /* starting */
        struct handoff_out *out; /* frozen */
        struct handoff_in *in;   /* receiving, ready */
        struct forward *forward; /* forwarding */
    };
    struct handoff_origin *came_by; /* NULL: it was started here */
    struct carried_out *done;       /* its last updates, by their calls; NULL: none */
    struct list waiting;            /* for the drain or a rebalance to move it */
    struct list arrived;            /* it came from another host: arrivals.h */
    struct list contested;          /* it may have another owner: conflict.h; or displaced */
    struct move *move;              /* the drain's or the conductor's, while it moves */
    struct naming *naming;          /* an answer of the registry is awaited */
    struct session_key by_id;
    struct session_key by_code;
    uint32_t id_size;
    uint32_t code_size;    /* 0: no join code */
    uint32_t contested_s;  /* until then it may have another owner: conflict.h */
    struct etf_body *body; /* the state as a term: state_body.h; NULL: not written */
    uint64_t body_timer;
    bool body_read;
    uint8_t rounds_failed; /* the end of the round was tried in vain so often */
    bool stopping;         /* it ends after the present callback: nothing more is executed */
    bool owns_names;       /* given up when it ends */
    bool displaced;        /* a forwarder that is not in the tables: the session has come back */
    uint8_t text[];
};

/** What a session is made of. @code of size 0: none. @game NULL: it comes later. */
struct session_seed {
    struct cn_bytes id;
    struct cn_bytes code;
    void *game;
    uint64_t epoch;
    uint64_t version;
    enum session_state state; /* SESSION_STARTING or SESSION_RECEIVING */
};

/** Fill in the callbacks of session processes; the module's name is the game's. */
void session_callbacks_init(struct gen_server_callbacks *callbacks, const struct cn_game *game);
/**
 * Start a session process and put it into the tables, as session_table_add does.
 * Ownership: the process owns the session; seed->game goes to it, not on error.
 * Errors: CN_E_LIMIT, -ENOMEM.
 */
int session_new(struct hosts *hosts, const struct session_seed *seed, struct session **ret_session);
/** Find the live session behind a local pid; NULL when there is none. */
struct session *session_find(struct hosts *hosts, const struct cn_pid *pid);

/** View the id. */
struct cn_bytes session_id(const struct session *session);
/** View the join code; size 0: none. */
struct cn_bytes session_code(const struct session *session);
/** Give its pid. */
const struct cn_pid *session_pid(const struct session *session);
/** Give its state. */
enum session_state session_state(const struct session *session);

/** Run: arm the timer and execute what is held. From starting, ready, frozen and forwarding. */
void session_run(struct session *session);
/** Stand still: hold messages and the timer. From running. */
void session_freeze(struct session *session);
/** Copy @message for later. Errors: CN_E_LIMIT, -ENOMEM. */
int session_hold(struct session *session, struct cn_term message);
/** Send @message to @to in the session's name. Errors: as procs_send. */
int session_send(struct session *session, const struct cn_pid *to, struct cn_term message);
/** Do what an outcome of the game says: its version rises, it ends. */
void session_take_outcome(struct session *session, int outcome);
/** End after the present callback with @reason; nothing more is executed. Once is enough. */
void session_stop(struct session *session, struct cn_term reason);
/** As session_stop, with an atom. */
void session_stop_atom(struct session *session, const char *reason);

#endif
