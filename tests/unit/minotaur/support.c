/*
 * Shared parts of the game's tests.
 *
 * What is made for a test is listed and never released, so that leak checkers see it as reachable;
 * the game's own allocations are counted by the node's seam where a test asks for it.
 */
#include "support.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "etf/print.h"
#include "minotaur/export.h"
#include "minotaur/memory.h"
#include "notation.h"

struct kept {
    struct kept *next;
    void *data;
};

static struct kept *kept;

static void *keep_data(const void *data, size_t size)
{
    struct kept *it = malloc(sizeof *it);

    must(it != NULL);
    it->data = malloc(size > 0 ? size : 1);
    must(it->data != NULL);
    if (size > 0)
        memcpy(it->data, data, size);
    it->next = kept;
    kept = it;
    return it->data;
}

struct cn_term keep(struct cn_term it)
{
    return (struct cn_term){keep_data(it.data, it.size), it.size};
}

/* Keep what was written, and release the writer. */
static struct cn_term keep_written(struct cn_writer *writer)
{
    struct cn_term made;

    must(cn_writer_error(writer) == 0);
    made = keep(cn_writer_term(writer));
    cn_writer_free(writer);
    return made;
}

struct cn_term term(const char *notation)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    notation_write(&writer, notation);
    return keep_written(&writer);
}

const char *text(const char *format, ...)
{
    char buffer[20000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    return keep_data(buffer, strlen(buffer) + 1);
}

const char *with(const char *in, const char *old, const char *new_text)
{
    const char *found = strstr(in, old);

    if (found == NULL || strstr(found + 1, old) != NULL)
        ck_abort_msg("%s: %s", found == NULL ? "not there" : "there twice", old);
    return text("%.*s%s%s", (int)(found - in), in, new_text, found + strlen(old));
}

/* Take the next step from @path: as the term of a key. */
static struct cn_term take_step(const char **path)
{
    size_t length = strcspn(*path, "/");
    const char *step = text("%.*s", (int)length, *path);

    *path += length;
    *path += strspn(*path, "/");
    return term((step[0] >= 'a' && step[0] <= 'z') || step[0] == '_' ? text(":%s", step) : step);
}

static bool is_map(struct cn_term it)
{
    struct cn_reader reader;

    cn_reader_init(&reader, it);
    return cn_peek(&reader) == CN_TYPE_MAP;
}

/* Begin reading the pairs of a map or the elements of a list. */
static uint32_t begin_parts(struct cn_reader *reader, struct cn_term in)
{
    uint32_t count = 0;

    cn_reader_init(reader, in);
    must(is_map(in) ? cn_read_map(reader, &count) : cn_read_list(reader, &count));
    return count;
}

/* Read the next key (or the index of the next element) and value. */
static void read_part(struct cn_reader *reader, struct cn_term in, uint32_t index,
                      struct cn_term *ret_key, struct cn_term *ret_value)
{
    *ret_key = term(text("%u", index));
    if (is_map(in))
        must(cn_read_term(reader, ret_key));
    must(cn_read_term(reader, ret_value));
}

static bool find(struct cn_term in, struct cn_term step, struct cn_term *ret_value)
{
    struct cn_reader reader;
    uint32_t count = begin_parts(&reader, in);

    for (uint32_t i = 0; i < count; i++) {
        struct cn_term key;

        read_part(&reader, in, i, &key, ret_value);
        if (cn_term_equal(key, step))
            return true;
    }
    return false;
}

struct cn_term at(struct cn_term in, const char *path)
{
    while (*path != '\0') {
        const char *rest = path;

        if (!find(in, take_step(&rest), &in))
            ck_abort_msg("no %s", path);
        path = rest;
    }
    return in;
}

struct cn_term edited(struct cn_term in, const char *path, const char *value)
{
    struct cn_term step = take_step(&path);
    struct cn_term old;
    struct cn_reader reader;
    struct cn_writer writer;
    uint32_t count = begin_parts(&reader, in);
    bool there = find(in, step, &old);
    bool removes = *path == '\0' && value == NULL;

    must(there || (*path == '\0' && value != NULL));
    cn_writer_init(&writer, 0);
    if (is_map(in))
        cn_write_map(&writer, count - removes + !there);
    else
        cn_write_list(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        struct cn_term key;
        struct cn_term part;
        bool hit;

        read_part(&reader, in, i, &key, &part);
        hit = cn_term_equal(key, step);
        if (hit && removes)
            continue;
        if (is_map(in))
            cn_write_term(&writer, key);
        if (hit)
            part = *path == '\0' ? term(value) : edited(part, path, value);
        cn_write_term(&writer, part);
    }
    if (!there) {
        cn_write_term(&writer, step);
        cn_write_term(&writer, term(value));
    }
    if (!is_map(in))
        cn_write_nil(&writer);
    return keep_written(&writer);
}

static const char *render(struct cn_term it)
{
    char buffer[6000];

    (void)etf_print(it, buffer, sizeof buffer);
    return text("%s", buffer);
}

void assert_same_at(const char *file, int line, struct cn_term found, struct cn_term expected)
{
    if (!cn_term_equal(found, expected))
        ck_abort_msg("%s:%d:\n   found %s\nexpected %s", file, line, render(found),
                     render(expected));
}

void assert_term_at(const char *file, int line, struct cn_term found, const char *expected)
{
    assert_same_at(file, line, found, term(expected));
}

/* clang-format off */
const char *const plain_game =
    "%Game{id: \"0b5e0f3c-17a2-4c5d-8e9f-00112233aabb\", status: :active, round: 3,"
    " round_end_time: nil,"
    " players: %{1 => player(1, \"u1\", :active, \"Ann\"), 2 => player(2, \"u2\", :active, \"Bo\"),"
    " 3 => player(3, \"u3\", :active, \"Cy\")},"
    " registered_actions: %{}, version: 4,"
    " events_log: %EventsLog{events: %{}, events_visible_by_player: %{1 => [], 2 => [], 3 => []}},"
    " world: %World{grid: board(),"
    " player_characters: "
    "%{1 => pc(1, (0,0), 3, 2), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)},"
    " dead_characters: %{}}}";

const char *const rich_game =
    "%Game{id: \"0b5e0f3c-17a2-4c5d-8e9f-00112233aabb\", status: :active, round: 7, mood: :grim,"
    " round_end_time: utc(2026,2,28,23,59,58), 12 => {:odd, \"key\"},"
    " players: %{"
    "  1 => %Player{id: 1, user_id: {:id, 1.5}, display_name: \"Ann\", status: :active,"
    "    hat: [1, 2]},"
    "  -5 => %Player{id: -5, user_id: \"u5\", display_name: \"\", status: :eliminated, hat: nil}},"
    " registered_actions: %{1 => ["
    "  %MoveAction{player_id: 1, vector: %Vector{q: 1, r: 0, z: 9}, speed: 1},"
    "  %AttackAction{player_id: 1, target_id: -5, with: \"axe\"}], -5 => []}, version: 4,"
    " events_log: %EventsLog{pages: 3,"
    "  events: %{0 => %PCEnteredHexEvent{id: 0, player_id: 1, to: %Coord{q: 1, r: 0, z: 1},"
    "    from: %Coord{q: 0, r: 0, z: 2}, round: 1, loud: true},"
    "   1 => %PCLeftHexEvent{id: 1, player_id: 1, to: (1,0), from: (0,0), round: 2, loud: false},"
    "   300 => %PCAttackedPCEvent{id: 300, player_id: 1, target_id: -5, round: 2, crit: %{}}},"
    "  events_visible_by_player: %{1 => [300, 1, 0], -5 => [1], 9 => []}},"
    " world: %World{light: :dim,"
    "  grid: %{"
    "   %Coord{q: 0, r: 0, z: 0} => %GridHex{coord: %Coord{q: 0, r: 0, y: 5}, terrain: :floor,"
    "    wet: true},"
    "   (1,0) => hex((1,0), :floor), (-7,7) => hex((-7,7), :wall)},"
    "  player_characters: %{1 => %PlayerCharacter{player_id: 1,"
    "    position: %Coord{q: 0, r: 0, z: 4}, health: 3, action_points: 2, bag: [:rope]}},"
    "  dead_characters: %{-5 => %PlayerCharacter{player_id: -5, position: (0,0), health: 0,"
    "    action_points: 1, bag: []}}}}";
/* clang-format on */

struct game *imported(const char *game_text)
{
    struct cn_writer error;
    struct game *game = NULL;

    cn_writer_init(&error, 0);
    if (game_import(term(game_text), &game, &error) != 0)
        ck_abort_msg("import: %s", render(cn_writer_term(&error)));
    cn_writer_free(&error);
    return game;
}

struct cn_term import_error(struct cn_term it)
{
    struct cn_writer error;
    struct game *game;

    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(it, &game, &error), 1);
    return keep_written(&error);
}

