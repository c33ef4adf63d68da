/*
 * Registered actions: by player id, a list of moves and attacks each.
 *
 * The key of a list says whose list it is; the player of an action is said by the action. Both are
 * kept as they come.
 */
#include "entries.h"
#include "import.h"
#include "memory.h"

#include <errno.h>

static int import_move(struct record *record, struct action *action)
{
    int error = record_integer(record, ACTION_PLAYER_ID, &action->player_id);

    if (error == 0)
        error = import_coord(record, ACTION_VECTOR, &shape_vector, &action->vector,
                             &action->vector_extras);
    return error;
}

static int import_attack(struct record *record, struct action *action)
{
    int error = record_integer(record, ACTION_PLAYER_ID, &action->player_id);

    if (error == 0)
        error = record_integer(record, ACTION_TARGET_ID, &action->target_id);
    return error;
}

static int import_action(struct import *import, const struct path *path, struct cn_reader *reader,
                         struct action *action)
{
    struct record record;
    struct cn_term term;
    int error;

    /* Bytes of a string are integers that have no view. */
    if (cn_peek(reader) != CN_TYPE_MAP || !cn_read_term(reader, &term))
        return invalid_struct(&import->invalid, path, "action");
    if (record_is(&shape_actions[ACTION_MOVE], term))
        action->kind = ACTION_MOVE;
    else if (record_is(&shape_actions[ACTION_ATTACK], term))
        action->kind = ACTION_ATTACK;
    else
        return invalid_struct(&import->invalid, path, "action");

    error = record_read(&record, import, path, &shape_actions[action->kind], term);
    if (error != 0)
        return error;
    action->extras = record.extras;
    return action->kind == ACTION_MOVE ? import_move(&record, action)
                                       : import_attack(&record, action);
}

static int import_list_of_actions(struct import *import, const struct path *path,
                                  struct cn_term term, struct action_list *list)
{
    struct cn_reader reader;
    uint32_t count;
    int error = import_list(import, path, term, &reader, &count);

    if (error != 0)
        return error;
    list->items = memory_array(count, sizeof *list->items);
    if (list->items == NULL && count > 0)
        return -ENOMEM;
    list->count = list->capacity = count;
    for (uint32_t i = 0; i < count && error == 0; i++) {
        struct path item_path = {.up = path, .number = i};

        error = import_action(import, &item_path, &reader, &list->items[i]);
    }
    return error;
}

int import_actions(const struct record *game_record, struct game *game)
{
    struct entries entries;
    int error = entries_read(&entries, game_record, GAME_REGISTERED_ACTIONS, INT64_MIN, "integer");

    if (error != 0)
        return error;
    game->actions = memory_array(entries.count, sizeof *game->actions);
    if (game->actions == NULL && entries.count > 0)
        error = -ENOMEM;
    else
        game->action_list_count = game->action_list_capacity = entries.count;
    for (uint32_t i = 0; i < entries.count && error == 0; i++) {
        struct path path = entries_path(&entries, i);

        game->actions[i].player_id = entries.items[i].key;
        error = import_list_of_actions(game_record->import, &path, entries.items[i].value,
                                       &game->actions[i]);
    }
    entries_free(&entries);
    return error;
}
