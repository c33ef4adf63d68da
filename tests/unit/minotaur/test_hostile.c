/*
 * Games that somebody made to hurt: huge, deep, repeated. They cost what their bytes cost, no more.
 */
#include "support.h"

#include <errno.h>

static const struct cn_game *const minotaur = &cn_minotaur_game;

/* Write plain_game up to the value under @before, so that the caller writes that value. */
static struct cn_term head_of(const char *placeholder_game)
{
    return term(placeholder_game);
}

/* Put @part where the atom :here is in @game. */
static struct cn_term put_here(struct cn_term game, struct cn_term part)
{
    uint8_t *bytes = malloc(game.size + part.size);
    size_t here = 0;
    struct cn_term made;

    while (memcmp(game.data + here, "\x77\x04here", 6) != 0)
        here++;
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, game.data, here);
    memcpy(bytes + here, part.data, part.size);
    memcpy(bytes + here + part.size, game.data + here + 6, game.size - here - 6);
    made = keep((struct cn_term){bytes, game.size - 6 + part.size});
    free(bytes);
    return made;
}

static int import_it(struct cn_term game, void **ret_state)
{
    struct cn_writer error;
    int result;

    cn_writer_init(&error, 0);
    result = minotaur->import(&still_env, game, ret_state, &error);
    cn_writer_free(&error);
    return result;
}

/* A hundred thousand characters in one hex, each attacking: the round is refused, the game stands.
 */
START_TEST(crowd_in_one_hex)
{
    const uint32_t count = 100000;
    struct cn_writer characters;
    struct cn_writer actions;
    struct cn_term list = term("[attack(1, 2)]");
    struct cn_term game;
    struct cn_writer reply;
    void *state;

    cn_writer_init(&characters, 0);
    cn_writer_init(&actions, 0);
    cn_write_map(&characters, count);
    cn_write_map(&actions, count);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_integer(&characters, i);
        cn_write_term(&characters, term(text("pc(%u, (0,0), 3, 2)", i)));
        cn_write_integer(&actions, i);
        cn_write_term(&actions, list);
    }
    game = put_here(
        head_of(with(plain_game,
                     "%{1 => pc(1, (0,0), 3, 2), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)}",
                     ":here")),
        cn_writer_term(&characters));
    game = put_here(edited(game, "registered_actions", ":here"), cn_writer_term(&actions));
    ck_assert_int_eq(import_it(game, &state), 0);
    cn_writer_init(&reply, 0);
    ck_assert_int_eq(minotaur->call(&still_env, state, term(":end_round"), &reply), -E2BIG);
    ck_assert_int_eq(minotaur->info(&still_env, state, term("{:round_timer_expired, 3}")), -E2BIG);
    assert_same(exported(state), game);
    minotaur->free(state);
    cn_writer_free(&reply);
    cn_writer_free(&characters);
    cn_writer_free(&actions);
}
END_TEST

/* A list of two million ids, and a map of as many lists, are read in one pass and come back. */
START_TEST(millions_of_ids)
{
    const uint32_t count = 2000000;
    struct cn_writer part;
    struct cn_term game;
    void *state;

    cn_writer_init(&part, 0);
    cn_write_list(&part, count);
    for (uint32_t i = 0; i < count; i++)
        cn_write_integer(&part, i);
    cn_write_nil(&part);
    game = put_here(term(with(plain_game, "1 => [],", "1 => :here,")), cn_writer_term(&part));
    ck_assert_int_eq(import_it(game, &state), 0);
    assert_same(exported(state), game);
    minotaur->free(state);

    cn_writer_reset(&part);
    cn_write_map(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_integer(&part, (int64_t)i * 2654435761u % 4294967296);
        cn_write_nil(&part);
    }
    game = put_here(term(with(plain_game, "registered_actions: %{}", "registered_actions: :here")),
                    cn_writer_term(&part));
    ck_assert_int_eq(import_it(game, &state), 0);
    minotaur->free(state);
    cn_writer_free(&part);
}
END_TEST

