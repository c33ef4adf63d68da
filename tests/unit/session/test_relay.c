/*
 * Who owns a session, asked by way of a third host: owners are named, forwarders are not, and
 * whoever is silent or unknown stands for nobody.
 */
#include <string.h>

#include "session/relay.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

/* What a answers c. */
static const char *ask(const char *question)
{
    return cluster_call_host(&cluster, 2, 0, parse(question));
}

/* A session that moved from a to b. */
static void begin(void)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster_start(&cluster, 0, "t", "code");
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    ck_assert_ptr_nonnull(cluster_find(&cluster, 1, "t"));
}

/* An owner is named, by its own host or by way of another; a forwarder is none. */
START_TEST(owners_are_named)
{
    begin();
    ck_assert_str_eq(ask("{owner,<<\"t\">>}"), "reply nil");
    ck_assert_ptr_nonnull(strstr(ask("{owner,<<\"t\">>,b@world}"), "reply <b."));
    ck_assert_ptr_nonnull(
        strstr(cluster_call_host(&cluster, 2, 1, parse("{owner,<<\"t\">>}")), "reply <b."));
    ck_assert_str_eq(ask("{owner,<<\"u\">>,b@world}"), "reply nil");
}
END_TEST

/* Whom it does not know it does not ask, and nonsense is no question. */
START_TEST(others_are_not_asked)
{
    begin();
    ck_assert_str_eq(ask("{owner,<<\"t\">>,a@world}"), "reply nil");
    ck_assert_str_eq(ask("{owner,<<\"t\">>,c@world}"), "reply nil");
    ck_assert_str_eq(ask("{owner,t}"), "reply {error,unknown_request}");
    ck_assert_str_eq(ask("{owner,<<\"t\">>,1}"), "reply {error,unknown_request}");
    ck_assert_str_eq(ask("{owner,<<\"t\">>,b@world,1}"), "reply {error,unknown_request}");
}
END_TEST

/* A host that does not answer, or answers no pid, knows none: in less time than the asker has. */
START_TEST(silence_is_no_owner)
{
    static struct fake_host fake;

    cluster_host(&cluster, 0);
    fake_host_start(&fake, &cluster, 1);
    fake_host_hello(&fake, 0);
    if (_i == 0)
        fake_host_answer(&fake, parse("{error,unknown_request}"));
    (void)cluster_call_host(&cluster, 2, 0, parse("{owner,<<\"t\">>,b@world}"));
    ck_assert_ptr_nonnull(strstr(fake.asked, "{owner,<<t>>}"));
    if (_i == 1) {
        cluster_pass(&cluster, RELAY_MS - 10);
        ck_assert_str_eq(cluster_last(&cluster, 2), "");
        cluster_pass(&cluster, 10);
    }
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply nil");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("relay", &tests);

    tcase_add_test(tests, owners_are_named);
    tcase_add_test(tests, others_are_not_asked);
    tcase_add_loop_test(tests, silence_is_no_owner, 0, 2);
    return run_suite(suite);
}
