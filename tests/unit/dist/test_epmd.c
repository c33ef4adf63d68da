/*
 * EPMD's protocol: requests byte by byte, replies in every cut and mutated. The bytes follow the
 * protocol's description; the tests of net/ talk with a real EPMD.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dist/epmd.h"

static void assert_bytes(const struct bytes *bytes, const char *hex)
{
    struct cn_bytes expected = from_hex(hex);

    ck_assert_uint_eq(bytes_size(bytes), expected.size);
    ck_assert_mem_eq(bytes_data(bytes), expected.data, expected.size);
}

/* A registration names port, kind of node, protocol, versions and name. */
START_TEST(register_request_bytes)
{
    struct bytes out;

    bytes_init(&out, 0);
    ck_assert_int_eq(epmd_write_register(&out, "abc", 0x1234, false), 0);
    assert_bytes(&out, "0010"
                       "78"
                       "1234"
                       "4d00"
                       "00060005"
                       "0003616263"
                       "0000");
    bytes_clear(&out);
    ck_assert_int_eq(epmd_write_register(&out, "abc", 0x1234, true), 0);
    ck_assert_uint_eq(bytes_data(&out)[5], 72);
    bytes_deinit(&out);
}
END_TEST

/* A lookup names the node. */
START_TEST(lookup_request_bytes)
{
    struct bytes out;

    bytes_init(&out, 0);
    ck_assert_int_eq(epmd_write_lookup(&out, "abc"), 0);
    assert_bytes(&out, "0004"
                       "7a616263");
    bytes_deinit(&out);
}
END_TEST

/* The new reply gives a creation of 32 bits, the old one of 16. */
START_TEST(register_replies)
{
    uint32_t creation = 0;
    struct cn_bytes reply = from_hex("7600deadbeef");

    ck_assert_int_eq(epmd_read_register_reply(reply.data, reply.size, &creation), 0);
    ck_assert_uint_eq(creation, 0xdeadbeef);
    reply = from_hex("79000003");
    ck_assert_int_eq(epmd_read_register_reply(reply.data, reply.size, &creation), 0);
    ck_assert_uint_eq(creation, 3);
}
END_TEST

/* A name that is taken, and bytes that are no reply, are told apart. */
START_TEST(register_refusals)
{
    uint32_t creation = 77;
    struct cn_bytes reply = from_hex("7601deadbeef");

    ck_assert_int_eq(epmd_read_register_reply(reply.data, reply.size, &creation), CN_E_TAKEN);
    ck_assert_int_eq(epmd_read_register_reply(reply.data, 2, &creation), CN_E_TAKEN);
    reply = from_hex("79010000");
    ck_assert_int_eq(epmd_read_register_reply(reply.data, reply.size, &creation), CN_E_TAKEN);
    reply = from_hex("48545450");
    ck_assert_int_eq(epmd_read_register_reply(reply.data, reply.size, &creation), CN_E_INVALID);
    ck_assert_uint_eq(creation, 77);
}
END_TEST

#define LOOKUP_REPLY \
    "7700"           \
    "1f90"           \
    "4d00"           \
    "00060005"       \
    "0003616263"     \
    "0000"

/* A lookup's reply gives port, kind and versions. */
START_TEST(lookup_reply)
{
    struct cn_bytes reply = from_hex(LOOKUP_REPLY);
    struct epmd_node node;

    ck_assert_int_eq(epmd_read_lookup_reply(reply.data, reply.size, "abc", &node), 0);
    ck_assert_uint_eq(node.port, 8080);
    ck_assert(!node.hidden);
    ck_assert_uint_eq(node.version_high, 6);
    ck_assert_uint_eq(node.version_low, 5);
}
END_TEST

/* No such node, another node's name, another version, another protocol, port 0. */
START_TEST(lookup_refusals)
{
    struct epmd_node node;
    static const struct {
        const char *hex;
        int rc;
    } cases[] = {
        {"7701", CN_E_UNKNOWN},
        {"76", CN_E_INVALID},
        {"77001f904d00000600050003616264", CN_E_INVALID},
        {"77001f904d00000600050004616263", CN_E_INVALID},
        {"77001f904d00000500050003616263", CN_E_UNSUPPORTED},
        {"77001f904d00000800070003616263", CN_E_UNSUPPORTED},
        {"77001f904d01000600050003616263", CN_E_UNSUPPORTED},
        {"770000004d00000600050003616263", CN_E_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cn_bytes reply = from_hex(cases[i].hex);

        ck_assert_int_eq(epmd_read_lookup_reply(reply.data, reply.size, "abc", &node), cases[i].rc);
    }
}
END_TEST

/* A reply cut anywhere asks for more and touches nothing beyond its end. */
START_TEST(replies_cut_at_each_byte)
{
    struct cn_bytes registered = from_hex("7600deadbeef");
    struct cn_bytes found = from_hex(LOOKUP_REPLY);
    struct epmd_node node;
    uint32_t creation;

    for (size_t size = 0; size < registered.size; size++) {
        uint8_t *cut = exact(registered.data, size);

        ck_assert_int_eq(epmd_read_register_reply(cut, size, &creation), CN_E_MORE);
        free(cut);
    }
    for (size_t size = 0; size < 15; size++) {
        uint8_t *cut = exact(found.data, size);

        ck_assert_int_eq(epmd_read_lookup_reply(cut, size, "abc", &node), CN_E_MORE);
        free(cut);
    }
}
END_TEST

/* Mutated replies give one of the listed answers. */
START_TEST(mutated_replies)
{
    struct cn_bytes found = from_hex(LOOKUP_REPLY);
    struct epmd_node node;
    uint32_t creation;

    seed_random(4);
    for (int i = 0; i < 20000; i++) {
        size_t size = random_below((uint32_t)found.size + 1);
        uint8_t *reply = exact(found.data, size);
        int rc;

        if (size > 0)
            mutate(reply, size);
        rc = epmd_read_lookup_reply(reply, size, "abc", &node);
        ck_assert(rc == 0 || rc == CN_E_MORE || rc == CN_E_UNKNOWN || rc == CN_E_INVALID ||
                  rc == CN_E_UNSUPPORTED);
        rc = epmd_read_register_reply(reply, size, &creation);
        ck_assert(rc == 0 || rc == CN_E_MORE || rc == CN_E_TAKEN || rc == CN_E_INVALID);
        free(reply);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("epmd");
    TCase *tcase = tcase_create("epmd");

    tcase_add_test(tcase, register_request_bytes);
    tcase_add_test(tcase, lookup_request_bytes);
    tcase_add_test(tcase, register_replies);
    tcase_add_test(tcase, register_refusals);
    tcase_add_test(tcase, lookup_reply);
    tcase_add_test(tcase, lookup_refusals);
    tcase_add_test(tcase, replies_cut_at_each_byte);
    tcase_add_test(tcase, mutated_replies);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
