/*
 * Offers: what must be in one, and why one is refused. They are written key by key, so that each
 * can be left out.
 */
#include <string.h>

#include "session/offer.h"
#include "unit/session/main.h"

static struct cn_writer writer;

static void put(const char *key, int64_t value)
{
    cn_write_atom(&writer, key);
    cn_write_integer(&writer, value);
}

/* An offer of "t" without @left_out; one key more stands for it. */
static struct cn_term offer_without(const char *left_out)
{
    struct cn_ref transfer;

    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    cn_writer_reset(&writer);
    cn_write_map(&writer, 8);
    cn_write_atom(&writer, strcmp(left_out, "transfer") == 0 ? "other" : "transfer");
    cn_write_ref(&writer, &transfer);
    cn_write_atom(&writer, strcmp(left_out, "id") == 0 ? "other" : "id");
    cn_write_string(&writer, "t");
    cn_write_atom(&writer, strcmp(left_out, "join_code") == 0 ? "other" : "join_code");
    cn_write_atom(&writer, "nil");
    cn_write_atom(&writer, strcmp(left_out, "source") == 0 ? "other" : "source");
    cn_write_pid(&writer, gen_server_pid(cluster.nodes[2].client));
    put(strcmp(left_out, "epoch") == 0 ? "other" : "epoch", 3);
    put(strcmp(left_out, "version") == 0 ? "other" : "version", 4);
    put(strcmp(left_out, "state_version") == 0 ? "other" : "state_version", 2);
    put(strcmp(left_out, "bytes") == 0 ? "other" : "bytes", 100);
    ck_assert_int_eq(cn_writer_error(&writer), 0);
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

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("offer", &tests);
    int result;

    cn_writer_init(&writer, 0);
    tcase_add_test(tests, is_read);
    tcase_add_test(tests, must_be_whole);
    tcase_add_test(tests, is_refused);
    result = run_suite(suite);
    cn_writer_free(&writer);
    return result;
}
