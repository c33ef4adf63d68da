/*
 * The names of structs and fields: that numbers stand for the names they should.
 *
 * A slip here would show everywhere, but be hard to find there.
 */
#include "support.h"

#include "minotaur/shapes.h"

static void check(const struct shape *shape, unsigned index, const char *field)
{
    ck_assert_uint_lt(index, shape->field_count);
    ck_assert_str_eq(atom_text(shape->fields[index]), field);
}

/* Each number of a field stands for its name. */
START_TEST(numbers_and_names)
{
    check(&shape_game, GAME_ID, "id");
    check(&shape_game, GAME_ROUND_END_TIME, "round_end_time");
    check(&shape_game, GAME_REGISTERED_ACTIONS, "registered_actions");
    check(&shape_game, GAME_VERSION, "version");
    check(&shape_game, GAME_WORLD, "world");
    check(&shape_world, WORLD_DEAD_CHARACTERS, "dead_characters");
    check(&shape_hex, HEX_TERRAIN, "terrain");
    check(&shape_coord, COORD_R, "r");
    check(&shape_vector, COORD_Q, "q");
    check(&shape_character, CHARACTER_ACTION_POINTS, "action_points");
    check(&shape_player, PLAYER_STATUS, "status");
    check(&shape_actions[ACTION_MOVE], ACTION_VECTOR, "vector");
    check(&shape_actions[ACTION_ATTACK], ACTION_TARGET_ID, "target_id");
    check(&shape_log, LOG_VISIBLE, "events_visible_by_player");
    check(&shape_events[EVENT_ENTERED_HEX], STEP_EVENT_FROM, "from");
    check(&shape_events[EVENT_LEFT_HEX], STEP_EVENT_ROUND, "round");
    check(&shape_events[EVENT_ATTACKED], ATTACK_EVENT_TARGET_ID, "target_id");
    check(&shape_events[EVENT_ATTACKED], STEP_EVENT_PLAYER_ID, "player_id");
}
END_TEST

/* A shape says as many fields as it counts. */
START_TEST(counts)
{
    static const struct shape *const shapes[] = {
        &shape_game,      &shape_world,     &shape_hex,      &shape_coord,      &shape_vector,
        &shape_character, &shape_player,    &shape_log,      &shape_actions[0], &shape_actions[1],
        &shape_events[0], &shape_events[1], &shape_events[2]};

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        unsigned count = 0;

        while (count < SHAPE_FIELDS_MAX && shapes[i]->fields[count] != ATOM_STRUCT)
            count++;
        ck_assert_uint_eq(shapes[i]->field_count, count);
        ck_assert_int_eq(strncmp(atom_text(shapes[i]->module), GAME_MODULE(""), 27), 0);
    }
}
END_TEST

/* Values stand where the enums of the state say. */
START_TEST(values)
{
    ck_assert_str_eq(game_statuses[GAME_CONCLUDED], "concluded");
    ck_assert_str_eq(player_statuses[PLAYER_ELIMINATED], "eliminated");
    ck_assert_str_eq(player_statuses[PLAYER_WON], "won");
    ck_assert_str_eq(terrains[TERRAIN_WALL], "wall");
    ck_assert_ptr_null(terrains[2]);
}
END_TEST

TEST_MAIN("shapes", numbers_and_names, counts, values)
