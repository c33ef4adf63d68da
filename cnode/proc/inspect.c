/*
 * What stands around a process: for process_info and its like, never for deciding anything.
 *
 * Everything is visited in place, oldest first, and nothing is kept; a visitor only looks.
 */
#include "base/text.h"
#include "proc/internal.h"

void procs_each(struct procs *procs, void (*visit)(void *context, struct process *process),
                void *context)
{
    for (uint32_t id = 0; id < procs->table.used; id++) {
        struct process *process = procs->table.slots[id].process;

        if (process != NULL && !process->exiting)
            visit(context, process);
    }
}

void process_each_message(const struct process *self,
                          void (*visit)(void *context, struct cn_term message), void *context)
{
    for (const struct message *message = self->first; message != NULL; message = message->next)
        if (!message->timer)
            visit(context, (struct cn_term){message->data, message->size});
}

/* A pid of a peer's process, or of the peer itself when there is no process to name. */
static struct cn_pid remote_pid(const struct peer *peer, struct short_pid part)
{
    struct cn_pid pid = {.id = part.id, .serial = part.serial, .creation = part.creation};

    text_copy(pid.node, sizeof(pid.node), peer->name);
    return pid;
}

void process_each_monitor(const struct process *self,
                          void (*visit)(void *context, const struct cn_pid *pid, const char *name),
                          void *context)
{
    list_for_each(item, &self->monitors) {
        const struct monitor *monitor = container_of(item, struct monitor, in_watcher);
        struct cn_pid pid = self->pid;

        if (monitor->target != NULL)
            pid = monitor->target->pid;
        else if (monitor->target_peer != NULL)
            pid = remote_pid(monitor->target_peer, monitor->to);
        visit(context, &pid, monitor->name[0] != '\0' ? monitor->name : NULL);
    }
}

void process_each_watcher(const struct process *self,
                          void (*visit)(void *context, const struct cn_pid *pid), void *context)
{
    list_for_each(item, &self->watchers) {
        const struct monitor *monitor = container_of(item, struct monitor, in_target);
        struct cn_pid pid;

        pid = monitor->watcher != NULL ? monitor->watcher->pid
                                       : remote_pid(monitor->key.peer, monitor->from);
        visit(context, &pid);
    }
}
