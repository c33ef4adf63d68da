/*
 * The log: events by id, and for each player the ids of those that it has seen.
 *
 * Lists of ids are turned round on the way in: the term has the newest first, but a list in memory
 * grows at its end. The upgrades of older versions are in upgrade.c.
 */
#include "entries.h"
#include "import.h"
#include "memory.h"
#include "upgrade.h"

#include <errno.h>

static int import_step_event(const struct record *record, struct event *event)
{
    int error = import_coord(record, STEP_EVENT_TO, &shape_coord, &event->to, &event->to_extras);

    if (error == 0)
        error = import_coord(record, STEP_EVENT_FROM, &shape_coord, &event->from,
                             &event->from_extras);
    if (error == 0)
        error = upgrade_event_round(record, STEP_EVENT_ROUND, &event->round);
    return error;
}

static int import_attack_event(const struct record *record, struct event *event)
{
    int error = record_integer(record, ATTACK_EVENT_TARGET_ID, &event->target_id);

    if (error == 0)
        error = upgrade_event_round(record, ATTACK_EVENT_ROUND, &event->round);
    return error;
}

static int import_event(struct import *import, const struct path *path, const struct entry *entry,
                        struct event *event)
{
    struct record record;
    int error;

    event->kind = EVENT_ENTERED_HEX;
    while (!record_is(&shape_events[event->kind], entry->value))
        if (event->kind++ == EVENT_ATTACKED)
            return invalid_struct(&import->invalid, path, "event");

    event->id = entry->key;
    error = record_read(&record, import, path, &shape_events[event->kind], entry->value);
    if (error == 0)
        error = record_key(&record, STEP_EVENT_ID, 0, "non_neg_integer", entry->key);
    if (error == 0)
        error = record_integer(&record, STEP_EVENT_PLAYER_ID, &event->player_id);
    if (error == 0)
        error = event->kind == EVENT_ATTACKED ? import_attack_event(&record, event)
                                              : import_step_event(&record, event);
    event->extras = record.extras;
    return error;
}

static int import_events(const struct record *log, struct game *game)
{
    struct entries entries;
    int error = entries_read(&entries, log, LOG_EVENTS, 0, "non_neg_integer");

    if (error != 0)
        return error;
    game->events = memory_array(entries.count, sizeof *game->events);
    if (game->events == NULL && entries.count > 0)
        error = -ENOMEM;
    else
        game->event_count = game->event_capacity = entries.count;
    for (uint32_t i = 0; i < entries.count && error == 0; i++) {
        struct path path = entries_path(&entries, i);

        error = import_event(log->import, &path, &entries.items[i], &game->events[i]);
    }
    entries_free(&entries);
    return error;
}

static int import_ids(struct import *import, const struct path *path, struct cn_term term,
                      struct visible_list *list)
{
    struct cn_reader reader;
    uint32_t count;
    int error = import_list(import, path, term, &reader, &count);

    if (error != 0)
        return error;
    list->ids = memory_array(count, sizeof *list->ids);
    if (list->ids == NULL && count > 0)
        return -ENOMEM;
    list->count = list->capacity = count;
    for (uint32_t i = 0; i < count; i++) {
        struct path id_path = {.up = path, .number = i};
        int64_t id;

        if (!cn_read_integer(&reader, &id) || id < 0)
            return invalid_expected(&import->invalid, &id_path, "non_neg_integer");
        list->ids[count - 1 - i] = id;
    }
    return 0;
}

static int import_visible(const struct record *log, struct game *game)
{
    struct entries entries;
    int error = entries_read(&entries, log, LOG_VISIBLE, INT64_MIN, "integer");

    if (error != 0)
        return error;
    game->visible = memory_array(entries.count, sizeof *game->visible);
    if (game->visible == NULL && entries.count > 0)
        error = -ENOMEM;
    else
        game->visible_count = game->visible_capacity = entries.count;
    for (uint32_t i = 0; i < entries.count && error == 0; i++) {
        struct path path = entries_path(&entries, i);

        game->visible[i].player_id = entries.items[i].key;
        error = import_ids(log->import, &path, entries.items[i].value, &game->visible[i]);
    }
    entries_free(&entries);
    return error;
}

int import_log(const struct record *game_record, struct game *game)
{
    struct path path = record_path(game_record, GAME_EVENTS_LOG);
    struct record log = {.extras = 0};
    struct cn_term term;
    int error = 0;

    if (!upgrade_makes_log(game_record)) {
        error = record_term(game_record, GAME_EVENTS_LOG, &term);
        if (error == 0)
            error = record_read(&log, game_record->import, &path, &shape_log, term);
        if (error == 0)
            error = import_events(&log, game);
        if (error == 0)
            error = import_visible(&log, game);
    }
    if (error == 0)
        error = upgrade_visible_lists(game_record->import->version, game);
    game->log_extras = log.extras;
    return error;
}
