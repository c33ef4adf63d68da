/*
 * Outgoing GenServer calls, without waiting: the answer comes as a callback in the calling
 * gen_server.
 *
 * A call monitors its target, so that a missing process or a lost node is known at once, and
 * has a timeout. Calls end with the gen_server that made them, their callbacks are then not
 * called. Applying a function on a node (erpc) is a call too.
 */
#ifndef OTP_CALL_H
#define OTP_CALL_H

#include "otp/gen_server.h"

enum call_outcome {
    CALL_REPLY,   /* term: the reply */
    CALL_DOWN,    /* term: the reason: noproc, noconnection, or what the server ended with */
    CALL_TIMEOUT, /* term: the atom timeout */
    CALL_RAISED,  /* call_erpc's only other outcome. term: {Class, Reason} */
};

/** Called exactly once, from procs_run. @term is valid during the call. */
typedef void (*call_done)(struct gen_server *self, void *context, enum call_outcome outcome,
                          struct cn_term term);

struct call;
struct functions;

/**
 * Call @dest with @request on behalf of @self. @ret_call may be NULL. @timeout_ms 0: no limit.
 * Errors: CN_E_LIMIT, -ENOMEM; then @done is not called.
 */
int call_start(struct gen_server *self, const struct dest *dest, struct cn_term request,
               uint32_t timeout_ms, call_done done, void *context, struct call **ret_call);
/** Give the reference that is the tag of a call under way: its server knows the call by it. */
void call_tag(const struct call *call, struct cn_ref *ret_tag);
/**
 * Write the reason with which gen:call ends on CALL_DOWN: @reason, but a lost connection is told as
 * {nodedown, @node}. @node is that of the called server; NULL or "": not known.
 */
void call_write_down(struct cn_writer *writer, struct cn_term reason, const char *node);
/** Forget a call: @done is not called, a late answer is dropped. */
void call_cancel(struct call *call);

/** A function to be applied on a node, and its argument list as one term. */
struct call_mfa {
    const char *node;
    const char *module;
    const char *function;
    struct cn_term arguments; /* a list, which nobody here looks into */
};
/**
 * Apply a function on a node, of any kind and this one too, as erpc:call/5 does.
 *
 * The outcome is CALL_REPLY with the value, or CALL_RAISED with what erpc:call would raise:
 * {throw, T}, {exit, {exception, R}}, {exit, {signal, R}} when its process was ended by somebody,
 * {error, {exception, R, Stack}}, or {error, {erpc, R}} with R noconnection, timeout, notsup (a
 * peer too old for it) or system_limit. The function goes on after a timeout.
 * Errors: as call_start.
 */
int call_erpc(struct functions *functions, struct gen_server *self, const struct call_mfa *mfa,
              uint32_t timeout_ms, call_done done, void *context, struct call **ret_call);

/**
 * Apply a function on @node through its `rex` server, as rpc:call does; the reply is the value
 * or {badrpc, Reason}. @arguments is the argument list as one term. Errors and outcomes as
 * call_start.
 */
int call_rpc(struct gen_server *self, const char *node, const char *module, const char *function,
             struct cn_term arguments, uint32_t timeout_ms, call_done done, void *context,
             struct call **ret_call);

#endif
