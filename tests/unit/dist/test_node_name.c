/*
 * Node names: which ones we take, and their parts. Names come from strangers and end in log lines,
 * so what is refused matters more than what is taken.
 */
#include "support.h"

#include <string.h>

#include "base/error.h"
#include "dist/node_name.h"

static bool valid(const char *text)
{
    return node_name_valid(text, strlen(text));
}

/* Names of real nodes are valid. */
START_TEST(real_names_are_valid)
{
    ck_assert(valid("a@b"));
    ck_assert(valid("game-1@host"));
    ck_assert(valid("game_1@10.0.0.7"));
    ck_assert(valid("game@fe80::1"));
    ck_assert(valid("nonode@nohost"));
}
END_TEST

/* What is no name@host is refused. */
START_TEST(malformed_names_are_refused)
{
    static const char *const bad[] = {"",      "a",     "@",       "a@",     "@b",   "a@b@c",
                                      "a b@c", "a@b\n", "a@b\x7f", "\x1b@b", "a@\t", "ab@"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!valid(bad[i]), "\"%s\" is taken", bad[i]);
    ck_assert(!node_name_valid("a@b\0c", 5));
    ck_assert(!node_name_valid("a@\xc3\xa4", 4));
}
END_TEST

/* 255 bytes are a name, 256 are not. */
START_TEST(length_is_bounded)
{
    char text[CN_NODE_NAME_MAX + 2];
    struct node_name name;

    memset(text, 'x', sizeof(text));
    text[3] = '@';
    ck_assert(node_name_valid(text, CN_NODE_NAME_MAX));
    ck_assert(!node_name_valid(text, CN_NODE_NAME_MAX + 1));
    text[CN_NODE_NAME_MAX] = '\0';
    ck_assert_int_eq(node_name_parse(text, &name), 0);
    ck_assert_uint_eq(strlen(name.full), CN_NODE_NAME_MAX);
    text[CN_NODE_NAME_MAX] = 'x';
    text[CN_NODE_NAME_MAX + 1] = '\0';
    ck_assert_int_eq(node_name_parse(text, &name), CN_E_INVALID);
}
END_TEST

/* A name falls into the part that EPMD knows and the host; a dot or colon makes it long. */
START_TEST(parts_and_kind)
{
    struct node_name name;

    ck_assert_int_eq(node_name_parse("game@host", &name), 0);
    ck_assert_str_eq(name.full, "game@host");
    ck_assert_str_eq(name.alive, "game");
    ck_assert_str_eq(name.host, "host");
    ck_assert(!name.is_long);
    ck_assert_int_eq(node_name_parse("game@host.example.org", &name), 0);
    ck_assert(name.is_long);
    ck_assert_int_eq(node_name_parse("game@::1", &name), 0);
    ck_assert_str_eq(name.host, "::1");
    ck_assert(name.is_long);
}
END_TEST

/* A name that is refused leaves the output alone. */
START_TEST(refusal_leaves_the_output_alone)
{
    struct node_name name = {.full = "kept"};

    ck_assert_int_eq(node_name_parse("no name", &name), CN_E_INVALID);
    ck_assert_str_eq(name.full, "kept");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node_name");
    TCase *tcase = tcase_create("node_name");

    tcase_add_test(tcase, real_names_are_valid);
    tcase_add_test(tcase, malformed_names_are_refused);
    tcase_add_test(tcase, length_is_bounded);
    tcase_add_test(tcase, parts_and_kind);
    tcase_add_test(tcase, refusal_leaves_the_output_alone);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
