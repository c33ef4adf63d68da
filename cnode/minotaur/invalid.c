/*
 * Writing errors about terms that came in.
 *
 * The path is linked from its end to its beginning and is turned round in an array of the greatest
 * depth; that depth is a property of our shapes, so exceeding it is a bug of ours and asserts.
 */
#include "invalid.h"

#include <assert.h>

enum {
    PATH_STEPS_MAX = 12,
};

static void write_step(struct cn_writer *writer, const struct path *step)
{
    if (step->field != NULL)
        cn_write_atom(writer, step->field);
    else if (step->key.data != NULL)
        cn_write_term(writer, step->key);
    else
        cn_write_integer(writer, step->number);
}

static void write_path(struct cn_writer *writer, const struct path *path)
{
    const struct path *steps[PATH_STEPS_MAX];
    uint32_t count = 0;

    for (; path != NULL; path = path->up) {
        assert(count < PATH_STEPS_MAX);
        steps[count++] = path;
    }
    cn_write_list(writer, count);
    for (uint32_t i = count; i > 0; i--)
        write_step(writer, steps[i - 1]);
    cn_write_nil(writer);
}

/* Write {error, {Tag, Path, and let the caller write the reason. */
static struct cn_writer *begin(const struct invalid *invalid, const struct path *path)
{
    struct cn_writer *writer = invalid->writer;

    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "error");
    cn_write_tuple(writer, 3);
    cn_write_atom(writer, invalid->tag);
    write_path(writer, path);
    return writer;
}

/* The same with {expected, What}: a tuple of @elements beginning with @what; of 0, the atom. */
static struct cn_writer *begin_expected(const struct invalid *invalid, const struct path *path,
                                        uint32_t elements, const char *what)
{
    struct cn_writer *writer = begin(invalid, path);

    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "expected");
    if (elements > 0)
        cn_write_tuple(writer, elements);
    cn_write_atom(writer, what);
    return writer;
}

static int end(const struct cn_writer *writer)
{
    int error = cn_writer_error(writer);

    return error != 0 ? error : 1;
}

int invalid_missing(const struct invalid *invalid, const struct path *path)
{
    struct cn_writer *writer = begin(invalid, path);

    cn_write_atom(writer, "missing");
    return end(writer);
}

int invalid_expected(const struct invalid *invalid, const struct path *path, const char *what)
{
    return end(begin_expected(invalid, path, 0, what));
}

int invalid_struct(const struct invalid *invalid, const struct path *path, const char *module)
{
    struct cn_writer *writer = begin_expected(invalid, path, 2, "struct");

    cn_write_atom(writer, module);
    return end(writer);
}

int invalid_one_of(const struct invalid *invalid, const struct path *path, const char *const *atoms)
{
    struct cn_writer *writer = begin_expected(invalid, path, 2, "one_of");
    uint32_t count = 0;

    while (atoms[count] != NULL)
        count++;
    cn_write_list(writer, count);
    for (uint32_t i = 0; i < count; i++)
        cn_write_atom(writer, atoms[i]);
    cn_write_nil(writer);
    return end(writer);
}

int invalid_equal(const struct invalid *invalid, const struct path *path, struct cn_term value)
{
    struct cn_writer *writer = begin_expected(invalid, path, 2, "equal");

    cn_write_term(writer, value);
    return end(writer);
}

int invalid_equal_integer(const struct invalid *invalid, const struct path *path, int64_t value)
{
    struct cn_writer *writer = begin_expected(invalid, path, 2, "equal");

    cn_write_integer(writer, value);
    return end(writer);
}

int invalid_length(const struct invalid *invalid, const struct path *path, int64_t min, int64_t max)
{
    struct cn_writer *writer = begin_expected(invalid, path, 3, "length");

    cn_write_integer(writer, min);
    cn_write_integer(writer, max);
    return end(writer);
}
