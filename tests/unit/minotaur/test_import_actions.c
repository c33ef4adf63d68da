/*
 * The import of registered actions: each field, list and key, and what is wrong with it.
 *
 * Most cases are rich_game with one edit; the error must be exactly the one of RULES.md.
 */
#include "support.h"

/* Each field of both kinds of action, missing and of a wrong type. */
START_TEST(fields_of_actions)
{
    static const struct field_case cases[] = {
        {"registered_actions/1/0/player_id", "[:registered_actions, 1, 0, :player_id]", ":integer"},
        {"registered_actions/1/0/vector", "[:registered_actions, 1, 0, :vector]",
         "{:struct, Vector}"},
        {"registered_actions/1/0/vector/q", "[:registered_actions, 1, 0, :vector, :q]", ":integer"},
        {"registered_actions/1/0/vector/r", "[:registered_actions, 1, 0, :vector, :r]", ":integer"},
        {"registered_actions/1/1/player_id", "[:registered_actions, 1, 1, :player_id]", ":integer"},
        {"registered_actions/1/1/target_id", "[:registered_actions, 1, 1, :target_id]", ":integer"},
    };

    check_fields(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

/* A list of actions is a proper list, said so before its elements are looked at. */
START_TEST(lists_are_proper)
{
    static const char *const others[] = {":wrong",           "%{}", "{1}",
                                         "[:wrong | :tail]", "nil", "\"ab\""};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_refused(edited(term(rich_game), "registered_actions/-5", others[i]),
                       "[:registered_actions, -5], {:expected, :list}");
}
END_TEST

/* Elements that are no action, among them the bytes of what the wire calls a string. */
START_TEST(elements_are_actions)
{
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, "registered_actions/1/1", "%Player{id: 1}"),
                   "[:registered_actions, 1, 1], {:expected, {:struct, :action}}");
    assert_refused(edited(game, "registered_actions/1/0", "%{}"),
                   "[:registered_actions, 1, 0], {:expected, {:struct, :action}}");
    assert_refused(edited(game, "registered_actions/-5", "[attack(1, 2), 65]"),
                   "[:registered_actions, -5, 1], {:expected, {:struct, :action}}");
}
END_TEST

/* A list as the wire's string of bytes is a list of integers. */
START_TEST(string_of_bytes)
{
    static const uint8_t string[] = {107, 0, 2, 65, 66};
    struct cn_writer writer;
    struct cn_reader reader;
    struct cn_term game = edited(term(plain_game), "registered_actions", "%{1 => :here}");
    struct cn_term copy;

    /* Write everything before the atom, the string, and everything behind it. */
    size_t here = 0;
    while (memcmp(game.data + here, "here", 4) != 0)
        here++;
    cn_writer_init(&writer, 0);
    cn_write_term(&writer, game);
    copy = keep(cn_writer_term(&writer));
    cn_writer_free(&writer);
    memmove((uint8_t *)copy.data + here - 2, copy.data + here - 1, copy.size - here + 1);
    memcpy((uint8_t *)copy.data + here - 2, string, sizeof string);
    copy.size--;
    cn_reader_init(&reader, copy);
    ck_assert(cn_skip(&reader) && cn_reader_done(&reader));
    assert_refused(copy, "[:registered_actions, 1, 0], {:expected, {:struct, :action}}");
}
END_TEST

/* Keys are player ids, of players or not. */
START_TEST(keys_of_lists)
{
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, "registered_actions/:nobody", "1"),
                   "[:registered_actions, :nobody], {:expected, :integer}");
    game_free(
        imported(with(plain_game, "registered_actions: %{}", "registered_actions: %{77 => []}")));
}
END_TEST

/* An action keeps the player it names, whoever's list it is in. */
START_TEST(player_of_an_action)
{
    const char *game_text = with(plain_game, "registered_actions: %{}",
                                 "registered_actions: %{1 => [attack(2, 3), move(9, <0,0>)]}");
    struct game *game = imported(game_text);

    assert_term(exported(game), game_text);
    ck_assert(game->actions[0].player_id == 1);
    ck_assert(game->actions[0].items[0].player_id == 2);
    game_free(game);
}
END_TEST

TEST_MAIN("import_actions", fields_of_actions, lists_are_proper, elements_are_actions,
          string_of_bytes, keys_of_lists, player_of_an_action)
