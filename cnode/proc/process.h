/*
 * Processes: pids, mailboxes, registered names, links, monitors, exit signals; local and over the
 * wire alike.
 *
 * A `struct procs` is the process side of one node. It does no I/O and knows no clock: signals from
 * peers come in through procs_deliver, signals to peers leave through `struct transport`, time
 * comes in with procs_run. Several of them can live in one program (the simulator does that).
 *
 * Signals between two processes keep their order. A process handles one message at a time, in
 * procs_run, with a budget per turn; sending never runs anybody. What erlang's reference manual
 * says of links, monitors and exit signals holds: exit reason normal is ignored unless trapped,
 * kill cannot be trapped and arrives as killed at links.
 */
#ifndef PROC_PROCESS_H
#define PROC_PROCESS_H

#include "dist/control.h"
#include "etf/body.h"

struct procs;
struct process;

/**
 * The way out to other nodes. CN_E_BUSY means that the signal was taken, and that enough waits for
 * that node: procs_peer_ready or procs_peer_down must follow.
 */
struct transport {
    void *context;
    int (*send)(void *context, const char *node, const struct control *control,
                struct cn_term message);
    /** The same with a message whose end is @body, see procs_send_shared. NULL: it is copied. */
    int (*send_shared)(void *context, const char *node, const struct control *control,
                       struct cn_term start, struct etf_body *body);
};

/** Limits of the process layer; 0 means the default in brackets. */
struct procs_limits {
    uint32_t processes_max;         /* [2,000,000] */
    uint32_t names_max;             /* [65,536] */
    uint32_t mailbox_max;           /* messages queued in one process [1,000,000]; beyond it the
                                       process is killed, and it is told */
    uint64_t mailbox_bytes_max;     /* their bytes [268,435,456]; likewise */
    uint32_t monitors_per_peer_max; /* [131,072]; beyond it a monitor fires with system_limit */
    uint32_t links_per_peer_max;    /* [131,072]; beyond it a link breaks with system_limit */
    uint32_t listed_max;            /* processes in one answer [250,000]: see procs_listed_max */
    void *context;                  /* handed to the function below */
    /**
     * @who, a process or a peer, has reached the limit "mailbox.full", "monitors.full" or
     * "links.full": told once for each, and for each connection of a peer. NULL: nobody is told.
     */
    void (*reached)(void *context, const char *limit, const char *who);
};

/** Make the process side of the node @name with @creation. Errors: -ENOMEM, -EINVAL (the name). */
int procs_new(const char *name, uint32_t creation, const struct transport *transport,
              const struct procs_limits *limits, struct procs **ret_procs);
/** End every process without signals, with reason shutdown, and release; returns NULL. */
struct procs *procs_free(struct procs *procs);
/** Tell whether procs_free is at work: nothing need be started again. */
bool procs_closing(const struct procs *procs);
/** The node's name. */
const char *procs_node(const struct procs *procs);
/** The node's creation. */
uint32_t procs_creation(const struct procs *procs);
/** Count the live processes. */
size_t procs_count(const struct procs *procs);
/** Give the number of processes that there may be. */
size_t procs_limit(const struct procs *procs);
/** Give how many may be listed in one answer: a longer one would hold the node up. */
size_t procs_listed_max(const struct procs *procs);

/**
 * Take a signal from the peer @node.
 *
 * Errors: CN_E_INVALID when the peer broke a rule (close the connection); CN_E_STALE when @node
 * with
 * @creation is not up (procs_peer_up comes first); -ENOMEM when the signal was lost for lack of
 * memory (close the connection too: a lost signal must not go unnoticed).
 */
int procs_deliver(struct procs *procs, const char *node, uint32_t creation,
                  const struct control *control, struct cn_term message);
/**
 * A peer is up: remember its creation, so that pids of an older incarnation are known to be dead.
 * Errors: -ENOMEM.
 */
int procs_peer_up(struct procs *procs, const char *node, uint32_t creation);
/**
 * Note that the peer @node, which has just come up, acknowledges no unlinks (it lacks UNLINK_ID): a
 * link is then gone as soon as the unlink is sent, as before OTP 23.3.
 */
