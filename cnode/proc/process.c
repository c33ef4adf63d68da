/*
 * One process, from start to end.
 *
 * Ending has two steps. Whoever decides it (the process itself, an exit signal, a limit) marks the
 * process, with a reason; from then on it cannot be found, and nothing reaches it. When the run
 * queue comes to it, it loses its id and its names, `ended` releases its state, and then links and
 * monitors hear of it: what `ended` still sends arrives before that. So the reason is
 * kept for at most one turn, and callbacks never nest.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "proc/internal.h"

int process_start(struct procs *procs, const struct process_behaviour *behaviour, void *state,
                  struct process **ret_process)
{
    struct process *process = mem_zalloc(sizeof(*process));
    int r = 0;

    if (process == NULL)
        return -ENOMEM;
    process->pid = procs->node_pid;
    r = table_add(&procs->table, process, procs->limits.processes_max, &process->pid.id,
                  &process->pid.serial);
    if (r != 0) {
        mem_free(process);
        return r;
    }
    /* Nothing can fail below. */
    process->procs = procs;
    process->behaviour = behaviour;
    process->state = state;
    list_init(&process->run);
    list_init(&process->links);
    list_init(&process->monitors);
    list_init(&process->watchers);
    list_init(&process->timers);
    list_init(&process->stalled);
    trace("proc", "start %u.%u %s", process->pid.id, process->pid.serial, behaviour->module);
    *ret_process = process;
    return 0;
}

/* It ends with @reason, NULL when there was no memory to keep it: then it was killed. */
static void mark(struct process *process, struct message *reason)
{
    process->exiting = true;
    process->reason = reason;
    run_queue_add(process);
}

void process_mark_exiting(struct process *process, struct cn_term reason)
{
    struct message *copy = NULL;

    if (process->exiting)
        return;
    copy = message_new(reason.size);
    if (copy != NULL)
        memcpy(copy->bytes, reason.data, reason.size);
    mark(process, copy);
}

void process_exit_shared(struct process *self, struct cn_term start, struct etf_body *body)
{
    struct message *whole = NULL;

    if (self->exiting)
        return;
    if (message_join(start, body, &whole) == -E2BIG)
        process_mark_exiting(self, REASON_SYSTEM_LIMIT);
    else
        mark(self, whole);
}

/* The reason; killed when there was no memory to keep it. */
static struct cn_term exit_reason(const struct process *process)
{
    if (process->reason == NULL)
        return REASON_KILLED;
    return (struct cn_term){process->reason->data, process->reason->size};
}

void process_end(struct process *process, bool silent)
{
    struct procs *procs = process->procs;
    struct cn_term reason = exit_reason(process);

    trace("proc", "end %u.%u", process->pid.id, process->pid.serial);
    process->exiting = true;
    list_remove(&process->run);
    stalls_drop(process);
    table_remove(&procs->table, process->pid.id);
    names_drop(process);
    if (process->behaviour->ended != NULL)
        process->behaviour->ended(process, process->state, reason);
    timers_drop(process);
    links_break(process, reason, silent);
    monitors_end(process, reason, silent);
    mailbox_clear(process);
    list_remove(&process->run);
    if (process->reason != NULL)
        message_free(process->reason);
    mem_free(process);
}

void process_exit(struct process *self, struct cn_term reason)
{
    process_mark_exiting(self, reason);
}

void process_exit_atom(struct process *self, const char *reason)
{
    struct cn_writer *writer = route_scratch(self->procs);

    cn_write_atom(writer, reason);
    if (cn_writer_error(writer) != 0)
        process_mark_exiting(self, REASON_KILLED);
    else
        process_mark_exiting(self, cn_writer_term(writer));
}

const struct cn_pid *process_pid(const struct process *self)
{
    return &self->pid;
}

struct procs *process_procs(const struct process *self)
{
    return self->procs;
}

void *process_state(const struct process *self)
{
    return self->state;
}

const struct process_behaviour *process_behaviour(const struct process *self)
{
    return self->behaviour;
}

bool process_exiting(const struct process *self)
{
    return self->exiting;
}

void process_trap_exit(struct process *self, bool trap)
{
    self->trap_exit = trap;
}

bool process_traps_exit(const struct process *self)
{
    return self->trap_exit;
}

size_t process_mailbox_length(const struct process *self)
{
    return self->mailbox_length;
}
