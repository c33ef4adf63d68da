/*
 * The functions that other nodes may apply here, by rpc (rex) or erpc (spawn requests): one
 * table, nothing else.
 *
 * What is not in the table is `undef` at once, as on a BEAM that lacks the module. A function
 * may answer later: it keeps the `struct apply` and ends it with apply_return or apply_raise
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

/**
 * Start `rex` and the answering of spawn requests in @procs, with the functions every node has
 * (erlang:node/0, ...).
 */
int functions_new(struct procs *procs, struct functions **ret_functions);
struct functions *functions_free(struct functions *functions);
/** Add functions; the array is copied, its strings are not. Errors: CN_E_TAKEN, -ENOMEM. */
int functions_add(struct functions *functions, const struct function *table, size_t count);

/** End with a value. Ownership: @apply is consumed. */
void apply_return(struct apply *apply, struct cn_term value);
/** End with an exception: @class is "error", "exit" or "throw". Ownership: @apply is consumed. */
void apply_raise(struct apply *apply, const char *class_, struct cn_term reason);
/** The process in which the function runs (it has a pid and can make calls: see call_start). */
struct gen_server *apply_server(struct apply *apply);

#endif
