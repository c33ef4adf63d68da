/*
 * Who keeps a name that two processes have: the three methods of stock OTP, and the owner's own.
 *
 * Source: global:random_exit_name/3, random_notify_name/3, notify_all_name/3.
 */
#ifndef REGISTRY_GLOBAL_RESOLVE_H
#define REGISTRY_GLOBAL_RESOLVE_H

#include "proc/process.h"
#include "registry/registry.h"

/** A method of OTP's as the external fun that goes along with a name. */
struct cn_term global_method_term(enum global_method method);
/** Write any method so; GLOBAL_OWNER is that of @hooks. */
void global_method_write(const struct global_hooks *hooks, enum global_method method,
                         struct cn_writer *writer);
/**
 * Carry out @method, an external fun, on @name and its two holders, and call @chosen: before this
 * returns, or, when the owner of @hooks decides, once that is done. False for a method that is not
 * known here; then @chosen is not called.
 */
bool global_resolve(struct procs *procs, const struct global_hooks *hooks, struct cn_term method,
                    struct cn_term name, const struct cn_pid *a, const struct cn_pid *b,
                    global_chosen chosen, void *context);

#endif
