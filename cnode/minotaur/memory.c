/*
 * The allocation seam over realloc and free.
 *
 * Arrays of no items are NULL, so that an empty game allocates next to nothing. Growth is by half,
 * from four items: what grows here (a log, lists of event ids) lives as long as the game.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct game_memory game_memory = {.resize = realloc, .release = free};

void *memory_array(uint32_t count, size_t item_bytes)
{
    void *items;

    if (count == 0)
        return NULL;
    items = game_memory.resize(NULL, count * item_bytes);
    if (items != NULL)
        memset(items, 0, count * item_bytes);
    return items;
}

void *memory_copy(const void *items, uint32_t count, size_t item_bytes)
{
    void *copy = memory_array(count, item_bytes);

    if (copy != NULL)
        memcpy(copy, items, count * item_bytes);
    return copy;
}

void *memory_grow(void *items, uint32_t *capacity, uint32_t needed, size_t item_bytes)
{
    uint64_t wanted = (uint64_t)*capacity + *capacity / 2;
    void *grown;

    if (needed <= *capacity)
        return items;
    if (wanted < 4)
        wanted = 4;
    if (wanted < needed)
        wanted = needed;
    if (wanted > UINT32_MAX)
        return NULL;
    grown = game_memory.resize(items, wanted * item_bytes);
    if (grown != NULL)
        *capacity = (uint32_t)wanted;
    return grown;
}

void memory_release(void *items)
{
    if (items != NULL)
        game_memory.release(items);
}
