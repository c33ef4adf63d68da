/*
 * The handshake between two of ours: both roles through memory, in any cuts, with every answer that
 * the accepting side may give.
 */
#include "handshake_pair.h"

#include <string.h>

#include "dist/flags.h"
#include "dist/handshake_message.h"

static void assert_done(void)
{
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_DONE);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_DONE);
    ck_assert_str_eq(handshake_peer(&dialling), "bob@b");
    ck_assert_str_eq(handshake_peer(&accepting), "alice@a");
    ck_assert_uint_eq(handshake_peer_creation(&dialling), 200);
    ck_assert_uint_eq(handshake_peer_creation(&accepting), 100);
    ck_assert_uint_eq(handshake_flags(&dialling), FLAGS_OURS);
    ck_assert_uint_eq(handshake_flags(&accepting), FLAGS_OURS);
}

/* Two nodes with one cookie come to an end, and know each other's name, creation and flags. */
START_TEST(both_roles_agree)
{
    start_dialling("secret");
    start_accepting("secret");
    talk(HANDSHAKE_OK);
    assert_done();
}
END_TEST

/* The same in random pieces, for each way to say yes. */
START_TEST(any_cuts_and_answers)
{
    static const enum handshake_answer answers[] = {HANDSHAKE_OK, HANDSHAKE_OK_SIMULTANEOUS,
                                                    HANDSHAKE_IS_ALIVE};

    cutting = true;
    for (uint64_t seed = 0; seed < 600; seed++) {
        seed_random(seed);
        start_dialling("secret");
        start_accepting("secret");
        talk(answers[seed % 3]);
        assert_done();
        pair_teardown();
    }
}
END_TEST

/* A wrong cookie is seen by the accepting side, which answers no digest of its own. */
START_TEST(wrong_cookie_is_refused)
{
    start_dialling("secret");
    start_accepting("Secret");
    talk(HANDSHAKE_OK);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting), "wrong cookie");
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_ACK);
    ck_assert_uint_eq(bytes_size(handshake_output(&accepting)), 0);
}
END_TEST

/* When both dial, the loser hears nok and waits for the winner's dial. */
START_TEST(nok_defers_the_dialling_side)
{
    start_dialling("secret");
    start_accepting("secret");
    talk(HANDSHAKE_NOK);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_DEFERRED);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting), HANDSHAKE_LOST_TIE);
}
END_TEST

/* A node that is not allowed hears so. */
START_TEST(not_allowed_is_told)
{
    start_dialling("secret");
    start_accepting("secret");
    talk(HANDSHAKE_NOT_ALLOWED);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&dialling), "the peer does not allow us");
}
END_TEST

/* After alive the dialling side must say true before it hears a challenge. */
START_TEST(alive_waits_for_true)
{
    struct bytes *output;

    start_dialling("secret");
    start_accepting("secret");
    carry(&dialling, &accepting);
    ck_assert_int_eq(handshake_answer(&accepting, HANDSHAKE_IS_ALIVE), 0);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_ALIVE);
    carry(&accepting, &dialling);
    output = handshake_output(&dialling);
    ck_assert_uint_eq(bytes_size(output), 7);
    ck_assert_mem_eq(bytes_data(output), "\0\5strue", 7);
    carry(&dialling, &accepting);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_REPLY);
    talk(HANDSHAKE_OK);
    assert_done();
}
END_TEST

static void say_false(void)
{
    struct bytes message;

    bytes_init(&message, 0);
    handshake_write_status(&message, "false");
    say(&accepting, &message);
    bytes_deinit(&message);
}

/* A peer that answers false to alive keeps its old connection. */
START_TEST(false_ends_it)
{
    start_dialling("secret");
    start_accepting("secret");
    carry(&dialling, &accepting);
    ck_assert_int_eq(handshake_answer(&accepting, HANDSHAKE_IS_ALIVE), 0);
    say_false();
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_REFUSED);
}
END_TEST

/* The digest is MD5 of the cookie and the challenge as an unsigned decimal. */
START_TEST(digest_is_the_protocols)
{
    uint8_t digest[HANDSHAKE_DIGEST_BYTES];

    ck_assert_int_eq(handshake_digest("secret", 12345, digest), 0);
    ck_assert_mem_eq(digest, from_hex("d4047d3e56e6d6d63f7d16b85cd2fa88").data, 16);
    ck_assert_int_eq(handshake_digest("secret", UINT32_MAX, digest), 0);
    ck_assert_mem_eq(digest, from_hex("5dfd181e69aa587cc812eb333e6536b6").data, 16);
}
END_TEST

/* Frames that arrive with the last message are left to the caller. */
START_TEST(bytes_after_the_end_are_left)
{
    uint8_t bytes[64];
    size_t size;
    size_t used;

    start_dialling("secret");
    start_accepting("secret");
    carry(&dialling, &accepting);
    ck_assert_int_eq(handshake_answer(&accepting, HANDSHAKE_OK), 0);
    carry(&accepting, &dialling);
    carry(&dialling, &accepting);
    ck_assert_int_eq(handshake_accept(&accepting), 0);
    size = bytes_size(handshake_output(&accepting));
    memcpy(bytes, bytes_data(handshake_output(&accepting)), size);
    memcpy(bytes + size, "\0\0\0\0", 4);
    ck_assert_int_eq(handshake_feed(&dialling, bytes, size + 4, &used), 0);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_DONE);
    ck_assert_uint_eq(used, size);
}
END_TEST

/* A challenge of ours is never the peer's, nor one that is out already. */
START_TEST(challenges_differ)
{
    seed_random(9);
    start_dialling("secret");
    start_accepting("secret");
    talk(HANDSHAKE_OK);
    ck_assert_uint_ne(dialling.challenge, accepting.challenge);
    ck_assert(!handshake_has_given(&dialling, dialling.challenge)); /* it is over */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handshake");
    TCase *tcase = tcase_create("handshake");

    tcase_add_checked_fixture(tcase, pair_setup, pair_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, both_roles_agree);
    tcase_add_test(tcase, any_cuts_and_answers);
    tcase_add_test(tcase, wrong_cookie_is_refused);
    tcase_add_test(tcase, nok_defers_the_dialling_side);
    tcase_add_test(tcase, not_allowed_is_told);
    tcase_add_test(tcase, alive_waits_for_true);
    tcase_add_test(tcase, false_ends_it);
    tcase_add_test(tcase, digest_is_the_protocols);
    tcase_add_test(tcase, bytes_after_the_end_are_left);
    tcase_add_test(tcase, challenges_differ);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