/* The same key a million times is refused as no map, after one sort. */
START_TEST(one_key_a_million_times)
{
    const uint32_t count = 1000000;
    struct cn_writer part;
    struct cn_term game;
    void *state;

    cn_writer_init(&part, 0);
    cn_write_map(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_integer(&part, 1);
        cn_write_nil(&part);
    }
    game = put_here(term(with(plain_game, "registered_actions: %{}", "registered_actions: :here")),
                    cn_writer_term(&part));
    ck_assert_int_eq(import_it(game, &state), 1);
    cn_writer_free(&part);
}
END_TEST

/* Unknown fields may be as deep as the node lets terms be: nothing here follows them down. */
START_TEST(deep_unknown_field)
{
    struct cn_writer part;
    struct cn_term game;
    void *state;

    cn_writer_init(&part, 0);
    for (uint32_t i = 0; i < 500; i++)
        cn_write_tuple(&part, 1);
    cn_write_atom(&part, "bottom");
    game = put_here(term(with(plain_game, "round: 3,", "round: 3, deep: :here,")),
                    cn_writer_term(&part));
    ck_assert_int_eq(import_it(game, &state), 0);
    assert_same(exported(state), game);
    minotaur->free(state);
    cn_writer_free(&part);
}
END_TEST

/* A struct with a hundred thousand unknown fields keeps them all. */
START_TEST(wide_struct)
{
    const uint32_t count = 100000;
    struct cn_writer part;
    struct cn_term game;
    void *state;

    cn_writer_init(&part, 0);
    cn_write_map(&part, count + 3);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_integer(&part, i);
        cn_write_nil(&part);
    }
    cn_write_term(&part, term(":q"));
    cn_write_integer(&part, 0);
    cn_write_term(&part, term(":r"));
    cn_write_integer(&part, 0);
    cn_write_term(&part, term(":__struct__"));
    cn_write_term(&part, term("Coord"));
    game = put_here(term(with(plain_game, "1 => pc(1, (0,0), 3, 2)", "1 => pc(1, :here, 3, 2)")),
                    cn_writer_term(&part));
    ck_assert_int_eq(import_it(game, &state), 0);
    assert_same(exported(state), game);
    minotaur->free(state);
    cn_writer_free(&part);
}
END_TEST

/* Any prefix of a game's fields with each term replaced by odd ones is refused or read, never a
 * crash. */
START_TEST(odd_values_everywhere)
{
    static const char *const paths[] = {"id",
                                        "status",
                                        "round",
                                        "round_end_time",
                                        "players",
                                        "players/1",
                                        "players/1/id",
                                        "registered_actions/1",
                                        "registered_actions/1/0",
                                        "registered_actions/1/0/vector/q",
                                        "version",
                                        "events_log",
                                        "events_log/events",
                                        "events_log/events/0",
                                        "events_log/events/0/to",
                                        "events_log/events_visible_by_player/1",
                                        "world",
                                        "world/grid",
                                        "world/grid/(1,0)",
                                        "world/grid/(1,0)/coord",
                                        "world/player_characters/1/position"};
    static const char *const values[] = {
        "nil",     "0",      "-1",      "1.5",       "9223372036854775808",
        "\"\"",    "[]",     "[1]",     "[1 | 2]",   "[[]]",
        "{}",      "{1, 2}", "%{}",     "%{1 => 2}", "%Coord{}",
        "%Game{}", "(0,0)",  "\"text\""};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            void *state;

            if (import_it(edited(term(rich_game), paths[i], values[j]), &state) == 0)
                minotaur->free(state);
        }
    }
}
END_TEST

TEST_MAIN("hostile", crowd_in_one_hex, millions_of_ids, one_key_a_million_times, deep_unknown_field,
          wide_struct, odd_values_everywhere)
