/*
 * Registering actions: the checks in their order, then one action more and one action point less.
 *
 * Memory is taken before anything changes. An action that was registered can be taken back, since
 * the answer, which carries the whole game, may still find no memory.
 */
#include "actions.h"

#include "board.h"
#include "keyed.h"
#include "memory.h"
#include "shapes.h"

#include <errno.h>

const char *actions_refusal_atom(int refusal)
{
    static const char *const atoms[] = {
        [ACTION_GAME_CONCLUDED] = "game_concluded",
        [ACTION_PLAYER_NOT_FOUND] = "player_not_found",
        [ACTION_PLAYER_ELIMINATED] = "player_eliminated",
        [ACTION_NO_POINTS] = "not_enough_action_points",
        [ACTION_ILLEGAL_MOVE] = "illegal_move",
        [ACTION_TARGET_NOT_FOUND] = "target_not_found",
        [ACTION_TARGET_OUT_OF_REACH] = "target_out_of_reach",
    };

    return atoms[refusal];
}

/* The checks 1 to 3 of both actions. */
static int find_actor(const struct game *game, struct cn_term user_id, struct character **ret_actor)
{
    const struct player *player;
    struct character *actor;

    if (game->status == GAME_CONCLUDED)
        return ACTION_GAME_CONCLUDED;
    player = game_player_of_user(game, user_id);
    if (player == NULL)
        return ACTION_PLAYER_NOT_FOUND;
    actor = game_living(game, player->id);
    if (actor == NULL || player->status == PLAYER_ELIMINATED)
        return ACTION_PLAYER_ELIMINATED;
    *ret_actor = actor;
    return 0;
}

static bool read_integer_of(struct cn_term term, int64_t *ret_value)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_integer(&reader, ret_value);
}

static bool read_direction(struct cn_term term, struct coord *ret_vector)
{
    struct cn_term module;
    struct cn_term q;
    struct cn_term r;

    return cn_map_get(term, "__struct__", &module) &&
           cn_term_is_atom(module, atom_text(shape_vector.module)) &&
           cn_map_get(term, atom_text(shape_vector.fields[COORD_Q]), &q) &&
           cn_map_get(term, atom_text(shape_vector.fields[COORD_R]), &r) &&
           read_integer_of(q, &ret_vector->q) && read_integer_of(r, &ret_vector->r) &&
           board_is_direction(*ret_vector);
}

/* Where the moves that the actor has registered lead it. */
static struct coord place_after_moves(const struct game *game, const struct character *actor)
{
    const struct action_list *list = game_actions(game, actor->player_id);
    struct coord place = actor->position;

    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        if (list->items[i].kind == ACTION_MOVE && list->items[i].player_id == actor->player_id)
            (void)board_step(game, place, list->items[i].vector, &place);
    return place;
}

/* Make room for one action more of @player_id; nothing that anybody sees changes. */
static int reserve(struct game *game, int64_t player_id)
{
    struct action_list *list = game_actions(game, player_id);
    struct action_list *lists;
    struct action *items;

    if (list == NULL) {
        lists = memory_grow(game->actions, &game->action_list_capacity, game->action_list_count + 1,
                            sizeof *lists);
        if (lists == NULL)
            return -ENOMEM;
        game->actions = lists;
        return 0;
    }
    items = memory_grow(list->items, &list->capacity, list->count + 1, sizeof *items);
    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    return 0;
}

/* Insert the list of @player_id with its first action. Room for the list has been made. */
static int open_list(struct game *game, int64_t player_id, const struct action *action)
{
    struct action_list list = {.player_id = player_id};
    bool found;
    uint32_t at;

    list.items = memory_grow(NULL, &list.capacity, 1, sizeof *list.items);
    if (list.items == NULL)
        return -ENOMEM;
    list.items[list.count++] = *action;
    at = keyed_search(game->actions, game->action_list_count, sizeof list, player_id, &found);
    keyed_open_gap(game->actions, game->action_list_count++, sizeof list, at);
    game->actions[at] = list;
    return 0;
}

static int append(struct game *game, struct character *actor, const struct action *action,
                  struct registration *ret_registration)
{
    struct action_list *list;
    int error = reserve(game, actor->player_id);

    if (error != 0)
        return error;
    list = game_actions(game, actor->player_id);
    if (list == NULL)
        error = open_list(game, actor->player_id, action);
    if (error != 0)
        return error;
    /* Nothing can fail below. */
    if (list != NULL)
        list->items[list->count++] = *action;
    actor->action_points--;
    *ret_registration = (struct registration){.player_id = actor->player_id,
                                              .made_list = list == NULL};
    return 0;
}

int actions_register_move(struct game *game, struct cn_term user_id, struct cn_term vector,
                          struct registration *ret_registration)
{
    struct action action = {.kind = ACTION_MOVE};
    struct character *actor;
    struct coord to;
    int error = find_actor(game, user_id, &actor);

    if (error != 0)
        return error;
    if (!read_direction(vector, &action.vector))
        return ACTION_ILLEGAL_MOVE;
    if (actor->action_points == 0)
        return ACTION_NO_POINTS;
    if (!board_step(game, place_after_moves(game, actor), action.vector, &to))
        return ACTION_ILLEGAL_MOVE;
    action.player_id = actor->player_id;
    return append(game, actor, &action, ret_registration);
}

int actions_register_attack(struct game *game, struct cn_term user_id, struct cn_term target_id,
                            struct registration *ret_registration)
{
    struct action action = {.kind = ACTION_ATTACK};
    const struct character *target = NULL;
    struct character *actor;
    int error = find_actor(game, user_id, &actor);

    if (error != 0)
        return error;
    if (actor->action_points == 0)
        return ACTION_NO_POINTS;
    if (read_integer_of(target_id, &action.target_id))
        target = game_living(game, action.target_id);
    if (target == NULL || target == actor)
        return ACTION_TARGET_NOT_FOUND;
    if (!coord_equal(target->position, actor->position))
        return ACTION_TARGET_OUT_OF_REACH;
    action.player_id = actor->player_id;
    return append(game, actor, &action, ret_registration);
}

void actions_take_back(struct game *game, const struct registration *registration)
{
    struct action_list *list = game_actions(game, registration->player_id);

    game_living(game, registration->player_id)->action_points++;
    list->count--;
    if (!registration->made_list)
        return;
    memory_release(list->items);
    keyed_close_gap(game->actions, game->action_list_count--, sizeof *list,
                    (uint32_t)(list - game->actions));
}
