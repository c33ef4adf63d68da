/*
 * Processes: pids, mailboxes, registered names, links, monitors, exit signals; local and over
 * the wire alike.
 *
 * A `struct procs` is the process side of one node. It does no I/O and knows no clock: signals
 * from peers come in through procs_deliver, signals to peers leave through `struct transport`,
 * time comes in with procs_run. Several of them can live in one program (the simulator does
 * that).
 *
 * Signals between two processes keep their order. A process handles one message at a time, in
 * procs_run, with a budget per turn; sending never runs anybody. What erlang's reference manual
 * says of links, monitors and exit signals holds: exit reason normal is ignored unless trapped,
 * kill cannot be trapped and arrives as killed at links.
 */
#ifndef PROC_PROCESS_H
#define PROC_PROCESS_H

#include "dist/control.h"

struct procs;
struct process;

/** The way out to other nodes. */
struct transport {
    void *context;
    int (*send)(void *context, const char *node, const struct control *control,
                struct cn_term message);
};

/** Limits of the process layer; 0 means the default in brackets. */
struct procs_limits {
    uint32_t processes_max;         /* [2,000,000] */
    uint32_t names_max;             /* [65,536] */
    uint32_t mailbox_max;           /* messages in one process [1,000,000]; then it is killed */
    uint32_t monitors_per_peer_max; /* [10,000,000] */
    uint32_t links_per_peer_max;    /* [10,000,000] */
};

/** Make the process side of the node @name with @creation. Errors: -ENOMEM. */
int procs_new(const char *name, uint32_t creation, const struct transport *transport,
              const struct procs_limits *limits, struct procs **ret_procs);
/** End every process without signals and release; returns NULL. */
struct procs *procs_free(struct procs *procs);
/** The node's name. */
const char *procs_node(const struct procs *procs);

/**
 * Take a signal from the peer @node. Returns 0, or CN_E_INVALID when the peer broke a rule
 * (close the connection).
 */
int procs_deliver(struct procs *procs, const char *node, uint32_t creation,
                  const struct control *control, struct cn_term message);
/**
 * A peer is up: remember its creation, so that pids of an older incarnation are known to be
 * dead.
 */
int procs_peer_up(struct procs *procs, const char *node, uint32_t creation);
/**
 * A peer is gone: everybody linked to or monitoring something there gets noconnection; its own
 * monitors and links are dropped.
 */
void procs_peer_down(struct procs *procs, const char *node);
/**
 * Run processes that have messages and timers that are due; returns the next wanted moment as
 * `loop_turn` does.
 */
uint64_t procs_run(struct procs *procs, uint64_t now_ms);
/** The time given to the latest procs_run. */
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
 * What a process does. All functions may be called from procs_run only. `state` is released in
 * `ended`.
 */
struct process_behaviour {
    const char *module; /* shown by process_info and sys */
    /** A message, valid during the call. */
    void (*message)(struct process *self, void *state, struct cn_term message);
    /** A timer set with process_start_timer is due. */
    void (*timer)(struct process *self, void *state, uint64_t timer);
    /**
     * The process has ended with @reason: release the state. The process can no longer send in
     * its own name.
     */
    void (*ended)(struct process *self, void *state, struct cn_term reason);
};

/**
 * Start a process; nothing runs yet. Ownership: @state goes to the process (`ended` releases
 * it). Errors: CN_E_LIMIT, -ENOMEM.
 */
int process_start(struct procs *procs, const struct process_behaviour *behaviour, void *state,
                  struct process **ret_process);
/** End @self with @reason after the present callback: links and monitors get it. */
void process_exit(struct process *self, struct cn_term reason);
/** End @self with an atom as reason. */
void process_exit_atom(struct process *self, const char *reason);
const struct cn_pid *process_pid(const struct process *self);
struct procs *process_procs(const struct process *self);
void *process_state(const struct process *self);
/** Find a live process of this node; NULL when there is none (other node, old creation, ended). */
struct process *procs_find(struct procs *procs, const struct cn_pid *pid);
void process_trap_exit(struct process *self, bool trap);
/** Number of messages waiting. */
size_t process_mailbox_length(const struct process *self);
/**
 * Number of monitors that others hold on @self (by pid or name), not counting those of
 * processes in @except_node (NULL: all).
 */
size_t process_watchers(const struct process *self, const char *except_node);

/**
 * Names, as erlang:register/2. Errors: CN_E_TAKEN, CN_E_LIMIT; -ENOMEM. A name is gone when its
 * process ends.
 */
int process_register(struct process *self, const char *name);
void process_unregister(struct process *self, const char *name);
struct process *procs_whereis(struct procs *procs, struct cn_bytes name);

/**
 * Send @message from @from (NULL: the node itself). Messages to nobody vanish. Errors: as
 * network_send; -ENOMEM.
 */
int procs_send(struct procs *procs, const struct process *from, const struct dest *dest,
               struct cn_term message);
/** Short for a pid. */
int procs_send_pid(struct procs *procs, const struct process *from, const struct cn_pid *to,
                   struct cn_term message);
/**
 * Monitor; the answer is the message {'DOWN', Ref, process, Pid | {Name, Node}, Reason} in
 * @self's mailbox.
 */
int process_monitor(struct process *self, const struct dest *dest, struct cn_ref *ret_ref);
/** Stop monitoring; with @flush a DOWN that is already in the mailbox is taken out. */
void process_demonitor(struct process *self, const struct cn_ref *ref, bool flush);
int process_link(struct process *self, const struct cn_pid *pid);
void process_unlink(struct process *self, const struct cn_pid *pid);
/** exit/2. */
int procs_exit_signal(struct procs *procs, const struct process *from, const struct cn_pid *to,
                      struct cn_term reason);

/** A new reference of this node. */
void procs_make_ref(struct procs *procs, struct cn_ref *ret_ref);

/**
 * Call `timer` of @self in @delay_ms; *@ret_timer identifies it. Timers end with the process.
 * Errors: -ENOMEM.
 */
int process_start_timer(struct process *self, uint64_t delay_ms, uint64_t *ret_timer);
void process_cancel_timer(struct process *self, uint64_t timer);

#endif