void procs_peer_acks_no_unlinks(struct procs *procs, const char *node);
/**
 * A peer is gone, or could not be reached: everybody linked to or monitoring something there gets
 * noconnection; its own monitors and links are dropped.
 */
void procs_peer_down(struct procs *procs, const char *node);
/**
 * The transport has answered CN_E_BUSY for @node, and now less waits for it: its senders go on.
 */
void procs_peer_ready(struct procs *procs, const char *node);
/**
 * Count the answers to calls that a peer's callers have not taken yet (they still monitor), of the
 * peer with the fewest; 0 when no call of a peer was answered since this was asked last. So much
 * work, at least, has each peer that calls us, whatever we do meanwhile.
 */
uint32_t procs_answers_out(struct procs *procs);
/**
 * Give the part of those answers, in percent, that is still not taken: of the peer that has taken
 * most of its own.
 */
uint32_t procs_answers_left(const struct procs *procs);
/**
 * Let the links that @partner, a process of a peer, makes or has with processes here break in
 * silence: they are dropped when it ends, and nobody here gets an exit signal. One partner per
 * peer; forgotten when that peer goes down (after its links were dropped).
 *
 * :global links the process whose name it registers for a C node, so that without this
 * the end of that BEAM node would end every process with a name.
 * Errors: CN_E_UNKNOWN when that peer is not up.
 */
int procs_quiet_partner(struct procs *procs, const struct cn_pid *partner);
/**
 * Run processes that have messages and timers that are due; returns the next wanted moment as
 * `loop_turn` does: 0 when work is left, UINT64_MAX when there is nothing to wait for.
 */
uint64_t procs_run(struct procs *procs, uint64_t now_ms);
/** The time given to the latest procs_run; 0 before the first. */
uint64_t procs_now_ms(const struct procs *procs);

/** Where a message can go. */
struct dest {
    enum {
        DEST_PID,
        DEST_NAME,
        DEST_ALIAS
    } kind;
    struct cn_pid pid;   /* DEST_PID */
    struct cn_ref alias; /* DEST_ALIAS */
    const char *name;    /* DEST_NAME: the registered name */
    const char *node;    /* DEST_NAME: its node; NULL or our own: local */
};

/**
 * What a process does. All functions are called from procs_run only (`ended` from procs_free too).
 * `state` is released in `ended`.
 */
struct process_behaviour {
    const char *module; /* shown by process_info and sys */
    /** A message, valid during the call. */
    void (*message)(struct process *self, void *state, struct cn_term message);
    /** A timer set with process_start_timer is due. */
    void (*timer)(struct process *self, void *state, uint64_t timer);
    /**
     * The process has ended with @reason: release the state. The process has no names any more, can
     * no longer be found or sent to, and links and monitors have not heard of its end yet, so
     * that what is sent here arrives before.
     */
    void (*ended)(struct process *self, void *state, struct cn_term reason);
};

/**
 * Start a process; nothing runs yet.
 *
 * Ownership: @state goes to the process (`ended` releases it); not on error.
 * Errors: CN_E_LIMIT, -ENOMEM.
 */
int process_start(struct procs *procs, const struct process_behaviour *behaviour, void *state,
                  struct process **ret_process);
/** End @self with @reason after the present callback: links and monitors get it. */
void process_exit(struct process *self, struct cn_term reason);
/** The same with a reason made of @start, the start of a term in whole heads, and @body, its end.
 */
void process_exit_shared(struct process *self, struct cn_term start, struct etf_body *body);
/** End @self with an atom as reason. */
void process_exit_atom(struct process *self, const char *reason);
/** Its pid, valid as long as the process. */
const struct cn_pid *process_pid(const struct process *self);
/** Its node's processes. */
struct procs *process_procs(const struct process *self);
/** What was given to process_start. */
void *process_state(const struct process *self);
/** What was given to process_start. */
const struct process_behaviour *process_behaviour(const struct process *self);
/** Tell whether the process is about to end: no callback but `ended` will be called. */
bool process_exiting(const struct process *self);
/**
 * Give who keeps @term alive, a part of the message that @self is handling: with a shared_take it
 * stays valid for longer. NULL: nobody, or @term is less than half of what would stay with it: it
 * must be copied.
 */
struct shared *process_message_owner(const struct process *self, struct cn_term term);
/**
 * Keep the message that @self is handling for later: it goes back to its place in the mailbox, and
 * is passed over from now on.
 */
