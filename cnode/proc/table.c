/*
 * Pid ids and serials.
 *
 * A pid's id is an index into one array, so finding a process is one comparison; its serial counts
 * how often that id was given before, so a pid is not given twice until an id has been used 2^32
 * times. Freed ids wait in a queue, and are used again only when more than PIDS_REST of them wait:
 * a small node does not hand out the same id again and again, which makes logs hard to read. Id 0
 * is never a process: a zeroed pid finds nobody, and stands for the node itself as a sender.
 *
 * Growing the array is the only thing that fails, and leaves it as it was.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "proc/internal.h"

#define PIDS_REST  1024u
#define PIDS_FIRST 64u
#define PIDS_MAX   (1u << 28)

static int table_grow(struct table *table)
{
    uint32_t capacity = table->capacity == 0 ? PIDS_FIRST : table->capacity * 2;
    struct slot *slots = mem_realloc(table->slots, capacity * sizeof(*slots));

    if (slots == NULL)
        return -ENOMEM;
    table->slots = slots;
    table->capacity = capacity;
    if (table->used == 0)
        table->slots[table->used++] = (struct slot){0};
    return 0;
}

static uint32_t table_take_free(struct table *table)
{
    uint32_t id = table->free_first;

    table->free_first = table->slots[id].next_free;
    table->free_count--;
    return id;
}

/* Errors: CN_E_LIMIT, -ENOMEM. */
int table_add(struct table *table, struct process *process, uint32_t live_max, uint32_t *ret_id,
              uint32_t *ret_serial)
{
    uint32_t id = 0;
    int r = 0;

    if (table->live >= live_max || table->live >= PIDS_MAX - PIDS_REST - 2)
        return CN_E_LIMIT;
    if (table->free_count > PIDS_REST) {
        id = table_take_free(table);
    } else {
        if (table->used >= table->capacity) {
            r = table_grow(table);
            if (r != 0)
                return r;
        }
        id = table->used++;
        table->slots[id] = (struct slot){0};
    }
    /* Nothing can fail below. */
    table->slots[id].process = process;
    table->live++;
    *ret_id = id;
    *ret_serial = table->slots[id].serial;
    return 0;
}

struct process *table_find(const struct table *table, uint32_t id, uint32_t serial)
{
    if (id >= table->used || table->slots[id].serial != serial)
        return NULL;
    return table->slots[id].process;
}

void table_remove(struct table *table, uint32_t id)
{
    struct slot *slot = &table->slots[id];

    cn_assert(id < table->used && slot->process != NULL);
    slot->process = NULL;
    slot->serial++;
    slot->next_free = 0;
    if (table->free_count == 0)
        table->free_first = id;
    else
        table->slots[table->free_last].next_free = id;
    table->free_last = id;
    table->free_count++;
    table->live--;
}

void table_deinit(struct table *table)
{
    mem_free(table->slots);
    *table = (struct table){0};
}
