/*
 * The atoms: none twice, for their receivers are told each once.
 *
 * An atom that stood there twice would cost every answer its short form, in silence.
 */
#include "support.h"

#include "minotaur/atoms.h"

/* No text has two numbers, and there are no more than a header has room for. */
START_TEST(each_once)
{
    ck_assert_uint_le(game_atoms.count, CN_WORDS_MAX);
    for (unsigned i = 0; i < game_atoms.count; i++)
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(atom_text(i), atom_text(j));
}
END_TEST

/* Numbers stand for their texts, from the first to the last. */
START_TEST(numbers)
{
    ck_assert_uint_eq(game_atoms.count, ATOM_COUNT);
    ck_assert_str_eq(atom_text(ATOM_STRUCT), "__struct__");
    ck_assert_str_eq(atom_text(ATOM_MODULE_COORD), "Elixir.Minotaur.GameEngine.Coord");
    ck_assert_str_eq(atom_text(ATOM_OK), "ok");
}
END_TEST

TEST_MAIN("atoms", each_once, numbers)
