/*
 * The handshake's messages: golden bytes, every cut, mutations. The name message is what an OTP
 * 25.2.3 node sent; the others follow the protocol's description.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dist/handshake_message.h"

#define OTP_NAME      "4e0000000d07df7fbd66000001000d726563403132372e302e302e31"
#define OTP_CHALLENGE "4e0000000d07df7fbd0000303966000001000d726563403132372e302e302e31"

static struct bytes out;

static void setup(void)
{
    bytes_init(&out, 0);
}

static void teardown(void)
{
    bytes_deinit(&out);
}

static void assert_written(const char *hex)
{
    struct cn_bytes expected = from_hex(hex);

    ck_assert_uint_eq(bytes_size(&out), expected.size + 2);
    ck_assert_uint_eq(be16_get(bytes_data(&out)), expected.size);
    ck_assert_mem_eq(bytes_data(&out) + 2, expected.data, expected.size);
    bytes_clear(&out);
}

/* A name is written as a BEAM writes it, and read back. */
START_TEST(name_bytes)
{
    struct handshake_name name;

    ck_assert_int_eq(handshake_write_name(&out, UINT64_C(0xd07df7fbd), 0x66000001, "rec@127.0.0.1"),
                     0);
    assert_written(OTP_NAME);
    ck_assert_int_eq(handshake_read_name(from_hex(OTP_NAME), &name), 0);
    ck_assert_uint_eq(name.flags, UINT64_C(0xd07df7fbd));
    ck_assert_uint_eq(name.creation, 0x66000001);
    ck_assert(cn_bytes_equal(name.name, "rec@127.0.0.1"));
}
END_TEST

/* A challenge is written and read. */
START_TEST(challenge_bytes)
{
    struct handshake_challenge challenge;

    ck_assert_int_eq(handshake_write_challenge(&out, UINT64_C(0xd07df7fbd), 12345, 0x66000001,
                                               "rec@127.0.0.1"),
                     0);
    assert_written(OTP_CHALLENGE);
    ck_assert_int_eq(handshake_read_challenge(from_hex(OTP_CHALLENGE), &challenge), 0);
    ck_assert_uint_eq(challenge.challenge, 12345);
    ck_assert_uint_eq(challenge.creation, 0x66000001);
    ck_assert(cn_bytes_equal(challenge.name, "rec@127.0.0.1"));
}
END_TEST

/* Reply, acknowledgement and status are written and read. */
START_TEST(short_messages)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[16];
    const uint8_t *read;
    uint32_t challenge;

    memcpy(digest, digits, sizeof(digest));
    ck_assert_int_eq(handshake_write_reply(&out, 0xdeadbeef, digest), 0);
    assert_written("72deadbeef30313233343536373839616263646566");
    ck_assert_int_eq(handshake_read_reply(from_hex("72deadbeef30313233343536373839616263646566"),
                                          &challenge, &read),
                     0);
    ck_assert_uint_eq(challenge, 0xdeadbeef);
    ck_assert_mem_eq(read, digest, 16);
    ck_assert_int_eq(handshake_write_ack(&out, digest), 0);
    assert_written("6130313233343536373839616263646566");
    ck_assert_int_eq(handshake_write_status(&out, "ok"), 0);
    assert_written("736f6b");
    ck_assert(handshake_is_status(from_hex("736f6b"), "ok"));
    ck_assert(!handshake_is_status(from_hex("736f6b"), "ok_simultaneous"));
    ck_assert(!handshake_is_status(from_hex("736f6b6b"), "ok"));
    ck_assert(!handshake_is_status(from_hex(""), "ok"));
}
END_TEST

/* Bytes after the last field of both 'N' messages are ignored, as the protocol asks. */
START_TEST(trailing_bytes_are_ignored)
{
    struct handshake_name name;
    struct handshake_challenge challenge;

    ck_assert_int_eq(handshake_read_name(from_hex(OTP_NAME "ffff"), &name), 0);
    ck_assert_uint_eq(name.name.size, 13);
    ck_assert_int_eq(handshake_read_challenge(from_hex(OTP_CHALLENGE "ff"), &challenge), 0);
    ck_assert_uint_eq(challenge.name.size, 13);
}
END_TEST

/* A message cut anywhere is refused, without a look beyond its end. */
START_TEST(cuts_are_refused)
{
    struct cn_bytes named = from_hex(OTP_NAME);
    struct cn_bytes challenged = from_hex(OTP_CHALLENGE);
    struct handshake_name name;
    struct handshake_challenge challenge;

    for (size_t size = 0; size < named.size; size++) {
        uint8_t *cut = exact(named.data, size);

        ck_assert_int_eq(handshake_read_name((struct cn_bytes){cut, size}, &name), CN_E_INVALID);
        free(cut);
    }
    for (size_t size = 0; size < challenged.size; size++) {
        uint8_t *cut = exact(challenged.data, size);

        ck_assert_int_eq(handshake_read_challenge((struct cn_bytes){cut, size}, &challenge),
                         CN_E_INVALID);
        free(cut);
    }
}
END_TEST

/* Reply and acknowledgement have one size only. */
START_TEST(short_messages_of_other_sizes_are_refused)
{
    uint8_t bytes[40] = {0};
    const uint8_t *digest;
    uint32_t challenge;

    for (size_t size = 0; size <= sizeof(bytes); size++) {
        uint8_t *message = exact(bytes, size);

        if (size > 0)
            message[0] = 'r';
        ck_assert_int_eq(handshake_read_reply((struct cn_bytes){message, size}, &challenge,
                                              &digest) == 0,
                         size == 21);
        if (size > 0)
            message[0] = 'a';
        ck_assert_int_eq(handshake_read_ack((struct cn_bytes){message, size}, &digest) == 0,
                         size == 17);
        free(message);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handshake_message");
    TCase *tcase = tcase_create("handshake_message");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, name_bytes);
    tcase_add_test(tcase, challenge_bytes);
    tcase_add_test(tcase, short_messages);
    tcase_add_test(tcase, trailing_bytes_are_ignored);
    tcase_add_test(tcase, cuts_are_refused);
    tcase_add_test(tcase, short_messages_of_other_sizes_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
