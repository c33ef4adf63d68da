/*
 * The host process: one per node, registered as HOSTS_NAME, a GenServer on C and BEAM alike.
 *
 * It answers the calls of PROTOCOL.md, keeps the membership (members.h), and everything in this
 * layer that must wait for another node waits through its companion, the waiter, a process without
 * a name: calls go out from it, timers come back to it. So whatever a session or a function of the
 * engine does, it never waits itself.
 *
 * How it fails: when somebody kills the host process it starts again at once, with the sessions,
 * the other hosts and a drain as they are, as a supervisor starts it again on a BEAM. When somebody
 * kills the waiter, what waits through it would never come back: the node gives everything up
 * and ends, with exit code HOSTS_EXIT_LOST.
 */
#ifndef SESSION_HOST_H
#define SESSION_HOST_H

#include "otp/call.h"
#include "session/bandwidth.h"
#include "session/figures.h"
#include "session/hosts.h"
#include "session/table.h"

struct conductor;
struct drain;
struct ended;
struct engine_function;
struct host_box;

/** A timer of the host process, inside its owner. Zeroed: not set. */
struct host_timer {
    struct list link;
    uint64_t id; /* 0: not set */
    void (*fire)(struct host_timer *timer);
};

/** Something that waits for an answer: released with the hosts when the answer never comes. */
struct operation {
    struct list link;
    void (*release)(struct operation *operation);
};

/** Everything of one node that has to do with sessions. */
struct hosts {
    struct procs *procs;
    const struct cn_game *game;
    struct session_names names;
    bool has_names;
    bool closing; /* hosts_close: everything is about to be released, nobody is told */
    struct hosts_config config;
    struct gen_server_callbacks session_callbacks;
    bool nameless;                 /* hosts_names_closed */
    bool cordoned;                 /* takes no sessions in, keeps those it has */
    bool said_bye;                 /* no hello may follow it */
    struct host_box *box;          /* the state of the waiter */
    struct gen_server *server;     /* the waiter; NULL when it has ended */
    struct host_box *front_box;    /* the state of the host process */
    struct gen_server *front;      /* the host process; NULL when it has ended */
    struct gen_server *supervisor; /* see supervisor.h; NULL when it has ended */
    uint64_t sequence;             /* numbers the state machines */
    struct session_table table;
    struct list members;
    size_t members_count;
    struct list timers;
    struct list operations;
    struct host_timer hello_timer; /* the load has changed: tell it when this is due */
    struct engine_function *engine;
    struct drain *drain;               /* NULL: not draining */
    struct conductor *conductor;       /* NULL: nobody has asked for a move */
    struct list moves_waiting;         /* those that failed and wait for room to go on */
    size_t moving_bytes;               /* of states that are offered or sent, and not yet taken */
    struct bandwidth bandwidth;        /* of all moves */
    struct host_timer bandwidth_timer; /* the next may begin */
    uint64_t names_late_ms;            /* until then no session that moves waits for its names */
    struct figures figures;            /* of moves since the drain began */
    struct list arrived; /* sessions that came from other hosts, and their names: arrivals.h */
    struct list unsure;
    struct host_timer arrivals_timer;
    struct list contested; /* sessions that may have another owner: conflict.h */
    struct list asking;
    struct host_timer contest_timer;
    struct ended *ended; /* sessions that have: ended.h */
    uint64_t lost_ms;    /* a host was lost at that time, without a bye; 0: none was */
    struct host_timer
        order_timer; /* carries out what hosts_drain and hosts_drain_hurry asked for */
    bool hurry;
    uint64_t dropped; /* casts and messages in the present window: dropped.h */
    struct host_timer dropped_timer;
};

/** Start the host process and register it. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM, with nothing
 * started. */
int host_start(struct hosts *hosts);
/** The hosts go while the host process may still be there: it forgets them. */
void host_forget(struct hosts *hosts);
/** Give the pid of the host process; NULL when it has ended. */
const struct cn_pid *host_pid(const struct hosts *hosts);

/** Call @dest on behalf of the host. Errors: as call_start; CN_E_CLOSED when the waiter has ended.
 */
int host_call(struct hosts *hosts, const struct dest *dest, struct cn_term request,
              uint32_t timeout_ms, call_done done, void *context, struct call **ret_call);
/** Send @message to @dest on its behalf. Errors: as procs_send. */
int host_send(struct hosts *hosts, const struct dest *dest, struct cn_term message);
/** Let @timer fire in @delay_ms; one that is set is set anew. Errors: -ENOMEM, CN_E_CLOSED: it will
 * not fire. */
int host_timer_start(struct hosts *hosts, struct host_timer *timer, uint64_t delay_ms,
                     void (*fire)(struct host_timer *timer));
/** Stop @timer, if it is set. */
void host_timer_stop(struct hosts *hosts, struct host_timer *timer);

/** Put @operation on the list of those released with the hosts. */
void operation_begin(struct hosts *hosts, struct operation *operation,
                     void (*release)(struct operation *operation));
/** Take it off. */
void operation_end(struct operation *operation);

/** Write the `info` map of this host. */
void host_write_info(const struct hosts *hosts, struct cn_writer *writer);
/** Tell whether this host takes no sessions in: it leaves, or is cordoned. */
bool host_draining(const struct hosts *hosts);
/** Tell whether this host has no room for one more session. */
bool host_full(const struct hosts *hosts);
/** Give what a game may ask for. */
struct cn_game_env host_env(const struct hosts *hosts);
/** Log a line, printf style. */
void host_log(const struct hosts *hosts, enum hosts_log level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
