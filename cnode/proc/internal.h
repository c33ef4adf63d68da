/*
 * What the files of proc/ share. Nobody outside includes it.
 *
 * One record per link and per monitor, found by key in a map and listed at both ends: setting up
 * and taking down cost the same whether a process has one or a million of them. An end is a local
 * process or a peer; a peer's record outlives its connection as long as anything refers to it.
 *
 * A process that gets a deadly signal is only marked: it ends when the run queue comes to it, so
 * that no callback of one process ever runs inside that of another.
 */
#ifndef PROC_INTERNAL_H
#define PROC_INTERNAL_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "proc/process.h"

/** A pid without its node. */
struct short_pid {
    uint32_t id;
    uint32_t serial;
    uint32_t creation;
};

/** Another node. */
struct peer {
    struct map_handle hh;
    struct list watching; /* monitors that its processes hold on ours: struct monitor.in_watcher */
    struct list watched;  /* monitors that ours hold on its: struct monitor.in_target */
    struct list links;    /* struct link_end */
    struct list stalled;  /* processes that wait until it reads: struct stall.in_peer */
    uint32_t watching_count;
    uint32_t answered_count; /* of them: monitors of calls that were answered */
    uint32_t answered_asked; /* as many were they when procs_answers_out was asked last */
    uint32_t link_count;
    uint32_t creation; /* of the present or latest incarnation */
    bool up;
    bool no_acks;       /* of unlinks: see procs_peer_acks_no_unlinks */
    bool monitors_told; /* procs_limit_reached, since it is up */
    bool links_told;
    bool quiet; /* links of quiet_pid break in silence */
    struct short_pid quiet_pid;
    char name[];
};

/** What finds a monitor: who made its reference (NULL: this node), and the reference. */
struct monitor_key {
    const struct peer *peer;
    uint32_t words[5];
    uint32_t count;
};

/** A monitor. The watcher is a process of key.peer, or of this node when that is NULL. */
struct monitor {
    struct map_handle hh;
    struct monitor_key key;
    struct process *watcher;  /* NULL: remote */
    struct process *target;   /* NULL: remote */
    struct peer *target_peer; /* NULL: local */
    struct list in_watcher;   /* process.monitors or peer.watching */
    struct list in_target;    /* process.watchers or peer.watched */
    struct short_pid from;    /* the watcher, when remote */
    struct short_pid to;      /* the target, unless by name */
    bool alias;               /* the reference can be sent to */
    bool spawning;            /* of a process that a peer was asked for: no pid yet */
    bool answered;            /* a remote watcher's call was answered to the reference */
    char name[];              /* empty: by pid */
};

/** What finds a link: one end on this node and the other end. Of two local ends own is the lower.
 */
struct link_key {
    const struct peer *peer; /* NULL: both are local */
    struct short_pid other;
    uint32_t own_id;
    uint32_t own_serial;
    uint32_t zero;
};

/** A link's place in the list of one of its ends. */
struct link_end {
    struct list list;
    struct link *link;
};

/** A link. */
struct link {
    struct map_handle hh;
    struct link_key key;
    struct process *own;
    struct process *other; /* NULL: remote */
    struct link_end own_end;
    struct link_end other_end; /* in process.links or peer.links */
    uint64_t unlink_id;        /* not 0: unlinked, the peer's acknowledgement is awaited */
};

/** A registered name. */
struct name {
    struct map_handle hh;
    struct process *process;
    struct name *next; /* of the same process */
    char text[];
};

/** A timer. */
struct timer {
    struct map_handle hh;
    struct heap_item heap;
    struct list list; /* process.timers; those that are due come first */
    struct process *process;
    uint64_t id;
    bool due;
};

/** A message in a mailbox, or the reason of a process that ends. */
struct message {
    struct message *next;
    struct shared *owner;  /* NULL: it is in `bytes` */
    struct etf_body *body; /* what its end was sent as; NULL: nothing */
    const uint8_t *data;
    uint32_t size;
    uint32_t body_at; /* where in it that end begins */
    bool down;        /* a DOWN: demonitor may flush it */
    bool timer;       /* none at all: a timer that was due, its id in `bytes` */
    uint8_t bytes[];
};

/** A process. */
struct process {
    struct cn_pid pid;
    bool trap_exit;
    bool exiting; /* marked: ends when its turn comes */
    bool queued;  /* in the run queue */
    bool stalls;  /* does not run while a node that it has sent to is busy */
    struct procs *procs;
    const struct process_behaviour *behaviour;
    void *state;
    struct message *first;
    struct message *last;
    struct message *kept; /* the last one that is passed over until process_take_kept; NULL: none */
    uint64_t mailbox_bytes;
    uint32_t mailbox_length;
    struct message *reason; /* why it ends; NULL while exiting: out of memory, see exit_reason */
    struct list run;
    struct list links;    /* struct link_end */
    struct list monitors; /* struct monitor.in_watcher */
    struct list watchers; /* struct monitor.in_target */
    struct list timers;
    struct list stalled; /* the busy peers that it waits for: struct stall.in_process */
    struct name *names;
};

