/*
 * Exit signals, as they arrive at a process of this node.
 *
 * | reason                 | trapping                    | not trapping |
 * | kill, by exit/2        | ends, killed                | ends, killed |
 * | normal                 | {'EXIT', From, normal}      | nothing      |
 * | normal, from itself    | {'EXIT', From, normal}      | ends, normal |
 * | any other              | {'EXIT', From, Reason}      | ends, Reason |
 *
 * A process that cannot take the 'EXIT' message for lack of memory ends with the reason instead.
 */
#include <errno.h>

#include "base/alloc.h"
#include "proc/internal.h"

/* Errors: -ENOMEM. */
static int push_exit_message(struct process *target, const struct cn_pid *from,
                             struct cn_term reason)
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "EXIT");
    cn_write_pid(&writer, from);
    cn_write_term(&writer, reason);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = mailbox_push(target, cn_writer_term(&writer), false);
    cn_writer_free(&writer);
    return r;
}

void signal_exit(struct process *target, const struct cn_pid *from, struct cn_term reason,
                 bool by_link)
{
    bool own = cn_pid_equal(&target->pid, from);

    if (target->exiting)
        return;
    if (!by_link && cn_term_is_atom(reason, "kill")) {
        process_mark_exiting(target, REASON_KILLED);
        return;
    }
    if (target->trap_exit) {
        if (push_exit_message(target, from, reason) != 0)
            process_mark_exiting(target, reason);
        return;
    }
    if (cn_term_is_atom(reason, "normal") && !(own && !by_link))
        return;
    process_mark_exiting(target, reason);
}

int procs_exit_signal(struct procs *procs, const struct process *from, const struct cn_pid *to,
                      struct cn_term reason)
{
    const struct cn_pid *sender = from != NULL ? &from->pid : &procs->node_pid;
    struct control control = {.op = CONTROL_EXIT2, .has_from = true, .from = *sender, .to = *to};
    struct process *target = NULL;

    if (!route_is_local(procs, to->node))
        return route_signal(procs, from, to->node, &control, reason);
    target = procs_find(procs, to);
    if (target != NULL)
        signal_exit(target, sender, reason, false);
    return 0;
}
