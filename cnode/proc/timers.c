/*
 * Timers of processes: one heap for the node, each timer listed at its process.
 *
 * Time starts with the first procs_run, so a timer set before that counts from there, whatever the
 * clock of the machine says. A timer that is due moves to the front of its process' list and waits
 * for the process' turn; taken back before that, it does not fire.
 */
#include <errno.h>

#include "base/alloc.h"
#include "proc/internal.h"

#define DELAY_MAX_MS (UINT64_C(1) << 60) /* no clock ever gets there, no sum wraps */

static void timer_free(struct procs *procs, struct timer *timer)
{
    map_remove(procs->timers, timer);
    heap_remove(&procs->heap, &timer->heap);
    list_remove(&timer->list);
    mem_free(timer);
}

int process_start_timer(struct process *self, uint64_t delay_ms, uint64_t *ret_timer)
{
    struct procs *procs = self->procs;
    struct timer *timer = mem_zalloc(sizeof(*timer));
    uint64_t delay = delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS;

    if (timer == NULL)
        return -ENOMEM;
    timer->id = procs->next_timer + 1;
    timer->process = self;
    list_init(&timer->list);
    heap_item_init(&timer->heap);
    if (!map_add(procs->timers, &timer->id, sizeof(timer->id), timer)) {
        mem_free(timer);
        return -ENOMEM;
    }
    /* Nothing can fail below. */
    procs->next_timer++;
    heap_insert(&procs->heap, &timer->heap, procs->clock_ms + delay);
    list_append(&self->timers, &timer->list);
    *ret_timer = timer->id;
    return 0;
}

void process_cancel_timer(struct process *self, uint64_t timer)
{
    struct timer *found = NULL;

    map_find(self->procs->timers, &timer, sizeof(timer), found);
    if (found != NULL && found->process == self)
        timer_free(self->procs, found);
}

void timers_drop(struct process *process)
{
    struct list *item = NULL;

    while ((item = list_first(&process->timers)) != NULL)
        timer_free(process->procs, container_of(item, struct timer, list));
}

/* Due timers stand at the front of the list, in the order in which they became due. */
static void timer_make_due(struct timer *timer)
{
    struct list *place = NULL;

    list_remove(&timer->list);
    place = timer->process->timers.next;
    while (place != &timer->process->timers && container_of(place, struct timer, list)->due)
        place = place->next;
    list_add_before(place, &timer->list);
    timer->due = true;
    run_queue_add(timer->process);
}

void timers_fire(struct procs *procs)
{
    struct heap_item *item = NULL;

    while ((item = heap_pop_until(&procs->heap, procs->clock_ms)) != NULL)
        timer_make_due(container_of(item, struct timer, heap));
}

bool timers_run_one(struct process *process)
{
    struct list *item = list_first(&process->timers);
    struct timer *timer = item != NULL ? container_of(item, struct timer, list) : NULL;
    uint64_t id = 0;

    if (timer == NULL || !timer->due)
        return false;
    id = timer->id;
    timer_free(process->procs, timer);
    if (process->behaviour->timer != NULL)
        process->behaviour->timer(process, process->state, id);
    return true;
}