/** One pid id. */
struct slot {
    struct process *process;
    uint32_t serial;
    uint32_t next_free;
};

/** All pid ids ever used; see table.c. */
struct table {
    struct slot *slots;
    uint32_t capacity;
    uint32_t used;
    uint32_t free_first;
    uint32_t free_last;
    uint32_t free_count;
    uint32_t live;
};

/** The process side of a node. */
struct procs {
    struct cn_pid node_pid; /* stands for the node itself as a sender */
    struct transport transport;
    struct procs_limits limits;
    struct table table;
    struct peer *peers;
    struct peer *peer_found; /* the latest that was looked for, or NULL */
    struct monitor *monitors;
    struct link *links;
    struct name *names;
    struct timer *timers;
    struct heap heap;
    struct list run;
    struct process *running; /* whose callbacks run: the sender of what is sent; NULL: nobody's */
    struct message *handled; /* the message that it handles; NULL: none */
    uint64_t first_ms;       /* the clock starts with the first procs_run */
    uint64_t clock_ms;       /* since then */
    uint64_t next_ref;
    uint64_t next_unlink;
    uint64_t next_timer;
    uint64_t flush_looks; /* messages that flushes looked at, for tests: they may be few only */
    struct cn_writer scratch;
    bool answered; /* a remote call, since procs_answers_out was asked last */
    spawn_handler spawn;
    void *spawn_context;
    const void *extra; /* of the layer above */
    bool started;      /* procs_run has been called */
    bool closing;      /* procs_free: nothing is sent any more */
};

/* table.c: pid ids and serials */
/** Give @process an id that has rested. Errors: CN_E_LIMIT, -ENOMEM; the table as it was. */
int table_add(struct table *table, struct process *process, uint32_t live_max, uint32_t *ret_id,
              uint32_t *ret_serial);
/** Find by id and serial; NULL when nobody has them now. */
struct process *table_find(const struct table *table, uint32_t id, uint32_t serial);
/** Free an id that is in use. */
void table_remove(struct table *table, uint32_t id);
/** Release the memory; no process may be looked for afterwards. */
void table_deinit(struct table *table);

/* process.c */
/** Mark @process to end with @reason; the first mark counts. */
void process_mark_exiting(struct process *process, struct cn_term reason);
/** End it now: everybody gets the reason, the memory is released. */
void process_end(struct process *process, bool silent);

/* procs.c */
/** Tell who set the limits that @who has reached one. */
void procs_limit_reached(const struct procs *procs, const char *limit, const char *who);

/* mailbox.c */
/** Make one with room for @size bytes; NULL without memory. */
struct message *message_new(size_t size);
/** The same, of @start and what @body is as a plain term. Errors: -ENOMEM, -E2BIG. */
int message_join(struct cn_term start, struct etf_body *body, struct message **ret_message);
/** Queue a copy of @message. A process that cannot take it is killed. Errors: -ENOMEM. */
int mailbox_push(struct process *process, struct cn_term message, bool down);
/** The same with a message of which the end is @body. Errors: -ENOMEM, -E2BIG. */
int mailbox_push_body(struct process *process, struct cn_term start, struct etf_body *body);
/** The same with a message that @owner keeps: it is shared, not copied. Errors: -ENOMEM. */
int mailbox_push_shared(struct process *process, struct cn_term message, struct shared *owner);
/**
 * Take out the first message that is not kept, NULL when there is none. Ownership: the caller's,
 * for message_free.
 */
struct message *mailbox_pop(struct process *process);
/** Release a message. */
void message_free(struct message *message);
/** Drop the DOWN message with @ref, of which there is one at most: a monitor fires once. */
void mailbox_flush_down(struct process *process, const struct cn_ref *ref);
/** Drop all messages. */
void mailbox_clear(struct process *process);

/* run_queue.c */
/** Let @process run in this or the next turn. */
void run_queue_add(struct process *process);

/* stalls.c */
/** @process has sent to @node, which is busy: let it wait, if it is one that does. */
void stalls_add(struct process *process, const char *node);
/** @process waits for nobody any more. */
void stalls_drop(struct process *process);
/** Nobody waits for @peer any more. */
void stalls_end(struct peer *peer);

/* names.c */
/** Give up all names of a process. */
void names_drop(struct process *process);

/* peers.c */
/** Find by node name; NULL when nothing is known of it. */
struct peer *procs_peer_find(struct procs *procs, const char *node);
/** Find or make; NULL without memory. */
struct peer *procs_peer_get(struct procs *procs, const char *node);
/** Release @peer when it is down and nothing refers to it. */
void procs_peer_put(struct procs *procs, struct peer *peer);
/** Release all, with what is still listed at them. */
void procs_peers_free(struct procs *procs);

