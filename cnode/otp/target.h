/*
 * Destinations as Erlang writes them: a pid, a registered name, {Name, Node}, an alias.
 */
#ifndef OTP_TARGET_H
#define OTP_TARGET_H

#include "proc/process.h"

/** Where a term points to, with room for the strings. */
struct target {
    struct dest dest;       /* its strings are the ones below */
    char name[4 * 255 + 1]; /* an atom of 255 characters */
    char node[CN_NODE_NAME_MAX + 1];
};

/**
 * Read a destination into @ret_target, which must stay where it is. Errors: -EINVAL when it is none
 * of the four.
 */
int target_read(struct cn_term term, struct target *ret_target);
/** Tell whether it is on the node of @procs. */
bool target_is_local(const struct procs *procs, const struct target *target);
/** Find the process that it is on the node of @procs; NULL when there is none, or for an alias. */
struct process *target_find(struct procs *procs, const struct target *target);

#endif
