/*
 * What is wrong with a term that came in, and where: {error, {Tag, Path, Reason}}.
 *
 * A path grows on the stack of the functions that descend into the term, one link per step, and
 * costs nothing until something is wrong; only then is it written out. No path is longer than the
 * deepest shape of RULES.md.
 */
#ifndef CNODE_MINOTAUR_INVALID_H
#define CNODE_MINOTAUR_INVALID_H

#include <cnode/term.h>

/**
 * One step of a path: a struct's field, a map's key, or an integer (a list's index, an integer
 * key).
 */
struct path {
    const struct path *up; /* the step before; NULL: the outermost term */
    const char *field;     /* not NULL: a struct's field */
    struct cn_term key;    /* else data not NULL: a map's key */
    int64_t number;        /* else this */
};

/** Where errors are written, and under which tag: invalid_game, invalid_users. */
struct invalid {
    struct cn_writer *writer;
    const char *tag;
};

/*
 * Each function writes the error and returns 1, so that its caller can return that; or the writer's
 * -ENOMEM, -E2BIG. @path NULL is the outermost term itself.
 */

/** Say that the field at @path is not there. */
int invalid_missing(const struct invalid *invalid, const struct path *path);
/** Say that {expected, What} does not hold, @what being an atom. */
int invalid_expected(const struct invalid *invalid, const struct path *path, const char *what);
/** Say {expected, {struct, Module}}. */
int invalid_struct(const struct invalid *invalid, const struct path *path, const char *module);
/** Say {expected, {one_of, Atoms}}; @atoms ends with NULL. */
int invalid_one_of(const struct invalid *invalid, const struct path *path,
                   const char *const *atoms);
/** Say {expected, {equal, Value}}. */
int invalid_equal(const struct invalid *invalid, const struct path *path, struct cn_term value);
/** Say {expected, {equal, Value}} of an integer. */
int invalid_equal_integer(const struct invalid *invalid, const struct path *path, int64_t value);
/** Say {expected, {length, Min, Max}}. */
int invalid_length(const struct invalid *invalid, const struct path *path, int64_t min,
                   int64_t max);

#endif
