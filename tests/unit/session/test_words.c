/*
 * Small terms: what is written is what a BEAM writes, what is read must be exactly so.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "session/hosts.h"
#include "session/words.h"
#include "unit/session/main.h"

/* Each word has the shape of PROTOCOL.md. */
START_TEST(shapes)
{
    struct cn_pid pid = {.id = 7, .serial = 0, .creation = 1, .node = "b@world"};
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    words_error(&writer, "full");
    ck_assert_str_eq(show(cn_writer_term(&writer)), "{error,full}");
    cn_writer_reset(&writer);
    words_already_started(&writer, &pid);
    ck_assert_str_eq(show(cn_writer_term(&writer)), "{error,{already_started,<b.7.0>}}");
    cn_writer_reset(&writer);
    words_pid(&writer, "accept", &pid);
    ck_assert_str_eq(show(cn_writer_term(&writer)), "{accept,<b.7.0>}");
    cn_writer_reset(&writer);
    words_refuse(&writer, "full");
    ck_assert_str_eq(show(cn_writer_term(&writer)), "{refuse,full}");
    cn_writer_reset(&writer);
    words_name(&writer, "R", view("k"));
    ck_assert_str_eq(show(cn_writer_term(&writer)), "{R,<<k>>}");
    cn_writer_reset(&writer);
    words_code(&writer, (struct cn_bytes){0});
    ck_assert_str_eq(show(cn_writer_term(&writer)), "nil");
    cn_writer_free(&writer);
}
END_TEST

/* A writer without memory, or beyond its limit, still gives an answer. */
START_TEST(no_memory_is_an_answer)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    mem_test_begin();
    mem_test_fail(1);
    words_error(&writer, "full");
    (void)mem_test_end();
    ck_assert_int_eq(cn_writer_error(&writer), -ENOMEM);
    ck_assert_str_eq(show(words_answer(&writer)), "{error,no_memory}");
    ck_assert(words_is_error(words_answer(&writer), "no_memory"));
    cn_writer_free(&writer);
    cn_writer_init(&writer, 1);
    words_error(&writer, "full");
    ck_assert_int_eq(cn_writer_error(&writer), -E2BIG);
    ck_assert_str_eq(show(words_answer(&writer)), "{error,system_limit}");
    cn_writer_free(&writer);
}
END_TEST

static bool is_code(const char *text)
{
    struct cn_bytes code;

    return words_read_code(parse(text), &code);
}

/* A join code is nil or a binary of 1 to 64 bytes. */
START_TEST(join_codes)
{
    ck_assert(is_code("nil"));
    ck_assert(is_code("<<\"a\">>"));
    ck_assert(is_code("<<\"0123456789012345678901234567890123456789012345678901234567890123\">>"));
    ck_assert(
        !is_code("<<\"01234567890123456789012345678901234567890123456789012345678901234\">>"));
    ck_assert(!is_code("<<\"\">>"));
    ck_assert(!is_code("code"));
    ck_assert(!is_code("7"));
}
END_TEST

/* Values of a map are read by type; what is missing or of another type is not read. */
START_TEST(map_values)
{
    struct cn_term toy = cluster_toy("t");
    struct cn_bytes bytes;
    struct cn_pid pid;
    uint64_t number;
    bool truth;

    ck_assert(words_get_binary(toy, "id", &bytes) && bytes.size == 1);
    ck_assert(words_get_unsigned(toy, "deadline", &number) && number == 0);
    ck_assert(!words_get_binary(toy, "deadline", &bytes));
    ck_assert(!words_get_unsigned(toy, "id", &number));
    ck_assert(!words_get_unsigned(toy, "missing", &number));
    ck_assert(!words_get_bool(toy, "id", &truth));
    ck_assert(!words_get_pid(toy, "id", &pid));
}
END_TEST

/* Pairs and their like are read only when they are exactly that. */
START_TEST(pairs)
{
    struct cn_term second;
    struct cn_pid pid;

    ck_assert(words_read_pair(parse("{error,x}"), "error", &second));
    ck_assert(!words_read_pair(parse("{error,x,y}"), "error", &second));
    ck_assert(!words_read_pair(parse("error"), "error", &second));
    ck_assert(!words_read_pid(parse("{accept,x}"), "accept", &pid));
    ck_assert(words_same(view("ab"), view("ab")));
    ck_assert(!words_same(view("ab"), view("ac")));
    ck_assert_str_eq(words_to_host("n").name, HOSTS_NAME);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("words", &tests);

    tcase_add_test(tests, shapes);
    tcase_add_test(tests, no_memory_is_an_answer);
    tcase_add_test(tests, join_codes);
    tcase_add_test(tests, map_values);
    tcase_add_test(tests, pairs);
    return run_suite(suite);
}
