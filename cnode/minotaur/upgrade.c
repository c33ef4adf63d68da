/*
 * One function per thing that an older version lacks or says otherwise.
 *
 * Players and lists are both sorted by player id, so the missing lists are merged in, in one pass
 * from the end.
 */
#include "upgrade.h"

#include "keyed.h"
#include "memory.h"

#include <errno.h>

enum {
    VERSION_WITH_LOG = 2,
    VERSION_WITH_VISIBLE_LISTS = 3,
    VERSION_WITH_GAME_ROUNDS = 4,
};

const uint32_t upgrade_versions[] = {1, 2, 3, 4, 0};

bool upgrade_knows(int64_t version)
{
    for (unsigned i = 0; upgrade_versions[i] != 0; i++)
        if (upgrade_versions[i] == version)
            return true;
    return false;
}

bool upgrade_makes_log(const struct record *game_record)
{
    return game_record->import->version < VERSION_WITH_LOG &&
           game_record->values[GAME_EVENTS_LOG].data == NULL;
}

static uint32_t count_missing(const struct game *game)
{
    uint32_t missing = 0;
    bool found;

    for (uint32_t i = 0; i < game->player_count; i++) {
        keyed_search(game->visible, game->visible_count, sizeof *game->visible, game->players[i].id,
                     &found);
        missing += !found;
    }
    return missing;
}

/* Merge empty lists into the array, which has the room for them, from its end. */
static void merge_missing(struct game *game, uint32_t missing)
{
    uint32_t from = game->visible_count;
    uint32_t to = game->visible_count + missing;
    uint32_t player = game->player_count;

    game->visible_count += missing;
    while (to > from) {
        int64_t id = game->players[player - 1].id;

        if (from > 0 && game->visible[from - 1].player_id >= id) {
            player -= game->visible[from - 1].player_id == id;
            game->visible[--to] = game->visible[--from];
        } else {
            game->visible[--to] = (struct visible_list){.player_id = id};
            player--;
        }
    }
}

int upgrade_visible_lists(int64_t version, struct game *game)
{
    uint32_t missing = version < VERSION_WITH_VISIBLE_LISTS ? count_missing(game) : 0;
    struct visible_list *grown;

    if (missing == 0)
        return 0;
    grown = memory_grow(game->visible, &game->visible_capacity, game->visible_count + missing,
                        sizeof *game->visible);
    if (grown == NULL)
        return -ENOMEM;
    game->visible = grown;
    merge_missing(game, missing);
    return 0;
}

int upgrade_event_round(const struct record *event, unsigned field, int64_t *ret_round)
{
    int64_t round;
    int error;

    if (event->import->version >= VERSION_WITH_GAME_ROUNDS)
        return record_integer_from(event, field, 0, "non_neg_integer", ret_round);
    if (event->values[field].data == NULL) {
        *ret_round = event->import->game_round - 1;
        return 0;
    }
    error = record_integer_from(event, field, 1, "non_neg_integer", &round);
    if (error == 0)
        *ret_round = round - 1;
    return error;
}
