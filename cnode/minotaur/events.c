/*
 * Events and who sees them.
 *
 * Both the events and the lists are sorted arrays; in every log that the rules wrote themselves an
 * insertion is an append.
 */
#include "events.h"

#include "keyed.h"
#include "memory.h"

#include <errno.h>

int events_charge(struct chronicle *log, uint64_t items)
{
    if (items > log->work_left)
        return -E2BIG;
    log->work_left -= items;
    return 0;
}

/* Insert an event of zeros at index @at. */
static int insert_event(struct chronicle *log, uint32_t at)
{
    struct game *game = log->game;
    struct event *events;
    int error = events_charge(log, game->event_count - at + 1);

    if (error != 0)
        return error;
    events = memory_grow(game->events, &game->event_capacity, game->event_count + 1,
                         sizeof *events);
    if (events == NULL)
        return -ENOMEM;
    game->events = events;
    keyed_open_gap(events, game->event_count++, sizeof *events, at);
    return 0;
}

int events_add(struct chronicle *log, const struct event *event, int64_t *ret_id)
{
    struct game *game = log->game;
    int64_t id = game->event_count;
    bool found;
    uint32_t at = keyed_search(game->events, game->event_count, sizeof *event, id, &found);
    int error = found ? events_charge(log, 1) : insert_event(log, at);

    if (error != 0)
        return error;
    if (at < game->written->events.count)
        written_forget(&game->written->events);
    game->events[at] = *event;
    game->events[at].id = id;
    *ret_id = id;
    return 0;
}

/* Insert an empty list of @player_id at index @at. */
static int insert_list(struct chronicle *log, uint32_t at, int64_t player_id)
{
    struct game *game = log->game;
    struct visible_list *lists;
    int error = events_charge(log, game->visible_count - at + 1);

    if (error != 0)
        return error;
    lists = memory_grow(game->visible, &game->visible_capacity, game->visible_count + 1,
                        sizeof *lists);
    if (lists == NULL)
        return -ENOMEM;
    game->visible = lists;
    keyed_open_gap(lists, game->visible_count++, sizeof *lists, at);
    lists[at].player_id = player_id;
    return 0;
}

/* Find the list of @player_id. Viewers come in the order of their ids, so it is often the next one.
 */
static uint32_t find_list(const struct chronicle *log, int64_t player_id, bool *ret_found)
{
    const struct game *game = log->game;
    uint32_t next = log->next_list;

    if (next < game->visible_count && game->visible[next].player_id == player_id) {
        *ret_found = true;
        return next;
    }
    return keyed_search(game->visible, game->visible_count, sizeof *game->visible, player_id,
                        ret_found);
}

int events_show(struct chronicle *log, int64_t player_id, int64_t id)
{
    struct game *game = log->game;
    struct visible_list *list;
    int64_t *ids;
    bool found;
    uint32_t at = find_list(log, player_id, &found);
    int error = found ? events_charge(log, 1) : insert_list(log, at, player_id);

    if (error != 0)
        return error;
    log->next_list = at + 1;
    list = &game->visible[at];
    ids = memory_grow(list->ids, &list->capacity, list->count + 1, sizeof *ids);
    if (ids == NULL)
        return -ENOMEM;
    list->ids = ids;
    ids[list->count++] = id;
    return 0;
}

int events_add_seen_from(struct chronicle *log, const struct event *event, struct coord hex)
{
    const struct game *game = log->game;
    int64_t id;
    int error = events_charge(log, game->living_count);

    if (error == 0)
        error = events_add(log, event, &id);
    for (uint32_t i = 0; i < game->living_count && error == 0; i++)
        if (coord_equal(game->living[i].position, hex))
            error = events_show(log, game->living[i].player_id, id);
    return error;
}

int events_add_left_behind(struct chronicle *log, const struct event *event,
                           const struct coord *before, struct coord from, struct coord to)
{
    const struct game *game = log->game;
    bool added = false;
    int64_t id = 0;
    int error = events_charge(log, game->living_count);

    for (uint32_t i = 0; i < game->living_count && error == 0; i++) {
        if (!coord_equal(before[i], from) || coord_equal(game->living[i].position, to))
            continue;
        if (!added)
            error = events_add(log, event, &id);
        added = true;
        if (error == 0)
            error = events_show(log, game->living[i].player_id, id);
    }
    return error;
}
