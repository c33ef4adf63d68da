/*
 * Offers: what must be in one, and why one is refused. They are written key by key, so that each
 * can be left out.
 */
#include <string.h>

#include "base/alloc.h"
#include "session/handoff_in.h"
#include "session/offer.h"
#include "session/table.h"
#include "unit/session/main.h"

static struct cn_writer writer;

static void put(const char *key, int64_t value)
{
    cn_write_atom(&writer, key);
    cn_write_integer(&writer, value);
}

/* What is said of "t", without @left_out; one key more stands for it. */
static void put_keys(const char *left_out, const char *code)
{
    struct cn_ref transfer;

    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    cn_write_atom(&writer, strcmp(left_out, "transfer") == 0 ? "other" : "transfer");
    cn_write_ref(&writer, &transfer);
    cn_write_atom(&writer, strcmp(left_out, "id") == 0 ? "other" : "id");
    cn_write_string(&writer, "t");
    cn_write_atom(&writer, strcmp(left_out, "join_code") == 0 ? "other" : "join_code");
    if (code == NULL)
        cn_write_atom(&writer, "nil");
    else
        cn_write_string(&writer, code);
    cn_write_atom(&writer, strcmp(left_out, "source") == 0 ? "other" : "source");
    cn_write_pid(&writer, gen_server_pid(cluster.nodes[2].client));
    put(strcmp(left_out, "epoch") == 0 ? "other" : "epoch", 3);
    put(strcmp(left_out, "version") == 0 ? "other" : "version", 4);
    put(strcmp(left_out, "state_version") == 0 ? "other" : "state_version", 2);
    put(strcmp(left_out, "bytes") == 0 ? "other" : "bytes", 100);
    ck_assert_int_eq(cn_writer_error(&writer), 0);
}

static struct cn_term offer_without(const char *left_out)
{
    cn_writer_reset(&writer);
    cn_write_map(&writer, 8);
    put_keys(left_out, NULL);
    return cn_writer_term(&writer);
}

/* {offer, Map}, as a host is sent it. */
static struct cn_term request(const char *code)
{
    cn_writer_reset(&writer);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "offer");
    cn_write_map(&writer, 9);
    put("protocol", HOSTS_PROTOCOL);
    put_keys("", code);
    return cn_writer_term(&writer);
}

/* All of an offer is read; who subscribes need not be said. */
START_TEST(is_read)
{
    struct offer offer;

    ck_assert(offer_read(offer_without(""), &offer));
    ck_assert_uint_eq(offer.epoch, 3);
    ck_assert_uint_eq(offer.version, 4);
    ck_assert_uint_eq(offer.bytes, 100);
    ck_assert_uint_eq(offer.code.size, 0);
    ck_assert_uint_eq(offer.subscribers.size, 0);
}
END_TEST

/* Without any of its parts it is none. */
START_TEST(must_be_whole)
{
    static const char *const keys[] = {"transfer", "id",      "join_code",     "source",
                                       "epoch",    "version", "state_version", "bytes"};
    struct offer offer;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        ck_assert(!offer_read(offer_without(keys[i]), &offer));
    ck_assert(!offer_read(parse("nonsense"), &offer));
}
END_TEST

/* What is here already, in a version that nobody reads, or too large, is refused by its reason. */
START_TEST(is_refused)
{
    struct hosts *hosts = cluster_host(&cluster, 0);
    struct offer offer;

    ck_assert(offer_read(offer_without(""), &offer));
    ck_assert_ptr_null(offer_refusal(hosts, &offer));
    offer.bytes = UINT64_MAX;
    ck_assert_str_eq(offer_refusal(hosts, &offer), "full");
    offer.state_version = 99;
    ck_assert_str_eq(offer_refusal(hosts, &offer), "unsupported_state_version");
    ck_assert(offer_read(offer_without(""), &offer));
    cluster_start(&cluster, 0, "t", NULL);
    ck_assert_str_eq(offer_refusal(hosts, &offer), "already_owner");
}
END_TEST

/* A session that cannot come back for want of memory leaves its forwarder where it is found. */
START_TEST(no_memory_leaves_the_forwarder)
{
    struct session_table *table;
    struct session *former;
    struct cn_writer answer;
    bool failed = true;
    size_t i = 0;

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    table = &cluster.nodes[1].hosts->table;
    former = cluster_start(&cluster, 1, "t", "code");
    cluster_call_host(&cluster, 2, 1, parse("{move,<<\"t\">>,a@world}"));
    ck_assert_int_eq(session_state(former), SESSION_FORWARDING);
    while (failed) {
        struct cn_term offered = request("code");

        cn_writer_init(&answer, 0);
        mem_test_begin();
        mem_test_fail(++i);
        ck_assert(handoff_in_offer(cluster.nodes[1].hosts, offered, &answer));
        failed = mem_test_failed();
        mem_test_end();
        if (failed && cn_writer_error(&answer) == 0 &&
            strcmp(show(cn_writer_term(&answer)), "{refuse,no_memory}") == 0) {
            ck_assert_ptr_eq(session_table_by_id(table, view("t")), former);
            cluster_settle(&cluster);
            ck_assert_ptr_eq(session_table_by_id(table, view("t")), former);
            ck_assert_ptr_eq(session_table_by_code(table, view("code")), former);
            ck_assert_uint_eq(table->displaced_count, 0);
            ck_assert_uint_eq(session_table_owned(table), 0);
        } else {
            failed = false;
        }
        cn_writer_free(&answer);
    }
    ck_assert_uint_gt(i, 5);
    ck_assert_ptr_ne(session_table_by_id(table, view("t")), former);
    ck_assert_uint_eq(table->displaced_count, 1);
    ck_assert_uint_eq(session_table_owned(table), 1);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("offer", &tests);
    int result;

    cn_writer_init(&writer, 0);
    tcase_add_test(tests, is_read);
    tcase_add_test(tests, must_be_whole);
    tcase_add_test(tests, is_refused);
    tcase_add_test(tests, no_memory_leaves_the_forwarder);
    result = run_suite(suite);
    cn_writer_free(&writer);
    return result;
}
