/*
 * Errors about terms that came in: every path and reason, and no room to write them.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"
#include "minotaur/invalid.h"

static struct cn_writer writer;
static const struct invalid invalid = {.writer = &writer, .tag = "invalid_game"};

static void check(int result, const char *expected)
{
    ck_assert_int_eq(result, 1);
    assert_term(cn_writer_term(&writer), text("{:error, {:invalid_game, %s}}", expected));
    cn_writer_reset(&writer);
}

/* A path reads from the outside in, whatever its steps are. */
START_TEST(paths)
{
    struct path world = {.field = "world"};
    struct path grid = {.up = &world, .field = "grid"};
    struct path hex = {.up = &grid, .key = term("(1,2)")};
    struct path coord = {.up = &hex, .field = "coord"};
    struct path number = {.up = &coord, .number = -4};

    cn_writer_init(&writer, 0);
    check(invalid_missing(&invalid, NULL), "[], :missing");
    check(invalid_missing(&invalid, &world), "[:world], :missing");
    check(invalid_missing(&invalid, &number), "[:world, :grid, (1,2), :coord, -4], :missing");
    cn_writer_free(&writer);
}
END_TEST

/* Each reason has its form. */
START_TEST(reasons)
{
    static const char *const atoms[] = {"floor", "wall", NULL};

    cn_writer_init(&writer, 0);
    check(invalid_expected(&invalid, NULL, "map"), "[], {:expected, :map}");
    check(invalid_struct(&invalid, NULL, "action"), "[], {:expected, {:struct, :action}}");
    check(invalid_one_of(&invalid, NULL, atoms), "[], {:expected, {:one_of, [:floor, :wall]}}");
    check(invalid_equal(&invalid, NULL, term("(1,2)")), "[], {:expected, {:equal, (1,2)}}");
    check(invalid_equal_integer(&invalid, NULL, -3), "[], {:expected, {:equal, -3}}");
    check(invalid_length(&invalid, NULL, 1, 18), "[], {:expected, {:length, 1, 18}}");
    cn_writer_free(&writer);
}
END_TEST

/* An error that finds no room is the writer's error. */
START_TEST(no_room)
{
    cn_writer_init(&writer, 10);
    ck_assert_int_eq(invalid_missing(&invalid, NULL), -E2BIG);
    cn_writer_free(&writer);
    cn_writer_init(&writer, 0);
    begin_counting();
    mem_test_fail(1);
    ck_assert_int_eq(invalid_expected(&invalid, NULL, "map"), -ENOMEM);
    cn_writer_free(&writer);
    end_counting();
}
END_TEST

TEST_MAIN("invalid", paths, reasons, no_room)
