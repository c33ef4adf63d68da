/*
 * A queue of copied messages: one allocation each, freed together.
 *
 * It fails only by memory and by its limit, and then holds what it held before.
 */
#include "session/held.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct held_message {
    struct list link;
    size_t size;
    uint8_t data[];
};

static struct held *held_new(void)
{
    struct held *held = mem_zalloc(sizeof(*held));

    if (held != NULL)
        list_init(&held->messages);
    return held;
}

int held_add(struct held **held, struct cn_term message, size_t count_max, uint64_t bytes_max)
{
    uint64_t bytes = *held != NULL ? (*held)->bytes : 0;
    struct held_message *item;

    if (held_count(*held) >= count_max || bytes + message.size > bytes_max)
        return CN_E_LIMIT;
    item = mem_alloc(sizeof(*item) + message.size);
    if (item == NULL)
        return -ENOMEM;
    if (*held == NULL) {
        *held = held_new();
        if (*held == NULL) {
            mem_free(item);
            return -ENOMEM;
        }
    }
    memcpy(item->data, message.data, message.size);
    item->size = message.size;
    list_init(&item->link);
    list_append(&(*held)->messages, &item->link);
    (*held)->count++;
    (*held)->bytes += message.size;
    return 0;
}

size_t held_count(const struct held *held)
{
    return held == NULL ? 0 : held->count;
}

void held_each(const struct held *held, held_visit visit, void *context)
{
    if (held == NULL)
        return;
    list_for_each(link, &held->messages) {
        const struct held_message *item = container_of(link, struct held_message, link);

        if (!visit(context, (struct cn_term){.data = item->data, .size = item->size}))
            return;
    }
}

struct held *held_free(struct held *held)
{
    struct list *link;

    if (held == NULL)
        return NULL;
    while ((link = list_pop(&held->messages)) != NULL)
        mem_free(container_of(link, struct held_message, link));
    mem_free(held);
    return NULL;
}
