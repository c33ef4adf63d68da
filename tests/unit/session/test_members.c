/*
 * Membership: hellos, byes, ends, and who is told what and when.
 *
 * The other side is played by a fake host, so that hellos of every kind can be said.
 */
#include <string.h>

#include "session/members.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct fake_host fake;
static struct hosts *hosts;

static void begin(void)
{
    hosts = cluster_host(&cluster, 0);
    fake_host_start(&fake, &cluster, 1);
}

/* Whoever says hello for the first time is monitored and answered, once; known ones only update. */
START_TEST(hello_is_answered_once)
{
    begin();
    fake_host_hello(&fake, 0);
    ck_assert_uint_eq(hosts->members_count, 1);
    ck_assert_int_eq(fake.hellos, 1);
    ck_assert_uint_eq(process_watchers(gen_server_process(fake.server), NULL), 1);
    fake.draining = true;
    fake_host_hello(&fake, 0);
    ck_assert_int_eq(fake.hellos, 1);
    ck_assert_uint_eq(process_watchers(gen_server_process(fake.server), NULL), 1);
    ck_assert(members_find(hosts, cluster_name(&cluster, 1))->draining);
}
END_TEST

/* A node that comes up is greeted; two hosts then know each other. */
START_TEST(node_up_greets)
{
    begin();
    hosts_node_up(hosts, cluster_name(&cluster, 1));
    cluster_settle(&cluster);
    ck_assert_int_eq(fake.hellos, 1);
    ck_assert_ptr_nonnull(strstr(fake.told, "protocol=>1,app_version=><<1.2.3>>"));
    cluster_host(&cluster, 2);
    ck_assert_uint_eq(hosts->members_count, 1);
    ck_assert_uint_eq(cluster.nodes[2].hosts->members_count, 1);
}
END_TEST

/* Bye ends membership at once, if it is of the life that we know. */
START_TEST(bye)
{
    begin();
    fake_host_hello(&fake, 0);
    cluster_send(&cluster, 1, host_pid(hosts), parse("{host_bye,b@world,76}"));
    cluster_settle(&cluster);
    ck_assert_uint_eq(hosts->members_count, 1);
    cluster_send(&cluster, 1, host_pid(hosts), parse("{host_bye,b@world,77}"));
    cluster_settle(&cluster);
    ck_assert_uint_eq(hosts->members_count, 0);
    ck_assert_uint_eq(process_watchers(gen_server_process(fake.server), NULL), 0);
}
END_TEST

/* The end of the host process, or of its node, ends membership. */
START_TEST(down)
{
    begin();
    fake_host_hello(&fake, 0);
    gen_server_stop_atom(fake.server, "normal");
    cluster_settle(&cluster);
    ck_assert_uint_eq(hosts->members_count, 0);
    fake_host_start(&fake, &cluster, 1);
    fake_host_hello(&fake, 0);
    ck_assert_uint_eq(hosts->members_count, 1);
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_uint_eq(hosts->members_count, 0);
}
END_TEST

/* A new process of the same node takes the place of the old one. */
START_TEST(restarted_host)
{
    static struct fake_host second;

    begin();
    fake_host_hello(&fake, 0);
    process_unregister(gen_server_process(fake.server), HOSTS_NAME);
    fake_host_start(&second, &cluster, 1);
    fake_host_hello(&second, 0);
    ck_assert_uint_eq(hosts->members_count, 1);
    ck_assert(cn_pid_equal(&members_find(hosts, "b@world")->pid, fake_host_pid(&second)));
    ck_assert_uint_eq(process_watchers(gen_server_process(fake.server), NULL), 0);
}
END_TEST

/* Another protocol, nonsense, and speaking for another node are ignored and logged. */
START_TEST(bad_hellos)
{
    begin();
    fake.protocol = 2;
    fake_host_hello(&fake, 0);
    ck_assert(cluster_logged(&cluster, 0, "hello of protocol 2 ignored"));
    cluster_send(&cluster, 1, host_pid(hosts), parse("{host_hello,1,what}"));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "hello without sense ignored"));
    fake.protocol = 1;
    fake.says_node = "c@world"; /* its pid is of b@world */
    fake_host_hello(&fake, 0);
    ck_assert_uint_eq(hosts->members_count, 0);
    ck_assert_int_eq(fake.hellos, 0);
}
END_TEST

/* A change of the load is told once for all changes of 100 ms; draining at once. */
START_TEST(changes_are_told)
{
    begin();
    fake_host_hello(&fake, 0);
    ck_assert_int_eq(fake.hellos, 1);
    cluster_start(&cluster, 0, "t", NULL);
    cluster_start(&cluster, 0, "u", NULL);
    ck_assert_int_eq(fake.hellos, 1);
    cluster_pass(&cluster, 100);
    ck_assert_int_eq(fake.hellos, 2);
    ck_assert_ptr_nonnull(strstr(fake.told, "sessions=>2"));
    cluster_pass(&cluster, 1000);
    ck_assert_int_eq(fake.hellos, 2);
    hosts_drain(hosts);
    world_settle(&cluster.world);
    ck_assert_int_eq(fake.hellos, 3);
    ck_assert_ptr_nonnull(strstr(fake.told, "draining=>true"));
}
END_TEST

/* Who takes sessions: not draining, not full, reads the version. */
START_TEST(who_takes_sessions)
{
    const struct member *member;

    begin();
    fake_host_hello(&fake, 0);
    member = members_find(hosts, "b@world");
    ck_assert(member_takes(member, 2));
    ck_assert(!member_takes(member, 3));
    fake.sessions = 100;
    fake_host_hello(&fake, 0);
    ck_assert(!member_takes(member, 2));
    fake.sessions = 0;
    fake.draining = true;
    fake_host_hello(&fake, 0);
    ck_assert(!member_takes(member, 2));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("members", &tests);

    tcase_add_test(tests, hello_is_answered_once);
    tcase_add_test(tests, node_up_greets);
    tcase_add_test(tests, bye);
    tcase_add_test(tests, down);
    tcase_add_test(tests, restarted_host);
    tcase_add_test(tests, bad_hellos);
    tcase_add_test(tests, changes_are_told);
    tcase_add_test(tests, who_takes_sessions);
    return run_suite(suite);
}
