/*
 * Stalls: processes that do not run because a node that they have sent to does not read.
 *
 * The transport takes every signal and answers CN_E_BUSY when too much waits for that node. Who
 * sent it finishes the callback that it is in, for C cannot be interrupted, and is then passed over
 * by the run queue until that node is ready or down, as a BEAM suspends the senders on a busy
 * distribution port. Whoever sends to other nodes goes on. A process can wait for several nodes,
 * and runs when none of them is busy. Its mailbox and its timers wait meanwhile; exit signals do
 * end it.
 *
 * Not every process is held: only those that asked for it with process_stall_on_busy.
 *
 * | process                           | held | why                                               |
 * | servers on the public API         | yes  | as a GenServer on a BEAM                          |
 * | a session that is a forwarder     | yes  | it talks to one node only                         |
 * | sessions otherwise                | no   | one player's frozen node must not hold the others |
 * | net_kernel, rex, :global, mesh,   | no   | everybody waits for them: one frozen member would |
 * | the host of sessions, ...         |      | stall names, drains and pings for the whole node  |
 * | what carries out rpc and erpc     | no   | it ends with its answer                           |
 *
 * How it fails: what those send who are not held, and one callback of those who are, is bounded by
 * the network's hard limit, at which that node is dropped. Without memory to note a stall the
 * process runs on, under the same limit.
 */
#include "base/alloc.h"
#include "base/trace.h"
#include "proc/internal.h"

/* That a process waits for a peer. */
struct stall {
    struct list in_process;
    struct list in_peer;
    struct process *process;
    struct peer *peer;
};

void process_stall_on_busy(struct process *self)
{
    self->stalls = true;
}

void process_run_on_busy(struct process *self)
{
    self->stalls = false;
    stalls_drop(self);
    run_queue_add(self);
}

bool process_stalled(const struct process *self)
{
    return !list_empty(&self->stalled);
}

static bool waits_for(const struct process *process, const struct peer *peer)
{
    list_for_each(item, &process->stalled) {
        if (container_of(item, struct stall, in_process)->peer == peer)
            return true;
    }
    return false;
}

static void stall_free(struct stall *stall)
{
    list_remove(&stall->in_process);
    list_remove(&stall->in_peer);
    mem_free(stall);
}

void stalls_add(struct process *process, const char *node)
{
    struct peer *peer = NULL;
    struct stall *stall = NULL;

    if (!process->stalls || process->exiting)
        return;
    peer = procs_peer_get(process->procs, node);
    if (peer == NULL || waits_for(process, peer))
        return;
    stall = mem_zalloc(sizeof(*stall));
    if (stall == NULL) {
        procs_peer_put(process->procs, peer);
        return;
    }
    stall->process = process;
    stall->peer = peer;
    list_init(&stall->in_process);
    list_init(&stall->in_peer);
    list_append(&process->stalled, &stall->in_process);
    list_append(&peer->stalled, &stall->in_peer);
    trace("proc", "stall %u.%u %s", process->pid.id, process->pid.serial, node);
}

void stalls_drop(struct process *process)
{
    struct list *item = NULL;

    while ((item = list_first(&process->stalled)) != NULL) {
        struct stall *stall = container_of(item, struct stall, in_process);
        struct peer *peer = stall->peer;

        stall_free(stall);
        procs_peer_put(process->procs, peer);
    }
}

void stalls_end(struct peer *peer)
{
    struct list *item = NULL;

    while ((item = list_first(&peer->stalled)) != NULL) {
        struct stall *stall = container_of(item, struct stall, in_peer);
        struct process *process = stall->process;

        stall_free(stall);
        if (process_stalled(process))
            continue;
        trace("proc", "go on %u.%u", process->pid.id, process->pid.serial);
        run_queue_add(process);
    }
}

void procs_peer_ready(struct procs *procs, const char *node)
{
    struct peer *peer = procs_peer_find(procs, node);

    if (peer == NULL)
        return;
    stalls_end(peer);
    procs_peer_put(procs, peer);
}
