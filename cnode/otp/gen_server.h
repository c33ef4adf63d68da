/*
 * gen_server in C: what stands behind GenServer.call, cast and send when the server lives here.
 *
 * A gen_server is a process whose messages are sorted: '$gen_call' and '$gen_cast' envelopes,
 * system messages (sys), answers to its own calls (otp/call.h), everything else. Answers follow
 * the caller's tag: [alias | Ref] is answered to the alias.
 *
 * Source: OTP Design Principles, gen_server; the module gen; distribution.md A.4.
 */
#ifndef OTP_GEN_SERVER_H
#define OTP_GEN_SERVER_H

#include "proc/process.h"

struct gen_server;

/** Who waits for an answer. Can be kept after the callback with gen_from_copy. */
struct gen_from {
    struct cn_pid pid;
    struct cn_term tag; /* a view while in the callback */
};

/**
 * The callbacks. Any but `terminate` may be NULL: a call is then answered
 * {error, unknown_request}, the rest dropped.
 */
struct gen_server_callbacks {
    const char *module;
    /**
     * See every message before it is sorted, and take it by returning true: a frozen session
     * keeps it for later, a forwarder passes it on. System messages, and answers to own calls,
     * are seen first by gen_server and never here.
     */
    bool (*intercept)(struct gen_server *self, void *state, struct cn_term message);
    void (*handle_call)(struct gen_server *self, void *state, const struct gen_from *from,
                        struct cn_term request);
    void (*handle_cast)(struct gen_server *self, void *state, struct cn_term message);
    void (*handle_info)(struct gen_server *self, void *state, struct cn_term message);
    void (*handle_timer)(struct gen_server *self, void *state, uint64_t timer);
    /** Write the state for sys:get_state; NULL: the atom `opaque`. */
    int (*format_state)(void *state, struct cn_writer *writer);
    /** The process ends with @reason: release the state. */
    void (*terminate)(struct gen_server *self, void *state, struct cn_term reason);
};

/**
 * Start a gen_server. Ownership: @state goes to it (`terminate` releases it); not on error.
 * Errors: CN_E_LIMIT, -ENOMEM.
 */
int gen_server_start(struct procs *procs, const struct gen_server_callbacks *callbacks, void *state,
                     struct gen_server **ret_server);
/** Find the gen_server behind a local pid; NULL when there is none or it runs other @callbacks. */
struct gen_server *gen_server_find(struct procs *procs, const struct cn_pid *pid,
                                   const struct gen_server_callbacks *callbacks);
/** The same for a process at hand; NULL is fine. */
struct gen_server *gen_server_of(struct process *process,
                                 const struct gen_server_callbacks *callbacks);
/** What it says it runs. */
const char *gen_server_module(const struct gen_server *self);
/** The process that it is. */
struct process *gen_server_process(struct gen_server *self);
/** Its node's processes. */
struct procs *gen_server_procs(struct gen_server *self);
/** Its pid, valid as long as it lives. */
const struct cn_pid *gen_server_pid(struct gen_server *self);
/** What was given to gen_server_start. */
void *gen_server_state(struct gen_server *self);
/**
 * Sort and handle @message now, as if it came from the mailbox (a thawed session replays what
 * it kept). `intercept` is not asked.
 */
void gen_server_handle(struct gen_server *self, struct cn_term message);
/** End after the present callback. */
void gen_server_stop(struct gen_server *self, struct cn_term reason);
/** The same with an atom as the reason. */
void gen_server_stop_atom(struct gen_server *self, const char *reason);

/**
 * Answer a caller, from any callback, once. @from's alias or pid may be remote or local; a caller
 * that is gone is no error. Errors: as procs_send.
 */
int gen_reply(struct procs *procs, const struct gen_from *from, struct cn_term reply);
/**
 * Answer with the term that @reply holds, without a copy of it if it is large. @reply is empty
 * afterwards. Errors: as procs_send; -EINVAL when it holds nothing or an error.
 */
int gen_reply_written(struct procs *procs, const struct gen_from *from, struct cn_writer *reply);
/**
 * Answer with a term that is kept for further answers too, see procs_send_shared. Errors: as
 * procs_send.
 */
int gen_reply_shared(struct procs *procs, const struct gen_from *from, struct etf_body *reply);
/**
 * Keep a caller for a later answer. Ownership: the caller's, gen_from_free. NULL without
 * memory.
 */
struct gen_from *gen_from_copy(const struct gen_from *from);
/** Release a kept caller; NULL is fine. Returns NULL. */
struct gen_from *gen_from_free(struct gen_from *from);

/** Read the reference in @from's tag, by which the caller knows its call; false: there is none. */
bool gen_from_tag(const struct gen_from *from, struct cn_ref *ret_tag);

/**
 * Read {Pid, Tag}; @ret_from views into @term. Errors: CN_E_INVALID when @term is no such tuple.
 */
int gen_from_read(struct cn_term term, struct gen_from *ret_from);

/** Send {'$gen_cast', Message}. Errors: as procs_send. */
int gen_cast(struct procs *procs, const struct process *from, const struct dest *dest,
             struct cn_term message);

#endif
