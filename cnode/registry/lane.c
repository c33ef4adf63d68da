/*
 * The table of lanes, by the bytes of their names.
 *
 * Without memory there is no lane, and the table is as it was.
 */
#include "registry/lane.h"

#include <string.h>

#include "base/alloc.h"

struct lane *lane_find(struct lane *lanes, struct cn_term name)
{
    struct lane *lane = NULL;

    map_find(lanes, name.data, name.size, lane);
    return lane;
}

struct lane *lane_get(struct lane **lanes, struct cn_term name)
{
    unsigned hash = map_hash(name.data, name.size);
    struct lane *lane = NULL;

    map_find_hashed(*lanes, name.data, name.size, hash, lane);
    if (lane != NULL)
        return lane;
    lane = mem_zalloc(sizeof(*lane) + name.size);
    if (lane == NULL)
        return NULL;
    list_init(&lane->requests);
    list_init(&lane->ready);
    lane->size = name.size;
    memcpy(lane->bytes, name.data, name.size);
    if (!map_add_hashed(*lanes, lane->bytes, lane->size, hash, lane)) {
        mem_free(lane);
        return NULL;
    }
    return lane;
}

void lane_put(struct lane **lanes, struct lane *lane)
{
    if (!list_empty(&lane->requests))
        return;
    list_remove(&lane->ready);
    map_remove(*lanes, lane);
    mem_free(lane);
}
