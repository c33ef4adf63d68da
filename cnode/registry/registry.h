/*
 * Names of the whole cluster behind one table of functions.
 *
 * A visible node is a full member of :global (registry/member.h); a hidden one registers through a
 * BEAM neighbour (registry/global_external.h). Who asks for names does not see which.
 *
 * Outcomes come as callbacks, exactly once, from procs_run, never from inside the asking call. What
 * is asked for one name is carried out in the order of asking. Once the process behind it has ended
 * (somebody killed it, or procs_free) every request fails with CN_E_CLOSED.
 *
 * Locks are those of :global:set_lock/3, of any resource, and belong to the process that takes
 * them: they go when it ends. A hidden node has none.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <cnode/term.h>

struct batches;
struct gen_server;

/** What became of a request. */
enum global_outcome {
    GLOBAL_YES,
    GLOBAL_NO,          /* somebody else has the name; whereis: nobody has it */
    GLOBAL_UNREACHABLE, /* nobody answered in time: it may or may not have happened */
};

/** What becomes of a name that two processes took while their nodes were apart. */
enum global_method {
    GLOBAL_NOTIFY_ALL, /* global:notify_all_name/3: nobody keeps it, both are told */
    GLOBAL_NOTIFY_ONE, /* global:random_notify_name/3: one keeps it, the other is told */
    GLOBAL_EXIT_ONE,   /* global:random_exit_name/3: one keeps it, the other is killed */
    GLOBAL_OWNER,      /* the owner decides: global_hooks.choose; without that as EXIT_ONE */
};

/** Called once with who keeps a name: one of the two who have it, or NULL: nobody. */
typedef void (*global_chosen)(void *context, const struct cn_pid *winner);

/** Called when a lock has been taken (@held), or could not be had in as many tries as allowed. */
typedef void (*global_locked)(void *context, bool held);

/** Called once. @holder: who has the name, NULL when nobody or unknown; valid during the call. */
typedef void (*global_done)(void *context, enum global_outcome outcome,
                            const struct cn_pid *holder);

/** What the owner is told. Any may be NULL. */
struct global_hooks {
    void *context;
    /**
     * A name of ours was found in the hands of @other, after both were registered apart. The name
     * is not ours any more as far as this node is concerned; @ours lives.
     */
    void (*on_conflict)(void *context, struct cn_term name, const struct cn_pid *ours,
                        const struct cn_pid *other);
    /**
     * The function of three arguments, Name, Pid and Pid, that names of GLOBAL_OWNER go along with:
     * what a BEAM node applies when one of its own processes has the name, and calls by
     * global:resolve_it/4 here when one of ours has. Static strings; NULL: there is none.
     */
    const char *owner_module;
    const char *owner_function;
    /**
     * Choose who keeps @name of GLOBAL_OWNER, that both @a and @b took apart; one of them, or both,
     * are processes of this node. Then see to it what becomes of the other, as the methods of OTP
     * do. @chosen: to be called exactly once, now or later, but soon: two partitions stay locked
     * until then. Not after the registry has been released. The terms are valid during the call.
     */
    void (*choose)(void *context, struct cn_term name, const struct cn_pid *a,
                   const struct cn_pid *b, global_chosen chosen, void *chosen_context);
    /** Close the connection to @node, if there is one. */
    void (*disconnect)(void *context, const char *node);
    /** Somebody asks this node to leave (global:disconnect/0): dial no peer again by yourself. */
    void (*leaving)(void *context);
    /** Somebody has killed the registry's processes: nothing that is asked works any more. */
    void (*closed)(void *context);
};

/** The table. Errors of all: CN_E_CLOSED, -ENOMEM; then @done, which may be NULL, is not called. */
struct registry {
    void *context;
    struct batches *batches; /* batch.h: those under way; set by whom this table belongs to */
    /**
     * Register @pid, a process of this node, under the term @name. Ownership: @name is copied.
     */
    int (*register_name)(void *context, struct cn_term name, const struct cn_pid *pid,
                         enum global_method method, global_done done, void *done_context);
    /** Take @name from @pid, a process of this node; NO, changing nothing, when it has it not. */
    int (*unregister_name)(void *context, struct cn_term name, const struct cn_pid *pid,
                           global_done done, void *done_context);
    /** Give the name to @pid, a process of any node, whoever has it now: the atomic move. */
    int (*move_name)(void *context, struct cn_term name, const struct cn_pid *pid,
                     enum global_method method, global_done done, void *done_context);
    /** Take note that another node gave @name to @pid, a process of this node, with @method. */
    int (*adopt_name)(void *context, struct cn_term name, const struct cn_pid *pid,
                      enum global_method method);
    /** Take note that @pid, a process of this node, was told that a conflict has cost it @name. */
    void (*lost_name)(void *context, struct cn_term name, const struct cn_pid *pid);
    /** Find who has the name: YES with the holder, or NO. */
    int (*whereis_name)(void *context, struct cn_term name, global_done done, void *done_context);
    /** Find a name of this node's processes without asking anybody; false when it is none. */
    bool (*whereis_local)(void *context, struct cn_term name, struct cn_pid *ret_pid);
    /**
     * Take the lock @id, {Resource, Requester}, for the process @owner, at all known nodes; tried
     * @retries times more when somebody else has it (UINT32_MAX: for ever). Errors, besides those
     * of all: CN_E_UNSUPPORTED of a hidden node; CN_E_INVALID: @id is no pair.
     */
    int (*set_lock)(void *context, struct gen_server *owner, struct cn_term id, uint32_t retries,
                    global_locked done, void *done_context);
    /** Give it back; @done is called with false when that is over, also if @owner has it not. */
    int (*del_lock)(void *context, struct gen_server *owner, struct cn_term id, global_locked done,
                    void *done_context);
    /** @owner ends: what it has or waits for is forgotten, nobody is called. */
    void (*locks_owner_ends)(void *context, struct gen_server *owner);
    /** A visible peer is up (after procs_peer_up). */
    int (*peer_up)(void *context, const char *node);
    /** A peer is gone; unknown ones are ignored. */
    void (*peer_down)(void *context, const char *node);
};

#endif
