/*
 * Reading structs: fields in any order, unknown ones kept, each kind of fault named.
 *
 * A Player stands for all structs.
 */
#include "support.h"

#include <errno.h>

#include "minotaur/record.h"

static struct cn_writer error;
static struct import import;
static struct record record;

static void begin(void)
{
    cn_writer_init(&error, 0);
    import = (struct import){.invalid = {.writer = &error, .tag = "invalid_game" }};
    cn_writer_init(&import.kept, 0);
}

static void end(void)
{
    cn_writer_free(&error);
    cn_writer_free(&import.kept);
}

static int read(const char *player)
{
    return record_read(&record, &import, NULL, &shape_player, term(player));
}

static void assert_error(int result, const char *expected)
{
    ck_assert_int_eq(result, 1);
    assert_term(cn_writer_term(&error), text("{:error, {:invalid_game, %s}}", expected));
    cn_writer_reset(&error);
}

/* View what was kept at @offset. */
static struct cn_term kept(uint32_t offset)
{
    struct cn_term all = cn_writer_term(&import.kept);
    struct cn_reader reader;
    struct cn_term it;

    cn_reader_init(&reader, (struct cn_term){all.data + offset, all.size - offset});
    ck_assert(cn_read_term(&reader, &it));
    return it;
}

/* Fields are found in any order; those not there are empty; there are no extras. */
START_TEST(fields_in_any_order)
{
    begin();
    ck_assert_int_eq(read("%{status: :won, id: 4, __struct__: Player}"), 0);
    assert_term(record.values[PLAYER_ID], "4");
    assert_term(record.values[PLAYER_STATUS], ":won");
    ck_assert_ptr_null(record.values[PLAYER_USER_ID].data);
    ck_assert_uint_eq(record.extras, 0);
    end();
}
END_TEST

/* Unknown fields, whatever their keys, are kept as a map. */
START_TEST(extras)
{
    begin();
    ck_assert_int_eq(read("%Player{hat: 1, id: 4, 7 => 8, \"id\" => 9, {1, []} => %{}}"), 0);
    ck_assert_uint_gt(record.extras, 0);
    assert_term(kept(record.extras), "%{hat: 1, 7 => 8, \"id\" => 9, {1, []} => %{}}");
    ck_assert_int_eq(read("%Player{hat: 2}"), 0);
    assert_term(kept(record.extras), "%{hat: 2}");
    end();
}
END_TEST

/* What is no map, no struct, another struct, or says a field twice. */
START_TEST(not_the_struct)
{
    static const char *const others[] = {"1",
                                         "[]",
                                         "%{}",
                                         "%{id: 1}",
                                         "%Coord{}",
                                         "{}",
                                         "%{__struct__: \"Player\"}",
                                         "%Player{id: 1, id: 2}",
                                         "%Player{__struct__: Player}"};

    begin();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_error(read(others[i]), "[], {:expected, {:struct, Player}}");
    end();
}
END_TEST

/* A struct is recognised without being read. */
START_TEST(recognised)
{
    ck_assert(record_is(&shape_player, term("%Player{}")));
    ck_assert(!record_is(&shape_player, term("%Coord{}")));
    ck_assert(!record_is(&shape_player, term("%{}")));
    ck_assert(!record_is(&shape_player, term("1")));
}
END_TEST

/* Integers have 64 bits and a least value; a key must be met. */
START_TEST(integers)
{
    int64_t value = 0;

    begin();
    ck_assert_int_eq(read("%Player{id: -9223372036854775808, user_id: 9223372036854775808,"
                          " status: 1.0}"),
                     0);
    ck_assert_int_eq(record_integer(&record, PLAYER_ID, &value), 0);
    ck_assert(value == INT64_MIN);
    assert_error(record_integer(&record, PLAYER_USER_ID, &value),
                 "[:user_id], {:expected, :integer}");
    assert_error(record_integer(&record, PLAYER_STATUS, &value),
                 "[:status], {:expected, :integer}");
    assert_error(record_integer(&record, PLAYER_DISPLAY_NAME, &value), "[:display_name], :missing");
    assert_error(record_integer_from(&record, PLAYER_ID, 0, "non_neg_integer", &value),
                 "[:id], {:expected, :non_neg_integer}");
    assert_error(record_key(&record, PLAYER_ID, INT64_MIN, "integer", 5),
                 "[:id], {:expected, {:equal, 5}}");
    ck_assert_int_eq(record_key(&record, PLAYER_ID, INT64_MIN, "integer", INT64_MIN), 0);
    ck_assert(value == INT64_MIN);
    end();
}
END_TEST

/* One of a few atoms is read as its index. */
START_TEST(one_of)
{
    uint8_t index = 9;

    begin();
    ck_assert_int_eq(read("%Player{status: :won, id: \"won\", user_id: :winner}"), 0);
    ck_assert_int_eq(record_one_of(&record, PLAYER_STATUS, player_statuses, &index), 0);
    ck_assert_uint_eq(index, PLAYER_WON);
    assert_error(record_one_of(&record, PLAYER_ID, player_statuses, &index),
                 "[:id], {:expected, {:one_of, [:active, :eliminated, :won]}}");
    assert_error(record_one_of(&record, PLAYER_USER_ID, player_statuses, &index),
                 "[:user_id], {:expected, {:one_of, [:active, :eliminated, :won]}}");
    end();
}
END_TEST

/* Terms are kept under offsets of their own, none of which is 0. */
START_TEST(keeping)
{
    uint32_t name;
    uint32_t user;

    begin();
    ck_assert_int_eq(read("%Player{user_id: {1, [2]}, display_name: \"Ann\", status: \"x\"}"), 0);
    ck_assert_int_eq(record_keep(&record, PLAYER_USER_ID, &user), 0);
    ck_assert_int_eq(record_keep_binary(&record, PLAYER_DISPLAY_NAME, &name), 0);
    ck_assert_uint_gt(user, 0);
    assert_term(kept(user), "{1, [2]}");
    assert_term(kept(name), "\"Ann\"");
    assert_error(record_keep(&record, PLAYER_ID, &user), "[:id], :missing");
    ck_assert_int_eq(read("%Player{display_name: :ann}"), 0);
    assert_error(record_keep_binary(&record, PLAYER_DISPLAY_NAME, &name),
                 "[:display_name], {:expected, :binary}");
    end();
}
END_TEST

/* Keeping more than the limit is -E2BIG. */
START_TEST(keeping_too_much)
{
    uint32_t user;

    begin();
    cn_writer_free(&import.kept);
    cn_writer_init(&import.kept, 6);
    ck_assert_int_eq(import_keep(&import, term("\"123456\""), &user), -E2BIG);
    end();
}
END_TEST

TEST_MAIN("record", fields_in_any_order, extras, not_the_struct, recognised, integers, one_of,
          keeping, keeping_too_much)
