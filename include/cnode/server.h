/*
 * A GenServer in C: a process with callbacks, that other processes call, cast to, monitor, link and
 * send to from any node, as they do with one written in Elixir.
 *
 * Everything runs on one thread: callbacks never overlap, and none may wait. Whatever takes time (a
 * call to somebody else, a timer, a name in :global) is asked for and answered later by a cn_done
 * callback, between which other messages are handled. Destinations are terms, as in Erlang: a pid,
 * a registered name, {Name, Node}, an alias.
 *
 * A server that has sent to a node that does not read handles nothing more until that node reads or
 * is gone, as on a BEAM; everybody else goes on.
 *
 * Failing for lack of memory changes nothing. What cannot be reached is no error: monitors, links
 * and calls say so, messages vanish.
 */
#ifndef CNODE_SERVER_H
#define CNODE_SERVER_H

#include <cnode/term.h>

struct cn_node;
struct cn_server;
/** Who called and waits for an answer. Valid during handle_call; see cn_from_keep. */
struct cn_from;

/** Conditions that a function below lists under Errors; all other errors are -errno. */
enum cn_condition {
    CN_TAKEN = 1,   /* the name belongs to another process */
    CN_LIMIT = 2,   /* the node has as many of these as it may have */
    CN_UNKNOWN = 3, /* there is nothing of the kind */
};

/** The callbacks. Any may be NULL: a call is then {error, unknown_request}, the rest is dropped. */
struct cn_server_callbacks {
    const char *module; /* what the process says it runs */
    void (*handle_call)(struct cn_server *self, void *state, const struct cn_from *from,
                        struct cn_term request);
    void (*handle_cast)(struct cn_server *self, void *state, struct cn_term message);
    /** Any other message: {'DOWN', ...}, {'EXIT', ...} when trapping exits, plain ones. */
    void (*handle_info)(struct cn_server *self, void *state, struct cn_term message);
    /** Write the state for :sys.get_state. Returns 0 or -ENOMEM. NULL: the atom opaque. */
    int (*format_state)(void *state, struct cn_writer *writer);
    /** The process ends with @reason: release the state. All cn_done have been called before. */
    void (*terminate)(struct cn_server *self, void *state, struct cn_term reason);
};

/**
 * Start a server; nothing runs before this callback is over.
 * Ownership: @state is the server's, for terminate; not on error. @callbacks must outlive it.
 * Errors: CN_LIMIT, -ENOMEM.
 */
int cn_server_start(struct cn_node *node, const struct cn_server_callbacks *callbacks, void *state,
                    struct cn_server **ret_server);
/** End after the present callback; links and monitors get exactly @reason. */
void cn_server_stop(struct cn_server *self, struct cn_term reason);
/** End with an atom as reason: "normal", "shutdown". */
void cn_server_stop_atom(struct cn_server *self, const char *reason);
/** Its node. */
struct cn_node *cn_server_node(const struct cn_server *self);
/** Its pid, valid as long as the server. */
const struct cn_pid *cn_server_pid(const struct cn_server *self);
/** Choose whether exit signals become {'EXIT', Pid, Reason} messages, as trap_exit does. */
void cn_server_trap_exit(struct cn_server *self, bool trap);
/**
 * Register a name on this node, as Process.register/2; it is gone when the server ends.
 * Errors: CN_TAKEN, CN_LIMIT, -EINVAL (empty, beyond 255 bytes, undefined), -ENOMEM.
 */
int cn_server_register(struct cn_server *self, const char *name);
/** Give a name up; nothing happens when it is not @self's. */
void cn_server_unregister(struct cn_server *self, const char *name);
/** Make a reference that nobody else has. */
void cn_make_ref(struct cn_server *self, struct cn_ref *ret_ref);

/**
 * Answer a caller, once: in handle_call, or later with a kept @from. A caller that is gone is no
 * error. Errors: -ENOMEM, -E2BIG, -EINVAL (@reply is not one term).
 */
int cn_reply(struct cn_server *self, const struct cn_from *from, struct cn_term reply);
/**
 * The same with the term that @reply holds, which is not copied again if it is large. @reply is
 * empty afterwards. Errors: as cn_reply; -EINVAL when it holds nothing or an error.
 */
int cn_reply_written(struct cn_server *self, const struct cn_from *from, struct cn_writer *reply);
/** Keep a caller for a later answer. Ownership: the caller's, for cn_from_free. Errors: NULL. */
struct cn_from *cn_from_keep(const struct cn_from *from);
/** Release a kept caller, answered or not; NULL is fine. Returns NULL. */
struct cn_from *cn_from_free(struct cn_from *from);