struct cn_term exported(const struct game *game)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    game_export(game, &writer);
    return keep_written(&writer);
}

void check_fields(const struct field_case *cases, size_t count)
{
    struct cn_term game = term(rich_game);

    for (const struct field_case *it = cases; it < cases + count; it++) {
        assert_refused(edited(game, it->path, NULL), text("%s, :missing", it->notation));
        if (it->expected != NULL)
            assert_refused(edited(game, it->path, ":wrong"),
                           text("%s, {:expected, %s}", it->notation, it->expected));
    }
}

static void count_up(void *context, uint8_t *data, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 16 + i);
}

const struct cn_game_env still_env = {
    .now_s = 1795395723,
    .round_seconds = 60,
    .random = count_up,
};

const struct cn_game_env untimed_env = {
    .now_s = 1795395723,
    .round_seconds = 0,
    .random = count_up,
};

void begin_counting(void)
{
    game_memory = (struct game_memory){.resize = mem_realloc, .release = mem_free};
    mem_test_begin();
}

void end_counting(void)
{
    ck_assert_int_eq(mem_test_end(), 0);
    game_memory = (struct game_memory){.resize = realloc, .release = free};
}

int run_tests(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *test_case = tcase_create(name);
    SRunner *runner;
    int failed;

    for (size_t i = 0; i < count; i++)
        tcase_add_test(test_case, tests[i]);
    tcase_set_timeout(test_case, 60);
    suite_add_tcase(suite, test_case);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
