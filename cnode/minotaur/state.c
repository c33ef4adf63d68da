/*
 * Making, copying and releasing a game, and finding things in it.
 *
 * A round is played on a fork: a copy of the few arrays that it may change. The reply is
 * written from the fork, and only then does the game become it, so that running out of memory
 * anywhere leaves the game as it was. Writing the reply walks the whole game anyway; the copy is
 * the cheaper part.
 */
#include "state.h"

#include "keyed.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>

/* A game and what it shares with its forks. */
struct whole_game {
    struct game game;
    struct written written;
};

struct game *game_new(void)
{
    struct whole_game *whole = memory_array(1, sizeof *whole);

    if (whole == NULL)
        return NULL;
    whole->game.written = &whole->written;
    return &whole->game;
}

/* Release what a fork has of its own. */
static void release_own_arrays(struct game *game)
{
    memory_release(game->players);
    memory_release(game->living);
    memory_release(game->dead);
    memory_release(game->events);
    for (uint32_t i = 0; i < game->visible_count; i++)
        memory_release(game->visible[i].ids);
    memory_release(game->visible);
    for (uint32_t i = 0; i < game->action_list_count; i++)
        memory_release(game->actions[i].items);
    memory_release(game->actions);
}

struct game *game_free(struct game *game)
{
    if (game == NULL)
        return NULL;
    release_own_arrays(game);
    if (game->owns_hexes)
        memory_release((struct hex *)game->hexes);
    free(game->bytes); /* a cn_writer's buffer */
    written_forget(&game->written->grid);
    written_forget(&game->written->events);
    memory_release(game);
    return NULL;
}

/* Copy the visible lists; those not yet copied stay empty, so that a half-made copy can be
   released. */
static int fork_visible(const struct game *game, struct game *fork)
{
    fork->visible = memory_array(game->visible_count, sizeof *fork->visible);
    if (fork->visible == NULL && game->visible_count > 0)
        return -ENOMEM;
    fork->visible_capacity = game->visible_count;
    for (uint32_t i = 0; i < game->visible_count; i++) {
        const struct visible_list *from = &game->visible[i];
        struct visible_list *to = &fork->visible[i];

        fork->visible_count = i + 1;
        to->player_id = from->player_id;
        to->ids = memory_copy(from->ids, from->count, sizeof *from->ids);
        if (to->ids == NULL && from->count > 0)
            return -ENOMEM;
        to->count = to->capacity = from->count;
    }
    return 0;
}

int game_fork(const struct game *game, struct game *ret_fork)
{
    struct game fork = *game;
    int error = 0;

    fork.players = memory_copy(game->players, game->player_count, sizeof *game->players);
    fork.living = memory_copy(game->living, game->living_count, sizeof *game->living);
    fork.dead = memory_copy(game->dead, game->dead_count, sizeof *game->dead);
    fork.events = memory_copy(game->events, game->event_count, sizeof *game->events);
    fork.dead_capacity = game->dead_count;
    fork.event_capacity = game->event_count;
    fork.visible = NULL;
    fork.visible_count = 0;
    fork.actions = NULL;
    fork.action_list_count = 0;
    fork.action_list_capacity = 0;

    if ((fork.players == NULL && game->player_count > 0) ||
        (fork.living == NULL && game->living_count > 0) ||
        (fork.dead == NULL && game->dead_count > 0) ||
        (fork.events == NULL && game->event_count > 0))
        error = -ENOMEM;
    if (error == 0)
        error = fork_visible(game, &fork);
    if (error != 0)
        game_drop_fork(&fork);
    else
        *ret_fork = fork;
    return error;
}

void game_adopt(struct game *game, struct game *fork)
{
    release_own_arrays(game);
    *game = *fork;
}

void game_drop_fork(struct game *fork)
{
    written_forget(&fork->written->events);
    release_own_arrays(fork);
}

bool coord_equal(struct coord a, struct coord b)
{
    return a.q == b.q && a.r == b.r;
}

struct player *game_player(const struct game *game, int64_t id)
{
    return keyed_find(game->players, game->player_count, sizeof *game->players, id);
}

struct player *game_player_of_user(const struct game *game, struct cn_term user_id)
{
    for (uint32_t i = 0; i < game->player_count; i++)
        if (cn_term_equal(game_kept_term(game, game->players[i].user_id), user_id))
            return &game->players[i];
    return NULL;
}

struct character *game_living(const struct game *game, int64_t player_id)
{
    return keyed_find(game->living, game->living_count, sizeof *game->living, player_id);
}

struct action_list *game_actions(const struct game *game, int64_t player_id)
{
    return keyed_find(game->actions, game->action_list_count, sizeof *game->actions, player_id);
}

struct cn_term game_kept_term(const struct game *game, uint32_t offset)
{
    struct cn_reader reader;
    struct cn_term term = {NULL, 0};

    cn_reader_init(&reader, (struct cn_term){game->bytes + offset, game->bytes_size - offset});
    cn_read_term(&reader, &term);
    return term;
}
