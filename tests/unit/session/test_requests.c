/*
 * The calls that a host process answers: the table of PROTOCOL.md.
 */
#include <string.h>

#include "session/host.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static const char *ask(const char *request)
{
    return cluster_call_host(&cluster, 2, 0, parse(request));
}

/* info tells what a hello tells. */
START_TEST(info)
{
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", NULL);
    ck_assert_ptr_nonnull(strstr(ask("info"), "reply #{node=>a@world,pid=><a."));
    ck_assert_ptr_nonnull(strstr(ask("info"), "incarnation=>100,protocol=>1,app_version=><<1.2.3>>,"
                                              "state_versions=>[1,2],draining=>false,sessions=>1,"
                                              "capacity=>100}"));
}
END_TEST

/* hosts lists this one first, then the others as they told it. */
START_TEST(hosts)
{
    static struct fake_host fake;

    cluster_host(&cluster, 0);
    fake_host_start(&fake, &cluster, 1);
    fake_host_hello(&fake, 0);
    ck_assert_ptr_nonnull(strstr(ask("hosts"), "reply [#{node=>a@world,"));
    ck_assert_ptr_nonnull(strstr(ask("hosts"), "},#{node=>b@world,"));
    ck_assert_ptr_nonnull(strstr(ask("hosts"), "unknown_key=>1}]"));
}
END_TEST

/* sessions lists those owned here, unless they are too many. */
START_TEST(sessions)
{
    cluster_host(&cluster, 0);
    ck_assert_str_eq(ask("sessions"), "reply []");
    cluster_start(&cluster, 0, "t", "code");
    cluster_start(&cluster, 0, "u", NULL);
    ck_assert_ptr_nonnull(
        strstr(ask("sessions"), "reply [#{id=><<t>>,join_code=><<code>>,pid=><a."));
    ck_assert_ptr_nonnull(
        strstr(ask("sessions"), "epoch=>1,version=>1},#{id=><<u>>,join_code=>nil"));
    cluster.nodes[0].hosts->config.listed_max = 1;
    ck_assert_str_eq(ask("sessions"), "reply {error,system_limit}");
}
END_TEST

/* whereis finds by id and by join code. */
START_TEST(whereis)
{
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_nonnull(strstr(ask("{whereis,{id,<<\"t\">>}}"), "reply <a."));
    ck_assert_ptr_nonnull(strstr(ask("{whereis,{join_code,<<\"code\">>}}"), "reply <a."));
    ck_assert_str_eq(ask("{whereis,{id,<<\"code\">>}}"), "reply nil");
    ck_assert_str_eq(ask("{whereis,{id,7}}"), "reply nil");
    ck_assert_str_eq(ask("{whereis,{name,<<\"t\">>}}"), "reply {error,unknown_request}");
}
END_TEST

static const char *start(const char *code, struct cn_term game)
{
    struct cn_term code_term = parse(code);

    return cluster_call_host(&cluster, 2, 0,
                             parse_with("{start_session,%t,%t}", &code_term, &game));
}

/* start_session starts here, whatever placement says, and answers every refusal. */
START_TEST(start_session)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    ck_assert_ptr_nonnull(strstr(start("<<\"c\">>", cluster_toy("t")), "reply {ok,<a."));
    ck_assert_ptr_nonnull(
        strstr(start("nil", cluster_toy("t")), "reply {error,{already_started,<a."));
    ck_assert_str_eq(start("<<\"c\">>", cluster_toy("u")), "reply {error,join_code_taken}");
    ck_assert_str_eq(start("<<\"\">>", cluster_toy("u")), "reply {error,invalid_join_code}");
    ck_assert_str_eq(start("nil", parse("what")), "reply {error,invalid_toy}");
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    ck_assert_str_eq(start("nil", cluster_toy("u")), "reply {error,draining}");
    cluster.names.hold = false;
}
END_TEST

/* What is not in the table is refused; a message that is none is logged. */
START_TEST(unknown)
{
    cluster_host(&cluster, 0);
    ck_assert_str_eq(ask("what"), "reply {error,unknown_request}");
    ck_assert_str_eq(ask("{start_session,1}"), "reply {error,unknown_request}");
    cluster_send(&cluster, 2, host_pid(cluster.nodes[0].hosts), parse("what"));
    cluster_send(&cluster, 2, host_pid(cluster.nodes[0].hosts), parse("{$gen_cast,what}"));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "unknown message dropped"));
    ck_assert(cluster_logged(&cluster, 0, "unknown cast dropped"));
}
END_TEST

/* A cordoned host says so at once, takes nothing in and keeps what it has; uncordoned it takes. */
START_TEST(cordon)
{
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", NULL);
    cluster_host(&cluster, 1);
    ck_assert_str_eq(ask("cordon"), "reply ok");
    ck_assert_ptr_nonnull(strstr(ask("info"), "draining=>true"));
    ck_assert_ptr_nonnull(
        strstr(cluster_call_host(&cluster, 2, 1, parse("hosts")), "draining=>true"));
    ck_assert_ptr_null(cluster_start(&cluster, 0, "u", NULL));
    ck_assert_str_eq(cluster.started, "{error,draining}");
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    ck_assert_str_eq(ask("uncordon"), "reply ok");
    ck_assert_ptr_null(strstr(cluster_call_host(&cluster, 2, 1, parse("hosts")), "=>true"));
    ck_assert_ptr_nonnull(cluster_start(&cluster, 0, "u", NULL));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_str_eq(ask("uncordon"), "reply {error,draining}");
    ck_assert_str_eq(ask("{cordon,t}"), "reply {error,unknown_request}");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("requests", &tests);

    tcase_add_test(tests, cordon);
    tcase_add_test(tests, info);
    tcase_add_test(tests, hosts);
    tcase_add_test(tests, sessions);
    tcase_add_test(tests, whereis);
    tcase_add_test(tests, start_session);
    tcase_add_test(tests, unknown);
    return run_suite(suite);
}
