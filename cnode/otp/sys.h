/*
 * System messages, as the module sys sends them: get_state, get_status, suspend, resume, terminate.
 *
 * The one thing that depends on the asker: OTP 25 and older take the bare state as the answer to
 * get_state, OTP 27 and later {ok, State}. Who knows the peers' releases tells by a hook;
 * without one everybody gets the bare state.
 *
 * Source: the module sys; distribution.md D.
 */
#ifndef OTP_SYS_H
#define OTP_SYS_H

#include "proc/process.h"

/** What sys must know about peers. */
struct sys_hook {
    void *context;
    /** Tell whether a process on @node expects {ok, State}. */
    bool (*wraps_state)(void *context, const char *node);
};

/** Use @hook for all gen_servers of @procs. Ownership: kept, not copied; it must outlive @procs. */
void sys_set_hook(struct procs *procs, const struct sys_hook *hook);

#endif
