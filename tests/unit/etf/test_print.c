/*
 * Terms as text: what iex would show, bounded in every direction.
 *
 * The samples are shown one by one; then a term of all of them in buffers of every size.
 */
#include "etf/print.h"

#include <string.h>

#include "base/error.h"
#include "etf/writer.h"

#include "support.h"

static const char *show(const char *hex)
{
    static char line[300];

    ck_assert_int_eq(etf_print(term_from_hex(hex), line, sizeof(line)), 0);
    return line;
}

/* Every kind of term has its form. */
START_TEST(forms_are_elixirs)
{
    static const char *const shown[] = {
        "255",
        "-1",
        "1.5",
        ":ok",
        ":\"\"",
        ":\"\xe2\x82\xac\"",
        ":ok",
        ":ok",
        "{1, []}",
        "{}",
        "{1, {}, 255}",
        "[]",
        "[1, 2, 3]",
        "[300, :a]",
        "[1 | :a]",
        "[1, 2]",
        "\"abc\"",
        "\"\"",
        "<<255, 5::size(3)>>",
        "9223372036854775807",
        "-9223372036854775808",
        "-0x10000000000000000",
        "#Integer<300 bytes>",
        "%{a: 1, b: 255}",
        "%{}",
        "%{%{1 => 2} => []}",
        "#PID<a@b.10.11>",
        "#Port<a@b.10>",
        "#Port<a@b.4294967297>",
        "#Reference<a@b.4.3.2>",
        "#Reference<a@b.6.5.4.3.2>",
        "&:lists.map/2",
        "#Function<:m.1/1>",
        "#Function<:m.1/1>",
    };

    ck_assert_uint_eq(sample_count, sizeof(shown) / sizeof(shown[0]));
    for (size_t i = 0; i < sample_count; i++)
        ck_assert_str_eq(show(samples[i].hex), shown[i]);
}
END_TEST

static const char *show_written(struct cn_writer *writer)
{
    static char line[300];

    ck_assert_int_eq(cn_writer_error(writer), 0);
    ck_assert_int_eq(etf_print(cn_writer_term(writer), line, sizeof(line)), 0);
    cn_writer_reset(writer);
    return line;
}

static const char *show_atom(struct cn_writer *writer, const char *text)
{
    cn_write_atom(writer, text);
    return show_written(writer);
}

static const char *show_float(struct cn_writer *writer, double value)
{
    cn_write_float(writer, value);
    return show_written(writer);
}

/* Atoms are quoted where Elixir would, modules lose their prefix, text is escaped. */
START_TEST(atoms_and_texts_are_quoted)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    ck_assert_str_eq(show_atom(&writer, "nil"), "nil");
    ck_assert_str_eq(show_atom(&writer, "alive?"), ":alive?");
    ck_assert_str_eq(show_atom(&writer, "a@b"), ":a@b");
    ck_assert_str_eq(show_atom(&writer, "a b\"c"), ":\"a b\\\"c\"");
    ck_assert_str_eq(show_atom(&writer, "Elixir.Minotaur.Game"), "Minotaur.Game");
    ck_assert_str_eq(show_atom(&writer, "Elixir.minotaur"), ":\"Elixir.minotaur\"");
    ck_assert_str_eq(show_atom(&writer, "Elixir.A."), ":\"Elixir.A.\"");
    ck_assert_str_eq(show_float(&writer, 0.1), "0.1");
    ck_assert_str_eq(show_float(&writer, 100), "100.0");
    ck_assert_str_eq(show_float(&writer, 1e300), "1.0e+300");
    ck_assert_str_eq(show_float(&writer, -2), "-2.0");
    ck_assert_str_eq(show_float(&writer, 0.001953125), "0.001953125");
    ck_assert_str_eq(show_float(&writer, 1234.5), "1234.5");
    ck_assert_str_eq(show_float(&writer, 0), "0.0");
    cn_write_string(&writer, "a\n\"\\\xc3\xa9");
    ck_assert_str_eq(show_written(&writer), "\"a\\n\\\"\\\\\xc3\xa9\"");
    cn_write_string(&writer, "a\x01");
    ck_assert_str_eq(show_written(&writer), "<<97, 1>>");
    cn_writer_free(&writer);
}
END_TEST

/* A struct shows its name instead of the field. */
START_TEST(structs_show_their_name)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_map(&writer, 3);
    cn_write_atom(&writer, "q");
    cn_write_integer(&writer, 1);
    cn_write_atom(&writer, "__struct__");
    cn_write_atom(&writer, "Elixir.Minotaur.Coord");
    cn_write_atom(&writer, "r");
    cn_write_integer(&writer, -1);
    ck_assert_str_eq(show_written(&writer), "%Minotaur.Coord{q: 1, r: -1}");
    cn_write_map(&writer, 2);
    cn_write_atom(&writer, "a b");
    cn_write_integer(&writer, 1);
    cn_write_atom(&writer, "Elixir.A");
    cn_write_integer(&writer, 2);
    ck_assert_str_eq(show_written(&writer), "%{\"a b\": 1, A => 2}");
    cn_writer_free(&writer);
}
END_TEST

/* Every size of buffer is respected; what was cut ends in dots and is valid UTF-8. */
START_TEST(output_is_bounded)
{
    struct cn_writer writer;
    char line[2000];
    size_t whole;

    cn_writer_init(&writer, 0);
    write_all_samples(&writer);
    ck_assert_int_eq(etf_print(cn_writer_term(&writer), line, sizeof(line)), 0);
    whole = strlen(line);
    for (size_t size = 4; size < whole + 4; size++) {
        memset(line, 'x', sizeof(line));
        ck_assert_int_eq(etf_print(cn_writer_term(&writer), line, size), CN_E_TRUNCATED);
        ck_assert_uint_lt(strlen(line), size);
        ck_assert_str_eq(line + strlen(line) - 3, "...");
        ck_assert(utf8_valid(line, strlen(line), NULL));
        ck_assert_int_eq(line[size], 'x');
    }
    cn_writer_free(&writer);
}
END_TEST

/* Deep nesting shows dots, and broken bytes say that they are. */
START_TEST(depth_and_errors_show)
{
    struct cn_writer writer;
    const char *line;

    cn_writer_init(&writer, 0);
    for (int i = 0; i < 100; i++)
        cn_write_tuple(&writer, 1);
    cn_write_nil(&writer);
    line = show_written(&writer);
    ck_assert_ptr_nonnull(strstr(line, "{{...}}"));
    ck_assert_str_eq(show("68026101ff"), "{1, }#Broken<>");
    ck_assert_str_eq(show("ff"), "#Broken<>");
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("print");
    TCase *tcase = tcase_create("print");

    tcase_add_test(tcase, forms_are_elixirs);
    tcase_add_test(tcase, atoms_and_texts_are_quoted);
    tcase_add_test(tcase, structs_show_their_name);
    tcase_add_test(tcase, output_is_bounded);
    tcase_add_test(tcase, depth_and_errors_show);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
