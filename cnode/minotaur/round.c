/*
 * The end of a round, step by step as RULES.md numbers them.
 *
 * Attacks come before moves, and all moves count as made at once: who sees a step depends on where
 * everybody stood before all of them and stands after all of them. So the moves are made first,
 * each remembered as a step, and told afterwards.
 */
#include "round.h"

#include "board.h"
#include "create.h"
#include "keyed.h"
#include "events.h"
#include "memory.h"

#include <errno.h>

enum {
    ACTION_POINTS_MAX = 3,
};

/** A move that was made. */
struct step {
    int64_t player_id;
    struct coord from;
    struct coord to;
};

struct round {
    struct chronicle log;    /* writes to `next` */
    const struct game *game; /* as it was; holds the registered actions */
    struct game *next;       /* as it becomes */
    struct coord *before;    /* where the living stood before the moves, by index */
    struct step *steps;
    uint32_t step_count;
    uint32_t step_capacity;
};

typedef int (*carry_out_fn)(struct round *round, const struct action *action);

/* Carry out the registered actions of one kind: players by id, each in the order of registration.
 */
static int carry_out_all(struct round *round, uint8_t kind, carry_out_fn carry_out)
{
    const struct game *game = round->game;
    int error = 0;

    for (uint32_t i = 0; i < game->action_list_count; i++) {
        const struct action_list *list = &game->actions[i];

        for (uint32_t j = 0; j < list->count && error == 0; j++)
            if (list->items[j].kind == kind)
                error = carry_out(round, &list->items[j]);
    }
    return error;
}

static int carry_out_attack(struct round *round, const struct action *action)
{
    const struct character *attacker = game_living(round->next, action->player_id);
    struct character *target = game_living(round->next, action->target_id);
    struct event event = {
        .kind = EVENT_ATTACKED,
        .player_id = action->player_id,
        .target_id = action->target_id,
        .round = round->game->round,
    };

    if (attacker == NULL || target == NULL)
        return 0;
    if (target->health > 0)
        target->health--;
    return events_add_seen_from(&round->log, &event, attacker->position);
}

static int carry_out_move(struct round *round, const struct action *action)
{
    struct character *character = game_living(round->next, action->player_id);
    struct step step = {.player_id = action->player_id};
    struct step *steps;

    if (character == NULL ||
        !board_step(round->next, character->position, action->vector, &step.to))
        return 0;
    steps = memory_grow(round->steps, &round->step_capacity, round->step_count + 1, sizeof *steps);
    if (steps == NULL)
        return -ENOMEM;
    step.from = character->position;
    round->steps = steps;
    round->steps[round->step_count++] = step;
    character->position = step.to;
    return 0;
}

static int remember_positions(struct round *round)
{
    const struct game *next = round->next;

    round->before = memory_array(next->living_count, sizeof *round->before);
    if (round->before == NULL && next->living_count > 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < next->living_count; i++)
        round->before[i] = next->living[i].position;
    return 0;
}

/* Tell of all steps, first who left, then who entered. */
static int tell_steps(struct round *round, uint8_t kind)
{
    int error = 0;

    for (uint32_t i = 0; i < round->step_count && error == 0; i++) {
        const struct step *step = &round->steps[i];
        struct event event = {
            .kind = kind,
            .player_id = step->player_id,
            .round = round->game->round,
            .to = step->to,
            .from = step->from,
        };

        if (kind == EVENT_LEFT_HEX)
            error = events_add_left_behind(&round->log, &event, round->before, step->from,
                                           step->to);
        else
            error = events_add_seen_from(&round->log, &event, step->to);
    }
    return error;
}

static int carry_out_actions(struct round *round)
{
    int error = carry_out_all(round, ACTION_ATTACK, carry_out_attack);

    if (error == 0)
        error = remember_positions(round);
    if (error == 0)
        error = carry_out_all(round, ACTION_MOVE, carry_out_move);
    if (error == 0)
        error = tell_steps(round, EVENT_LEFT_HEX);
    if (error == 0)
        error = tell_steps(round, EVENT_ENTERED_HEX);
    return error;
}

static void give_action_points(struct game *game)
{
    for (uint32_t i = 0; i < game->living_count; i++) {
        int64_t *points = &game->living[i].action_points;

        *points = *points < ACTION_POINTS_MAX ? *points + 1 : ACTION_POINTS_MAX;
    }
}

static void set_player_status(struct game *game, int64_t player_id, enum player_status status)
{
    struct player *player = game_player(game, player_id);

    if (player != NULL)
        player->status = (uint8_t)status;
}

/* Put a character among the dead; one who is there already under that id is replaced. */
static int bury(struct round *round, const struct character *character)
{
    struct game *next = round->next;
    struct character *dead;
    bool found;
    uint32_t at = keyed_search(next->dead, next->dead_count, sizeof *dead, character->player_id,
                               &found);
    int error = events_charge(&round->log, next->dead_count - at + 1);

    if (error != 0)
        return error;
    if (!found) {
        dead = memory_grow(next->dead, &next->dead_capacity, next->dead_count + 1, sizeof *dead);
        if (dead == NULL)
            return -ENOMEM;
        next->dead = dead;
        keyed_open_gap(dead, next->dead_count++, sizeof *dead, at);
    }
    next->dead[at] = *character;
    set_player_status(next, character->player_id, PLAYER_ELIMINATED);
    return 0;
}

static int put_the_dead_aside(struct round *round)
{
    struct game *next = round->next;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < next->living_count; i++) {
        if (next->living[i].health == 0) {
            int error = bury(round, &next->living[i]);

            if (error != 0)
                return error;
        } else {
            next->living[kept++] = next->living[i];
        }
    }
    next->living_count = kept;
    return 0;
}

static void judge(struct game *game)
{
    if (game->living_count == 1)
        set_player_status(game, game->living[0].player_id, PLAYER_WON);
    if (game->living_count < 2) {
        game->status = GAME_CONCLUDED;
        game->round_end_s = GAME_NO_ROUND_END;
    }
}

int round_end(const struct cn_game_env *env, const struct game *game, struct game *ret_next)
{
    struct game next;
    struct round round = {.game = game, .next = &next};
    int error = game_fork(game, &next);

    if (error != 0)
        return error;
    round.log = (struct chronicle){.game = &next, .work_left = EVENTS_WORK_MAX};
    if (next.round < INT64_MAX)
        next.round++;
    next.round_end_s = game_round_end(env);
    error = carry_out_actions(&round);
    if (error == 0) {
        give_action_points(&next);
        error = put_the_dead_aside(&round);
    }
    memory_release(round.before);
    memory_release(round.steps);
    if (error != 0) {
        game_drop_fork(&next);
        return error;
    }
    judge(&next);
    *ret_next = next;
    return 0;
}