/* links.c */
/** Break all links of an ending process. @silent: tell nobody. */
void links_break(struct process *process, struct cn_term reason, bool silent);
/** Forget those links of a peer whose unlink waits for an acknowledgement. */
void links_drop_unlinked(struct procs *procs, struct peer *peer);
/** The links to a peer that is gone. */
void links_peer_down(struct procs *procs, struct peer *peer);
/** LINK, UNLINK, UNLINK_ACK and EXIT of the peer. Returns as procs_deliver. */
int links_deliver(struct procs *procs, struct peer *peer, const struct control *control,
                  struct cn_term reason);
/** Add a link to a remote process that asked for it; 0 also when it is there. */
int link_accept(struct process *process, struct peer *peer, const struct cn_pid *pid);

/* monitors.c */
/** Fire all monitors on an ending process and take back its own. @silent: tell nobody. */
void monitors_end(struct process *process, struct cn_term reason, bool silent);
/** The monitors on and of a peer that is gone. */
void monitors_peer_down(struct procs *procs, struct peer *peer);
/** MONITOR, DEMONITOR and MONITOR_EXIT of the peer. Returns as procs_deliver. */
int monitors_deliver(struct procs *procs, struct peer *peer, const struct control *control,
                     struct cn_term reason);
/** Add a monitor that a remote process asked for. Errors: CN_E_LIMIT, CN_E_INVALID, -ENOMEM. */
int monitor_accept(struct process *target, struct peer *peer, const struct cn_pid *watcher,
                   const struct cn_ref *ref, struct cn_bytes name);
/** A monitor of @self, on nothing yet. @name: "" is by pid. Errors: NULL without memory. */
struct monitor *monitor_begin(struct process *self, const char *name, const struct cn_ref *ref);
/** Find by reference. @peer: who made it; NULL: this node. NULL when there is none. */
struct monitor *monitor_find(struct procs *procs, const struct peer *peer,
                             const struct cn_ref *ref);
/** Give the reference of a monitor. */
void monitor_ref(const struct procs *procs, const struct monitor *monitor, struct cn_ref *ret_ref);
/** Take a monitor out of everything and release it. */
void monitor_free(struct procs *procs, struct monitor *monitor);
/** A remote watcher was answered to @ref: until it demonitors it has not taken the answer. */
void monitors_answered(struct procs *procs, const struct cn_ref *ref);
/** Find the local process behind an alias of this node; NULL when it is no alias any more. */
struct process *alias_find(struct procs *procs, const struct cn_ref *ref);

/* signals.c */
/** An exit signal reaches @target: through a link, or by exit/2. */
void signal_exit(struct process *target, const struct cn_pid *from, struct cn_term reason,
                 bool by_link);

/* timers.c */
/** Take back all timers of a process. */
void timers_drop(struct process *process);
/** Make due what is due. */
void timers_fire(struct procs *procs);
/** Call the first timer that is due; false when there is none. */
bool timers_run_one(struct process *process);

/* router.c */
/** Send a signal of the node itself to @node; nothing happens while closing. */
int route_control(struct procs *procs, const char *node, const struct control *control,
                  struct cn_term message);
/** The same with a message whose end is @body, if that is not NULL. */
int route_control_shared(struct procs *procs, const char *node, const struct control *control,
                         struct cn_term start, struct etf_body *body);
/** The same for what the process @from does, which waits if that node is busy. */
int route_signal(struct procs *procs, const struct process *from, const char *node,
                 const struct control *control, struct cn_term message);
/** Tell whether @node is this node. */
bool route_is_local(const struct procs *procs, const char *node);
/** Find a local process by pid, however its end is near; NULL for other nodes and creations. */
struct process *route_find(const struct procs *procs, const struct cn_pid *pid);

/** The shared writer, empty. One user at a time: nothing that writes is called in between. */
struct cn_writer *route_scratch(struct procs *procs);

/* spawn.c */
/** SPAWN_REQUEST of the peer @node. Returns as procs_deliver. */
int spawn_deliver(struct procs *procs, const char *node, const struct control *control,
                  struct cn_term arguments);
/** SPAWN_REPLY of the peer to a request of ours. Returns as procs_deliver. */
int spawn_replied(struct procs *procs, struct peer *peer, const struct control *control);

/*
 * Exit reasons of our own, as terms: they must be at hand when there is no memory to write them.
 * SMALL_ATOM_UTF8_EXT, the length, the text.
 */
#define REASON(length, text) \
    ((struct cn_term){(const uint8_t *)"\x77" length text, sizeof("\x77" length text) - 1})
#define REASON_NOTSUP       REASON("\x06", "notsup")
#define REASON_KILL         REASON("\x04", "kill")
#define REASON_KILLED       REASON("\x06", "killed")
#define REASON_NOPROC       REASON("\x06", "noproc")
#define REASON_NORMAL       REASON("\x06", "normal")
#define REASON_SHUTDOWN     REASON("\x08", "shutdown")
#define REASON_NOCONNECTION REASON("\x0c", "noconnection")
#define REASON_SYSTEM_LIMIT REASON("\x0c", "system_limit")

#endif
