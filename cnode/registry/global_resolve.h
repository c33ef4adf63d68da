/*
 * Who keeps a name that two processes have: the three methods of stock OTP, and the owner's own.
 *
 * Source: global:random_exit_name/3, random_notify_name/3, notify_all_name/3.
 */
#ifndef REGISTRY_GLOBAL_RESOLVE_H
#define REGISTRY_GLOBAL_RESOLVE_H

#include "base/list.h"
#include "otp/functions.h"
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
/**
 * Tell the owner of @hooks of the one of two that has been killed for a name, if it was of this
 * node: a process that lives has been told itself.
 */
void global_tell_killed(struct procs *procs, const struct global_hooks *hooks, struct cn_term name,
                        const struct cn_pid *a, const struct cn_pid *b);

/** What was chosen between two. */
struct global_choice {
    struct cn_pid a;
    struct cn_pid b;
    const struct cn_pid *winner; /* NULL: nobody */
};

/** Called when a choice is made, and not answered yet; what it gets is valid during the call. */
typedef void (*global_choice_made)(void *context, struct cn_term name,
                                   const struct global_choice *choice);

/** Who answers global:resolve_it/4 for a registry. */
struct global_resolver {
    struct procs *procs;
    const struct global_hooks *hooks;
    global_choice_made chosen;
    void *context;
    struct list waiting; /* for a choice */
};

/** Nobody waits yet. Ownership: @hooks must outlive it. */
void global_resolver_init(struct global_resolver *resolver, struct procs *procs,
                          const struct global_hooks *hooks, global_choice_made chosen,
                          void *context);
/** Forget who waits; nobody is answered. */
void global_resolver_deinit(struct global_resolver *resolver);
/** Answer @apply, asked with Method, Name, Pid and Pid, now or when the owner has chosen. */
void global_resolve_it(struct global_resolver *resolver, struct apply *apply,
                       const struct cn_term *arguments);

#endif
