/*
 * Written pairs: the same bytes as without them, written once.
 *
 * How states with them look is tested with the states, in test_export.c and test_games.c.
 */
#include "support.h"

#include "minotaur/atoms.h"
#include "minotaur/written.h"

/* A map of numbers to ok; how often a pair was written. */
static unsigned calls;

static void write_pair(const void *game, struct cn_writer *writer, uint32_t index)
{
    (void)game;
    calls++;
    cn_write_integer(writer, index);
    write_atom(writer, ATOM_OK);
}

static struct cn_writer write(struct written_pairs *pairs, uint32_t count, bool words)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (words)
        cn_writer_use_words(&writer, &game_atoms);
    cn_write_map(&writer, count);
    written_write(pairs, NULL, write_pair, count, &writer);
    ck_assert_int_eq(cn_writer_error(&writer), 0);
    return writer;
}

static void expect_same(struct written_pairs *pairs, uint32_t count, bool words)
{
    struct written_pairs none = {.count = 0};
    struct cn_writer once = write(&none, count, words);
    struct cn_writer again = write(pairs, count, words);

    ck_assert_mem_eq(again.data, once.data, once.size);
    ck_assert_uint_eq(again.size, once.size);
    cn_writer_free(&once);
    cn_writer_free(&again);
    written_forget(&none);
}

/* What was kept gives the same map, however long it has become, in both forms. */
START_TEST(same_bytes)
{
    struct written_pairs pairs = {.count = 0};

    expect_same(&pairs, 0, true);
    expect_same(&pairs, 2, true);
    expect_same(&pairs, 2, false);
    expect_same(&pairs, 300, false);
    expect_same(&pairs, WRITTEN_PAIRS_MAX + 2, true);
    expect_same(&pairs, WRITTEN_PAIRS_MAX + 2, false);
    written_forget(&pairs);
}
END_TEST

/* A pair is written once, until it is forgotten. */
START_TEST(written_once)
{
    struct written_pairs pairs = {.count = 0};
    struct cn_writer writers[4];

    calls = 0;
    writers[0] = write(&pairs, 5, true);
    writers[1] = write(&pairs, 5, false);
    ck_assert_uint_eq(calls, 5);
    writers[2] = write(&pairs, 7, true);
    ck_assert_uint_eq(calls, 7);
    written_forget(&pairs);
    writers[3] = write(&pairs, 7, true);
    ck_assert_uint_eq(calls, 14);
    for (unsigned i = 0; i < 4; i++)
        cn_writer_free(&writers[i]);
    written_forget(&pairs);
}
END_TEST

TEST_MAIN("written", same_bytes, written_once)
