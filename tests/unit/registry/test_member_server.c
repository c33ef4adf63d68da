/*
 * What global_name_server is asked by others, and answers at once. Node b is a scripted peer.
 */
#include <string.h>

#include "unit/registry/members.h"

static void setup(void)
{
    members_setup();
    script(1);
    join(0, 1);
}

/* Locks are asked for by anybody, under any term, and one requester excludes another. */
START_TEST(locks_are_granted_once)
{
    ask_server(1, 0, parse("{set_lock,{res,me}}"));
    ck_assert_str_eq(heard(1), "reply true");
    ask_server(1, 0, parse("{set_lock,{res,you}}"));
    ck_assert_str_eq(heard(1), "reply false");
    ask_server(1, 0, parse("{set_lock,{{other,[1]},you}}"));
    ck_assert_str_eq(heard(1), "reply true");
    ask_server(1, 0, parse("{del_lock,{res,you}}"));
    ask_server(1, 0, parse("{set_lock,{res,you}}"));
    ck_assert_str_eq(heard(1), "reply false");
    ask_server(1, 0, parse("{del_lock,{res,me}}"));
    ck_assert_str_eq(heard(1), "reply true");
    ask_server(1, 0, parse("{set_lock,{res,you}}"));
    ck_assert_str_eq(heard(1), "reply true");
    ck_assert_uint_eq(member_locks(ones[0].member), 2);
}
END_TEST

/* Names come and go by call; a later registration overwrites. */
START_TEST(names_are_registered_by_call)
{
    const struct cn_pid *x = &ones[1].pids[0];
    const struct cn_pid *y = &ones[1].pids[1];

    ask_server(1, 0, parse_with("{register,n,%p,m}", x));
    ck_assert_str_eq(heard(1), "reply yes");
    ck_assert_str_eq(holder(0, "n"), show(pid_term(x)));
    ask_server(1, 0, parse_with("{register_ext,n,%p,m,b@world}", y));
    ck_assert_str_eq(heard(1), "reply yes");
    ck_assert_str_eq(holder(0, "n"), show(pid_term(y)));
    ask_server(1, 0, parse("get_names_ext"));
    ck_assert_ptr_nonnull(strstr(heard(1), "b@world}]"));
    ask_server(1, 0, parse("{unregister,n}"));
    ck_assert_str_eq(heard(1), "reply ok");
    ck_assert_str_eq(holder(0, "n"), "");
    ask_server(1, 0, parse("get_names_ext"));
    ck_assert_str_eq(heard(1), "reply []");
}
END_TEST

/* Under somebody's lock only its holder changes names; a change of anybody else takes the name. */
START_TEST(names_change_under_the_lock)
{
    struct cn_pid pid = ones[0].pids[0];

    ask_server(1, 0, parse_with("{register,n,%p,m}", &ones[1].pids[0]));
    ck_assert_int_eq(locks_set(ones[0].member, parse("{global,me}"), &pid), 0);
    ask_server(1, 0, parse_with("{register,n,%p,m}", &ones[1].pids[1]));
    ck_assert_str_eq(heard(1), "reply yes");
    ck_assert_str_eq(holder(0, "n"), "");
}
END_TEST

/* Lists and facts. */
START_TEST(questions_are_answered)
{
    static const struct {
        const char *request;
        const char *answer;
    } table[] = {
        {"get_known", "reply []"},
        {"get_synced", "reply []"},
        {"get_protocol_version", "reply 8"},
        {"info", "reply {state,[],[]}"},
        {"{registrar,x}", "reply {error,unsupported}"},
        {"17", "reply {error,unsupported}"},
        {"{set_lock,x}", "reply false"},
        {"{register,n}", "reply yes"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        ask_server(1, 0, parse(table[i].request));
        ck_assert_str_eq(heard(1), table[i].answer);
    }
    ck_assert_uint_eq(member_names(ones[0].member), 0);
}
END_TEST

/* What makes no sense is dropped, and breaks nothing. */
START_TEST(nonsense_is_dropped)
{
    static const char *const messages[] = {
        "x",
        "{}",
        "{init_connect,8,b@world,x}",
        "{init_connect,{8,1},b@world,{locker,a,b,c}}",
        "{in_sync,b,true}",
        "{lock_set,x,true,[],1}",
        "{exchange,b@world,[],[],1}",
        "{resolved,b@world,[],[],u,[],1}",
        "{new_nodes,b@world,x,x,x,x}",
        "{new_nodes,b@world,[{insert,n}],[],[b],[{lock}]}",
        "{lost_connection,1,2,3,4}",
        "{remove_connection,b@world}",
        "{cancel_connect,b@world,1}",
        "{init_connect_ack,b@world,1,2}",
        "{whereis,n,x}",
        "{nodeup,x}",
    };

    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        cast(1, 0, parse(messages[i]));
        say(1, 0, parse(messages[i]));
    }
    ask_server(1, 0, parse("get_protocol_version"));
    ck_assert_str_eq(heard(1), "reply 8");
    ck_assert_uint_eq(member_names(ones[0].member), 0);
    ck_assert_uint_eq(known_count(ones[0].member), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, locks_are_granted_once);
    tcase_add_test(tcase, names_are_registered_by_call);
    tcase_add_test(tcase, names_change_under_the_lock);
    tcase_add_test(tcase, questions_are_answered);
    tcase_add_test(tcase, nonsense_is_dropped);
}

int main(void)
{
    return run_tests("member_server", add, setup, members_teardown);
}
