/*
 * The functions that other nodes may apply here, by rpc (rex) or erpc (spawn requests): one table,
 * nothing else.
 *
 * What is not in the table is `undef` at once, as on a BEAM that lacks the module. A function may
 * answer later: it keeps the `struct apply` and ends it with apply_return or apply_raise
 * exactly once. The caller's end needs no care: an answer to somebody who is gone vanishes.
 *
 * Source: kernel's erpc and rpc; distribution.md D.
 */
#ifndef OTP_FUNCTIONS_H
#define OTP_FUNCTIONS_H

#include "otp/gen_server.h"

struct functions;
struct apply;

/** One function. */
struct function {
    const char *module; /* as on the wire: "Elixir.Minotaur.GameEngine", "erlang" */
    const char *name;
    uint32_t arity;
    /** Carry it out. @arguments: @arity validated terms, valid during the call. */
    void (*run)(void *context, struct apply *apply, const struct cn_term *arguments);
    void *context;
};

/** What only node/ can measure. */
struct node_figures {
    uint64_t uptime_ms;
    uint64_t runtime_ms; /* processor time */
    uint64_t memory_bytes;
    uint32_t processors;
};

/** What the functions that every node has must ask node/ for. Any may be NULL. */
struct functions_hooks {
    void *context;
    /** Visit the connected nodes. NULL: there are none. */
    void (*each_node)(void *context,
                      void (*visit)(void *visit_context, const char *node, bool hidden),
                      void *visit_context);
    /** Leave, with the exit status @status (init:stop, erlang:halt). NULL: refused, undef. */
    void (*stop)(void *context, int status);
    /** Measure. NULL: all are 0, and there is one processor. */
    void (*figures)(void *context, struct node_figures *ret_figures);
};

/**
 * Start `rex`, `net_kernel` and the answering of spawn requests in @procs, with the
 * functions every node has (erlang:node/0, ...). Errors: CN_E_TAKEN (a name), CN_E_LIMIT, -ENOMEM.
 */
int functions_new(struct procs *procs, struct functions **ret_functions);
/** Release, after procs_free; returns NULL. What was not ended is forgotten. */
struct functions *functions_free(struct functions *functions);
/** Set what the functions of every node ask for; @hooks is copied. */
void functions_set_hooks(struct functions *functions, const struct functions_hooks *hooks);
/**
 * Add functions; the array is copied, its strings are not.
 * Errors: CN_E_TAKEN, -ENOMEM; those before the failing one stay.
 */
int functions_add(struct functions *functions, const struct function *table, size_t count);

/**
 * End with a value. One that is the answer to a call, in the message that is being handled, is
 * passed on as it was sent. Ownership: @apply is consumed.
 */
void apply_return(struct apply *apply, struct cn_term value);
/** The same with {ok, @value}. Ownership: @apply is consumed. */
void apply_return_ok(struct apply *apply, struct cn_term value);
/** End with a short atom as the value. Ownership: @apply is consumed. */
void apply_return_atom(struct apply *apply, const char *value);
/**
 * End with what @writer holds, or with the error system_limit when it failed, and release the
 * writer's buffer. Ownership: @apply is consumed.
 */
void apply_return_writer(struct apply *apply, struct cn_writer *writer);
/**
 * End with an exception: @class_ is "error", "exit" or "throw". Ownership: @apply is consumed.
 */
void apply_raise(struct apply *apply, const char *class_, struct cn_term reason);
/** End with the error @reason, such as "badarg". Ownership: @apply is consumed. */
void apply_error(struct apply *apply, const char *reason);
/** End as a function that is not in the table. Ownership: @apply is consumed. */
void apply_undef(struct apply *apply);
/**
 * The process in which the function runs (it has a pid and can make calls: see call_start).
 * It ends with the apply. NULL when somebody has killed it meanwhile.
 */
struct gen_server *apply_server(struct apply *apply);
/** The table it came from. */
struct functions *apply_functions(struct apply *apply);
/** The processes of this node. */
struct procs *apply_procs(struct apply *apply);

#endif
