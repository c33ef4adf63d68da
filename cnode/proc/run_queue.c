/*
 * The run queue: whose turn it is.
 *
 * Processes with work stand in one line. Each handles a small slice and goes to the end of the
 * line if there is more, and a turn as a whole handles a bounded number of messages, so neither a
 * busy process nor a busy node keeps the loop from its sockets. Work that is left is told to
 * the caller as "again at once". A process that waits for a node to read (stalls.c) is passed over,
 * unless it is about to end.
 */
#include <string.h>

#include "base/alloc.h"
#include "proc/internal.h"

#define SLICE_MESSAGES 16u
#define TURN_MESSAGES  512u

void run_queue_add(struct process *process)
{
    if (process->queued || (process_stalled(process) && !process->exiting))
        return;
    process->queued = true;
    list_append(&process->procs->run, &process->run);
}

/* Handle a message, which may be kept, or a timer that was. */
static void handle(struct process *process, struct message *message)
{
    const struct process_behaviour *behaviour = process->behaviour;
    uint64_t timer = 0;

    if (message->timer) {
        memcpy(&timer, message->bytes, sizeof(timer));
        behaviour->timer(process, process->state, timer);
        message_free(message);
        return;
    }
    process->procs->handled = message;
    if (behaviour->message != NULL)
        behaviour->message(process, process->state, (struct cn_term){message->data, message->size});
    if (process->procs->handled != NULL)
        message_free(message);
    process->procs->handled = NULL;
}

/* Handle one timer or message; false when there is none. */
static bool run_one(struct process *process)
{
    struct message *message = NULL;

    if (timers_run_one(process))
        return true;
    message = mailbox_pop(process);
    if (message == NULL)
        return false;
    handle(process, message);
    return true;
}

/* Returns how much was handled. */
static unsigned run_process(struct process *process)
{
    unsigned handled = 0;
    bool more = true;

    process->procs->running = process;
    while (more && handled < SLICE_MESSAGES && !process->exiting && !process_stalled(process)) {
        more = run_one(process);
        handled += more ? 1 : 0;
    }
    if (process->exiting) {
        process_end(process, false);
        return handled + 1;
    }
    if (more)
        run_queue_add(process);
    return handled;
}

static void clock_set(struct procs *procs, uint64_t now_ms)
{
    if (!procs->started) {
        procs->started = true;
        procs->first_ms = now_ms;
    }
    if (now_ms - procs->first_ms > procs->clock_ms && now_ms > procs->first_ms)
        procs->clock_ms = now_ms - procs->first_ms;
}

uint64_t procs_run(struct procs *procs, uint64_t now_ms)
{
    unsigned handled = 0;
    struct heap_item *next = NULL;

    clock_set(procs, now_ms);
    timers_fire(procs);
    while (handled < TURN_MESSAGES && !list_empty(&procs->run)) {
        struct process *process = container_of(list_pop(&procs->run), struct process, run);

        process->queued = false;
        handled += run_process(process);
        procs->running = NULL;
    }
    if (!list_empty(&procs->run))
        return 0;
    next = heap_peek(&procs->heap);
    return next != NULL ? procs->first_ms + next->key : UINT64_MAX;
}

uint64_t procs_now_ms(const struct procs *procs)
{
    return procs->started ? procs->first_ms + procs->clock_ms : 0;
}
