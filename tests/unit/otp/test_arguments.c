/*
 * What functions read from their arguments: the right types, and nothing else.
 */
#include "otp/internal.h"
#include "unit/otp/asker.h"

static bool count(void *context, struct cn_term element)
{
    (*(int *)context)++;
    return !cn_term_is_atom(element, "stop");
}

static int visited(const char *text, bool expected)
{
    int found = 0;

    ck_assert(argument_each(parse(text), count, &found) == expected);
    return found;
}

/* A list is its elements, anything else is itself; what is improper or unwanted ends the visit. */
START_TEST(elements_are_visited)
{
    ck_assert_int_eq(visited("[a,b,c]", true), 3);
    ck_assert_int_eq(visited("[]", true), 0);
    ck_assert_int_eq(visited("a", true), 1);
    ck_assert_int_eq(visited("[a,stop,c]", false), 2);
    ck_assert_int_eq(visited("[a|b]", false), 1);
}
END_TEST

/* Only what it says is read. */
START_TEST(types_are_told_apart)
{
    struct cn_pid pid = *process_pid(asker_process);
    struct cn_bytes text;

    ck_assert(argument_pid(parse_with("%p", &pid), &pid));
    ck_assert(!argument_pid(parse("a"), &pid));
    ck_assert(argument_atom(parse("a"), &text) && cn_bytes_equal(text, "a"));
    ck_assert(!argument_atom(parse("1"), &text));
}
END_TEST

/* A text is a list of characters. */
START_TEST(texts_are_lists)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    write_text(&writer, "ab");
    ck_assert_str_eq(show(cn_writer_term(&writer)), "[97,98]");
    cn_writer_reset(&writer);
    write_text(&writer, "");
    ck_assert_str_eq(show(cn_writer_term(&writer)), "[]");
    cn_writer_free(&writer);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, elements_are_visited);
    tcase_add_test(tcase, types_are_told_apart);
    tcase_add_test(tcase, texts_are_lists);
}

int main(void)
{
    return run_tests("arguments", add, asker_setup, asker_teardown);
}
