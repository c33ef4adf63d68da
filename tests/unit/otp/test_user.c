/*
 * `user`: whoever writes to it goes on at once, whoever reads is refused.
 */
#include "otp/user.h"
#include "unit/otp/asker.h"

static const char *io(const char *request)
{
    struct cn_term term = parse(request);
    struct dest dest = to_name("user", "a@world");
    struct cn_pid from = *process_pid(asker_process);

    ck_assert_int_eq(procs_send(world_procs(&world, 1), asker_process, &dest,
                                parse_with("{io_request,%p,tag,%t}", &from, &term)),
                     0);
    world_settle(&world);
    return asker.log[asker.count - 1];
}

static void setup(void)
{
    asker_setup();
    ck_assert_int_eq(user_start(world_procs(&world, 0)), 0);
}

/* Output of every form is taken. */
START_TEST(output_is_taken)
{
    ck_assert_str_eq(io("{put_chars,unicode,<<\"hello\">>}"), "{io_reply,tag,ok}");
    ck_assert_str_eq(io("{put_chars,unicode,io_lib,format,[a,b]}"), "{io_reply,tag,ok}");
    ck_assert_str_eq(io("{requests,[{put_chars,unicode,a}]}"), "{io_reply,tag,ok}");
}
END_TEST

/* Everything else is an error, at once. */
START_TEST(input_is_refused)
{
    ck_assert_str_eq(io("{get_line,unicode,prompt}"), "{io_reply,tag,{error,enotsup}}");
    ck_assert_str_eq(io("getopts"), "{io_reply,tag,{error,enotsup}}");
}
END_TEST

/* A killed one is there again. */
START_TEST(killed_it_starts_again)
{
    process_exit_atom(procs_whereis(world_procs(&world, 0), view("user")), "killed");
    world_settle(&world);
    ck_assert_str_eq(io("{put_chars,unicode,a}"), "{io_reply,tag,ok}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, output_is_taken);
    tcase_add_test(tcase, input_is_refused);
    tcase_add_test(tcase, killed_it_starts_again);
}

int main(void)
{
    return run_tests("user", add, setup, asker_teardown);
}
