/*
 * Maps with integer keys: sorted, their faults named, quick in the worst order.
 *
 * The map is read as the events of a log, by a record made by hand.
 */
#include "support.h"

#include "base/alloc.h"
#include "minotaur/entries.h"

static struct cn_writer error;
static struct import import;
static struct record record;
static struct entries entries;

/* Read @map as the events of a log. */
static int read(const char *map, int64_t min)
{
    cn_writer_free(&error); /* ready for use, also the first time */
    import = (struct import){.invalid = {.writer = &error, .tag = "invalid_game" }};
    record = (struct record){.import = &import, .shape = &shape_log};
    if (map != NULL)
        record.values[LOG_EVENTS] = term(map);
    return entries_read(&entries, &record, LOG_EVENTS, min, "a_key");
}

static void assert_error(int result, const char *expected)
{
    ck_assert_int_eq(result, 1);
    assert_term(cn_writer_term(&error), text("{:error, {:invalid_game, %s}}", expected));
}

/* Entries come sorted by key with their values; each has a path. */
START_TEST(sorted)
{
    struct path path;

    ck_assert_int_eq(read("%{3 => :c, -1 => :a, 2 => [:b]}", INT64_MIN), 0);
    ck_assert_uint_eq(entries.count, 3);
    ck_assert_int_eq(entries.items[0].key, -1);
    assert_term(entries.items[1].value, "[:b]");
    ck_assert_int_eq(entries.items[2].key, 3);
    path = entries_path(&entries, 2);
    assert_error(invalid_missing(&import.invalid, &path), "[:events, 3], :missing");
    entries_free(&entries);
    entries_free(&entries);
}
END_TEST

/* No entries need no memory. */
START_TEST(empty)
{
    ck_assert_int_eq(read("%{}", 0), 0);
    ck_assert_uint_eq(entries.count, 0);
    ck_assert_ptr_null(entries.items);
}
END_TEST

/* A missing field, another type, bad keys, and keys said twice. */
START_TEST(refused)
{
    assert_error(read(NULL, 0), "[:events], :missing");
    assert_error(read("[]", 0), "[:events], {:expected, :map}");
    assert_error(read("%{-1 => 1}", 0), "[:events, -1], {:expected, :a_key}");
    assert_error(read("%{{1} => 1}", 0), "[:events, {1}], {:expected, :a_key}");
    assert_error(read("%{1 => 1, 1.0 => 1}", 0), "[:events, 1.0], {:expected, :a_key}");
    assert_error(read("%{1 => 1, 2 => 3, 1 => 2}", 0), "[:events], {:expected, :map}");
    cn_writer_free(&error);
}
END_TEST

/* Many entries in the worst order take no time to speak of. */
START_TEST(many)
{
    struct cn_writer writer;
    uint32_t count = 300000;

    cn_writer_init(&writer, 0);
    cn_write_map(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_integer(&writer, (int64_t)count - i);
        cn_write_nil(&writer);
    }
    import = (struct import){.invalid = {.writer = &error, .tag = "invalid_game" }};
    record = (struct record){.import = &import, .shape = &shape_log};
    record.values[LOG_EVENTS] = cn_writer_term(&writer);
    ck_assert_int_eq(entries_read(&entries, &record, LOG_EVENTS, 0, "a_key"), 0);
    for (uint32_t i = 0; i < count; i++)
        must(entries.items[i].key == (int64_t)i + 1);
    entries_free(&entries);
    cn_writer_free(&writer);
}
END_TEST

TEST_MAIN("entries", sorted, empty, refused, many)
