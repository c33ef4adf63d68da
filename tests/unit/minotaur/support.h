/*
 * What the tests of the game share: terms from text, games from terms, failing allocations.
 */
#ifndef TESTS_MINOTAUR_SUPPORT_H
#define TESTS_MINOTAUR_SUPPORT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnode/game.h>
#include <cnode/term.h>

#include "minotaur/import.h"
#include "minotaur/state.h"

/** As ck_assert, which writes to a file each time; for loops. */
#define must(condition)                          \
    do {                                         \
        if (!(condition))                        \
            ck_abort_msg("not: %s", #condition); \
    } while (0)

/* Terms and texts made here live until the test program ends. */

/** Make the term that @text notes (notation.h). */
struct cn_term term(const char *text);
/** Copy a term, so that it outlives what it was a view of. */
struct cn_term keep(struct cn_term term);
/** Format a text. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Replace @old, which occurs once in @in, by @new. */
const char *with(const char *in, const char *old, const char *new_text);

/*
 * A path leads into a term: steps separated by slashes, each a map's key or a list's index. A step
 * that begins with a small letter is an atom, any other is noted as terms are:
 * "world/grid/(1,0)/terrain".
 */

/** Follow @path. */
struct cn_term at(struct cn_term in, const char *path);
/**
 * Make @in anew with the term that @value notes at @path (NULL: without that key). A last step that
 * is not there is added.
 */
struct cn_term edited(struct cn_term in, const char *path, const char *value);

/** Fail unless @found is the term that @expected notes. */
#define assert_term(found, expected) assert_term_at(__FILE__, __LINE__, (found), (expected))
/** Fail as from @file and @line unless @found is the term that @expected notes. */
void assert_term_at(const char *file, int line, struct cn_term found, const char *expected);
/** Fail unless both terms are equal. */
#define assert_same(a, b) assert_same_at(__FILE__, __LINE__, (a), (b))
/** Fail as from @file and @line unless both terms are equal. */
void assert_same_at(const char *file, int line, struct cn_term found, struct cn_term expected);

/** A game of three players in a row, without events: edit it with with(). */
extern const char *const plain_game;
/** A game with everything in it, and an unknown field in every struct. */
extern const char *const rich_game;

/** Fail unless the import of @game is refused with {error, {invalid_game, @path_and_reason}}. */
#define assert_refused(game, path_and_reason) \
    assert_term(import_error(game), text("{:error, {:invalid_game, %s}}", (path_and_reason)))

/** A field of rich_game: where it is, and what it is expected to be. */
struct field_case {
    const char *path;     /* for edited() */
    const char *notation; /* the same as the error says it */
    const char *expected; /* noted; NULL: anything will do */
};

/** For each field: without it the game is refused as :missing, with the atom :wrong as not
 * @expected. */
void check_fields(const struct field_case *cases, size_t count);

/** Import a game that must be fine. */
struct game *imported(const char *game_text);
/** Give the error of an import that must fail. */
struct cn_term import_error(struct cn_term game);
/** Export a game. */
struct cn_term exported(const struct game *game);

/** A world that stands still: 2026-11-23 01:02:03, rounds of 60 s, counting bytes as randomness. */
extern const struct cn_game_env still_env;
/** The same without timers. */
extern const struct cn_game_env untimed_env;

/** Route the game's allocations through the node's seam, so that they can fail and be counted. */
void begin_counting(void);
/** Fail unless everything allocated since begin_counting is released. */
void end_counting(void);

/** Run tests, each in its own process; gives main's result. */
int run_tests(const char *name, const TTest *const *tests, size_t count);
/** Define main for a list of tests. */
#define TEST_MAIN(name, ...)                                             \
    int main(void)                                                       \
    {                                                                    \
        const TTest *const tests[] = {__VA_ARGS__};                      \
                                                                         \
        return run_tests((name), tests, sizeof tests / sizeof tests[0]); \
    }

#endif