void process_keep_message(struct process *self);
/** Keep a timer that is due, behind what was kept before it. Errors: -ENOMEM. */
int process_keep_timer(struct process *self, uint64_t timer);
/** Handle what was kept, in its order and before any later message, in turns of @self. */
void process_take_kept(struct process *self);
/**
 * Give the body that @term, the end of the message that @self is handling, was sent as: what is
 * passed on as such (procs_send_shared, process_exit_shared) need not be encoded again. NULL: there
 * is none, as for all that came from another node. Valid during the callback, or shared.
 */
struct etf_body *process_message_body(const struct process *self, struct cn_term term);
/** Find a live process of this node; NULL when there is none (other node, old creation, ended). */
struct process *procs_find(struct procs *procs, const struct cn_pid *pid);
/**
 * Let @self not run while a node to which it has sent is busy, as all processes of a BEAM do; see
 * stalls.c for who should.
 */
void process_stall_on_busy(struct process *self);
/** Let @self run again whoever is busy. */
void process_run_on_busy(struct process *self);
/** Tell whether it waits for such a node. */
bool process_stalled(const struct process *self);
/** Choose whether exit signals become {'EXIT', Pid, Reason} messages. */
void process_trap_exit(struct process *self, bool trap);
/** Tell whether they do. */
bool process_traps_exit(const struct process *self);
/** Number of messages waiting, those that are kept included. */
size_t process_mailbox_length(const struct process *self);
/**
 * Number of monitors that others hold on @self (by pid or name), not counting those of processes in
 * @except_node (NULL: all).
 */
size_t process_watchers(const struct process *self, const char *except_node);
/** Visit the other ends of @self's links. */
void process_each_link(const struct process *self,
                       void (*visit)(void *context, const struct cn_pid *pid), void *context);

/** Visit the live processes, in no special order. */
void procs_each(struct procs *procs, void (*visit)(void *context, struct process *process),
                void *context);
/** Visit the messages that wait, oldest first; each is valid during the call. */
void process_each_message(const struct process *self,
                          void (*visit)(void *context, struct cn_term message), void *context);
/**
 * Visit what @self monitors: a pid, or @name (else NULL) on the node of @pid. Both are valid during
 * the call.
 */
void process_each_monitor(const struct process *self,
                          void (*visit)(void *context, const struct cn_pid *pid, const char *name),
                          void *context);
/** Visit who monitors @self; the pid is valid during the call. */
void process_each_watcher(const struct process *self,
                          void (*visit)(void *context, const struct cn_pid *pid), void *context);

/**
 * Names, as erlang:register/2. A name is gone when its process ends; one process may have several.
 * Errors: CN_E_TAKEN, CN_E_LIMIT; -EINVAL when it is empty, beyond 255 bytes or `undefined`;
 * -ENOMEM.
 */
int process_register(struct process *self, const char *name);
/** Give a name up; nothing happens when it is not @self's. */
void process_unregister(struct process *self, const char *name);
/** Find the live process of that name; NULL when there is none. */
struct process *procs_whereis(struct procs *procs, struct cn_bytes name);
/** Visit all names of live processes, in no special order. */
void procs_each_name(struct procs *procs,
                     void (*visit)(void *context, const char *name, struct process *process),
                     void *context);
/** Give one name of @self, the latest; NULL when it has none. */
const char *process_name(const struct process *self);

/**
 * Send @message from @from (NULL: the node itself). Messages to nobody vanish.
 * Errors: as network_send; -ENOMEM; -EINVAL when @dest makes no sense.
 */
int procs_send(struct procs *procs, const struct process *from, const struct dest *dest,
               struct cn_term message);
/**
 * Send a message that is made of @start, the start of a term in whole heads, and @body, its end,
 * which is not copied on its way to another node. Errors: as procs_send.
 */
int procs_send_shared(struct procs *procs, const struct process *from, const struct dest *dest,
                      struct cn_term start, struct etf_body *body);
/** Short for a pid. */
int procs_send_pid(struct procs *procs, const struct process *from, const struct cn_pid *to,
                   struct cn_term message);