/** A term that outlives the callback to which it was given. */
struct cn_kept;
/**
 * Keep @term, of which the present callback was given the whole. At least half of a large message
 * is not copied: what stays in memory is never more than twice as large as @term.
 * Ownership: the caller's, for cn_kept_free. Errors: NULL.
 */
struct cn_kept *cn_keep(struct cn_server *self, struct cn_term term);
/** Give what was kept. */
struct cn_term cn_kept_term(const struct cn_kept *kept);
/** Release it; NULL is fine. Returns NULL. */
struct cn_kept *cn_kept_free(struct cn_kept *kept);

/** Send a message, as send/2. Errors: -EINVAL (@to is no destination), -ENOMEM, -E2BIG. */
int cn_send(struct cn_server *self, struct cn_term to, struct cn_term message);
/** Cast, as GenServer.cast/2. Errors: as cn_send. */
int cn_cast(struct cn_server *self, struct cn_term to, struct cn_term message);
/**
 * Monitor a pid or a name; {'DOWN', Ref, process, Pid | {Name, Node}, Reason} comes to handle_info,
 * at once when there is nobody. Errors: -EINVAL (@to is neither), -ENOMEM.
 */
int cn_monitor(struct cn_server *self, struct cn_term to, struct cn_ref *ret_ref);
/** Stop monitoring; a DOWN that is already in the mailbox is taken out of it. */
void cn_demonitor(struct cn_server *self, const struct cn_ref *ref);
/** Link, as Process.link/1; to nobody it breaks at once, by an exit signal. Errors: -ENOMEM. */
int cn_link(struct cn_server *self, const struct cn_pid *pid);
/** Unlink: no exit signal of that link arrives after this. */
void cn_unlink(struct cn_server *self, const struct cn_pid *pid);
/** Send an exit signal, as Process.exit/2. Errors: -ENOMEM, -E2BIG. */
int cn_exit(struct cn_server *self, const struct cn_pid *pid, struct cn_term reason);

/** How something ended that a server asked for. */
enum cn_outcome {
    CN_DONE,  /* term: the answer */
    CN_EXIT,  /* term: the reason, as GenServer.call exits with it, without the MFA */
    CN_ENDED, /* it was taken back, or the server ends: only release the context. No term. */
};

/**
 * Called exactly once for each request that was accepted, never before the asking callback is over.
 * A server that ends gets CN_ENDED for each, then terminate; it can ask for nothing more meanwhile:
 * -ESHUTDOWN.
 * Ownership: @context is the callback's to release; @term is valid during the call.
 */
typedef void (*cn_done)(struct cn_server *self, void *context, enum cn_outcome outcome,
                        struct cn_term term);

/** No time limit. */
#define CN_INFINITY UINT32_MAX

/**
 * Call a pid, a name, or {global, Name}, as GenServer.call/3. CN_DONE: its reply. CN_EXIT: noproc,
 * {nodedown, Node}, timeout (a reply that comes later is dropped), or what the other ended with.
 * Errors: -EINVAL (@to is neither), -EDEADLK (it is @self), CN_LIMIT, -ENOMEM, -E2BIG.
 */
int cn_call(struct cn_server *self, struct cn_term to, struct cn_term request, uint32_t timeout_ms,
            cn_done done, void *context);
/** A function on a node: its module and name as on the wire ("Elixir.Enum"), a list of arguments.
 */
struct cn_rpc_call {
    const char *node; /* of any kind, this one too */
    const char *module;
    const char *function;
    struct cn_term arguments;
};
/**
 * Apply a function, as :erpc.call/5. CN_DONE: its value. CN_EXIT: {Class, Reason}, what :erpc.call
 * raises: {error, {exception, Reason, Stack}}, {exit, {exception | signal, Reason}}, {throw, Term},
 * {error, {erpc, noconnection | timeout | notsup | system_limit}}. Errors: CN_LIMIT, -ENOMEM,
 * -E2BIG.
 */
int cn_rpc(struct cn_server *self, const struct cn_rpc_call *rpc, uint32_t timeout_ms, cn_done done,
           void *context);
/** Be called in @delay_ms. CN_DONE: the atom timeout. @ret_timer may be NULL. Errors: -ENOMEM. */
int cn_after(struct cn_server *self, uint64_t delay_ms, cn_done done, void *context,
             uint64_t *ret_timer);
/**
 * Take a timer back; its @done is called with CN_ENDED before this returns. False when it is not
 * running any more.
 */
bool cn_after_cancel(struct cn_server *self, uint64_t timer);

#endif
