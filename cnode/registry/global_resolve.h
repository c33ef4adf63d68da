/*
 * Who keeps a name that two processes have: the three methods of stock OTP.
 *
 * Source: global:random_exit_name/3, random_notify_name/3, notify_all_name/3.
 */
#ifndef REGISTRY_GLOBAL_RESOLVE_H
#define REGISTRY_GLOBAL_RESOLVE_H

#include "proc/process.h"
#include "registry/registry.h"

/** The method as the external fun that goes along with a name. */
struct cn_term global_method_term(enum global_method method);
/**
 * Carry out @method, an external fun, on @name and its two holders; *@ret_winner is @a, @b, or
 * NULL: nobody keeps it. False for a method that is not known here.
 */
bool global_resolve(struct procs *procs, struct cn_term method, struct cn_term name,
                    const struct cn_pid *a, const struct cn_pid *b,
                    const struct cn_pid **ret_winner);

#endif