/**
 * Monitor; the answer is the message {'DOWN', Ref, process, Pid | {Name, Node}, Reason} in @self's
 * mailbox. A node that cannot be reached is an answer, not an error.
 * Errors: -EINVAL (an alias), -ENOMEM.
 */
int process_monitor(struct process *self, const struct dest *dest, struct cn_ref *ret_ref);
/** A process that a peer is asked for. */
struct spawn_call {
    const char *node; /* not this one */
    struct cn_pid group_leader;
    const char *module;
    const char *function;
    uint32_t arity;
    struct cn_term arguments; /* a proper list of @arity */
};
/**
 * Ask a peer to spawn a process, and monitor it: *@ret_ref is the reference of the DOWN, as that of
 * erlang:spawn_request/5 with [monitor, {reply, error_only}]. When nothing could be spawned the
 * message is {spawn_reply, Ref, error, Reason} instead: notsup (the peer is too old), noconnection,
 * or what the peer says. Errors: -ENOMEM, -E2BIG.
 */
int process_spawn_request(struct process *self, const struct spawn_call *spawn,
                          struct cn_ref *ret_ref);
/** The peer @node, which is up, knows no spawn requests: those that wait for it are notsup. */
void procs_peer_cannot_spawn(struct procs *procs, const char *node);
/** A DOWN message taken apart. @object and @reason are views into the message. */
struct process_down {
    struct cn_ref ref;
    struct cn_term object; /* the pid, or {Name, Node}, as it was monitored */
    struct cn_term reason;
};
/** Read the message that a monitor brings; false for anything else. */
bool process_read_down(struct cn_term message, struct process_down *ret_down);
/**
 * The same as process_monitor, and *@ret_ref is an alias of @self too, until the DOWN comes or the
 * monitor is taken back: what is sent to it arrives, what is sent later vanishes (erlang:monitor/3
 * with {alias, demonitor}).
 */
int process_monitor_alias(struct process *self, const struct dest *dest, struct cn_ref *ret_ref);
/** Stop monitoring; with @flush a DOWN that is already in the mailbox is taken out. */
void process_demonitor(struct process *self, const struct cn_ref *ref, bool flush);
/**
 * Link. What is not there, or cannot be reached, breaks the link at once with noproc or
 * noconnection. Errors: -ENOMEM.
 */
int process_link(struct process *self, const struct cn_pid *pid);
/** Unlink: no exit signal of that link arrives after this call. */
void process_unlink(struct process *self, const struct cn_pid *pid);
/** exit/2. Errors: as procs_send. */
int procs_exit_signal(struct procs *procs, const struct process *from, const struct cn_pid *to,
                      struct cn_term reason);

/** Keep one pointer for the layer above, which alone knows what it is; NULL until set. */
void procs_set_extra(struct procs *procs, const void *extra);
/** What was given to procs_set_extra. */
const void *procs_extra(const struct procs *procs);

/** A new reference of this node. */
void procs_make_ref(struct procs *procs, struct cn_ref *ret_ref);

/**
 * Call `timer` of @self in @delay_ms; *@ret_timer (never 0) identifies it. Timers end with the
 * process. Errors: -ENOMEM.
 */
int process_start_timer(struct process *self, uint64_t delay_ms, uint64_t *ret_timer);
/** Take a timer back: after this call it is not due any more. An unknown one is ignored. */
void process_cancel_timer(struct process *self, uint64_t timer);

/**
 * Answers a spawn request of the peer @node: start a process and call process_spawned, or call
 * procs_refuse_spawn. Returns as procs_deliver.
 */
typedef int (*spawn_handler)(void *context, const char *node, const struct control *request,
                             struct cn_term arguments);

/** Let @handler answer spawn requests; NULL: they are refused with notsup. */
void procs_set_spawn_handler(struct procs *procs, spawn_handler handler, void *context);
/**
 * Tell the peer @node that @self is what it asked for: the link and the monitor that the request's
 * options name are set up, then the reply is sent. Options that a node may ignore are ignored.
 * Errors: CN_E_INVALID (an unknown option too), -ENOMEM, with nothing sent.
 */
int process_spawned(struct process *self, const char *node, const struct control *request);
/** Refuse a spawn request with the atom @reason. Errors: as procs_send. */
int procs_refuse_spawn(struct procs *procs, const char *node, const struct control *request,
                       const char *reason);

#endif
