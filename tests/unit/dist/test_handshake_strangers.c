/*
 * The handshake against strangers: names, flags, challenges and digests that must be refused,
 * cuts, mutations, noise. A stranger is played by messages made with handshake_message.h.
 */
#include "handshake_pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dist/flags.h"
#include "dist/handshake_message.h"

/* Feed a name message to a fresh accepting side; gives its state. */
static enum handshake_state name_arrives(uint64_t flags, const char *name)
{
    struct bytes message;

    handshake_deinit(&accepting);
    start_accepting("secret");
    bytes_init(&message, 0);
    handshake_write_name(&message, flags, 7, name);
    say(&accepting, &message);
    bytes_deinit(&message);
    return handshake_state(&accepting);
}

/* Names that are no node names, and our own, are refused; so is a wish for a name. */
START_TEST(bad_names_are_refused)
{
    ck_assert_int_eq(name_arrives(FLAGS_OURS, "alice@a"), HANDSHAKE_NAMED);
    ck_assert_int_eq(name_arrives(FLAGS_OURS, "alice"), HANDSHAKE_REFUSED);
    ck_assert_int_eq(name_arrives(FLAGS_OURS, "alice@a\n2026 forged line"), HANDSHAKE_REFUSED);
    ck_assert_int_eq(name_arrives(FLAGS_OURS | FLAG_NAME_ME, "alice@a"), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting), "the peer wants to be given a name");
    ck_assert_int_eq(name_arrives(FLAGS_OURS, "bob@b"), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting), "the peer has our own name");
    ck_assert_mem_eq(bytes_data(handshake_output(&accepting)) + 2, "snot_allowed", 12);
}
END_TEST

/* A peer that lacks what we need is told not_allowed, and the log line says what it lacks. */
START_TEST(lacking_flags_are_named)
{
    ck_assert_int_eq(name_arrives(FLAGS_OURS & ~(FLAG_V4_NC | FLAG_MANDATORY_25_DIGEST), "a@a"),
                     HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting), "the peer lacks V4_NC");
    ck_assert_mem_eq(bytes_data(handshake_output(&accepting)) + 2, "snot_allowed", 12);
    ck_assert_int_eq(name_arrives(FLAG_MANDATORY_25_DIGEST | FLAG_V4_NC, "a@a"), HANDSHAKE_NAMED);
}
END_TEST

/* A node of OTP 22 or older, with its old name message, is refused clearly. */
START_TEST(old_handshake_is_refused)
{
    struct bytes message;

    start_accepting("secret");
    bytes_init(&message, 0);
    ck_assert_int_eq(bytes_append(&message,
                                  "\0\x0en\0\5\0\3\x7f\xbd"
                                  "old@a.b",
                                  16),
                     0);
    say(&accepting, &message);
    bytes_deinit(&message);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting),
                     "the peer speaks the handshake of OTP 22 or older");
}
END_TEST

/* Bring a dialling side to where it waits for a challenge, then play the accepting side. */
static void challenge_arrives(uint32_t challenge, const char *name, uint64_t flags)
{
    struct bytes message;

    start_dialling("secret");
    bytes_init(&message, 0);
    handshake_write_status(&message, "ok");
    handshake_write_challenge(&message, flags, challenge, 7, name);
    say(&dialling, &message);
    bytes_deinit(&message);
}

/* A peer that sends us a challenge that we have given to somebody gets no answer. */
START_TEST(reflected_challenge_is_refused)
{
    reflected = 4711;
    challenge_arrives(4711, "bob@b", FLAGS_OURS);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&dialling),
                     "the peer's challenge is one of our own: reflected");
    ck_assert(memmem(bytes_data(handshake_output(&dialling)),
                     bytes_size(handshake_output(&dialling)), "r", 1) == NULL);
}
END_TEST

/*
 * The attack as a whole: a stranger without the cookie accepts our dial and, as soon as we have
 * challenged it elsewhere, sends us that very challenge.
 */
START_TEST(reflection_attack_fails)
{
    struct handshake_challenge given;
    struct bytes *output;

    one_node = true;
    name_arrives(FLAGS_OURS, "mallory@m");
    ck_assert_int_eq(handshake_answer(&accepting, HANDSHAKE_OK), 0);
    output = handshake_output(&accepting);
    bytes_consume(output, 5); /* "ok" */
    ck_assert_int_eq(handshake_read_challenge(
                         (struct cn_bytes){bytes_data(output) + 2, bytes_size(output) - 2}, &given),
                     0);
    challenge_arrives(given.challenge, "bob@b", FLAGS_OURS);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_REFUSED);
}
END_TEST

/*
 * Another node under the address we dialled, or one that lacks flags, is refused before any
 * digest.
 */
START_TEST(wrong_node_answers)
{
    challenge_arrives(1, "carol@b", FLAGS_OURS);
    ck_assert_str_eq(handshake_reason(&dialling), "another node answers under this address");
    handshake_deinit(&dialling);
    challenge_arrives(1, "bob@b", FLAGS_MANDATORY_25);
    ck_assert_str_eq(handshake_reason(&dialling), "the peer lacks V4_NC");
    handshake_deinit(&dialling);
    challenge_arrives(1, "bob@b", FLAGS_OURS);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_ACK);
}
END_TEST

/* The dialling side checks the digest too. */
START_TEST(wrong_digest_of_the_accepting_side)
{
    struct bytes message;
    uint8_t digest[16] = {0};

    challenge_arrives(1, "bob@b", FLAGS_OURS);
    bytes_init(&message, 0);
    handshake_write_ack(&message, digest);
    say(&dialling, &message);
    bytes_deinit(&message);
    ck_assert_int_eq(handshake_state(&dialling), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&dialling), "wrong cookie");
}
END_TEST

/* A message longer than the limit is refused when its length is known, and none is stored. */
START_TEST(long_messages_are_refused)
{
    size_t used;

    start_accepting("secret");
    ck_assert_int_eq(handshake_feed(&accepting, (const uint8_t *)"\x04\x01", 2, &used), 0);
    ck_assert_int_eq(handshake_feed(&accepting, (const uint8_t *)"N", 1, &used), 0);
    ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_REFUSED);
    ck_assert_str_eq(handshake_reason(&accepting), "a handshake message that is too long");
}
END_TEST

/* One talk with mutations: whatever a side makes of it, it must not come to the end. */
static void mutated_talk(bool mutate_dialling, size_t victim)
{
    size_t message = 0;
    bool moved = true;

    start_dialling("secret");
    start_accepting("secret");
    while (moved) {
        struct handshake *from = message % 2 == 0 ? &dialling : &accepting;
        struct handshake *to = message % 2 == 0 ? &accepting : &dialling;
        struct bytes *output = handshake_output(from);

        if (mutate_dialling == (from == &dialling) && message / 2 == victim &&
            bytes_size(output) > 0)
            mutate(bytes_data(output), bytes_size(output));
        moved = carry(from, to) || message == 0;
        if (handshake_state(&accepting) == HANDSHAKE_NAMED)
            ck_assert_int_eq(handshake_answer(&accepting, HANDSHAKE_OK), 0);
        if (handshake_state(&accepting) == HANDSHAKE_PROVEN)
            ck_assert_int_eq(handshake_accept(&accepting), 0);
        message++;
        bytes_clear(output);
        moved = moved || bytes_size(handshake_output(&accepting)) > 0 ||
                bytes_size(handshake_output(&dialling)) > 0;
    }
}

/* Mutated messages are refused, waited for, or harmless; a changed digest never passes. */
START_TEST(mutated_messages)
{
    size_t done = 0;

    for (uint64_t seed = 0; seed < 30000; seed++) {
        seed_random(seed);
        mutated_talk(seed % 2 == 0, seed / 2 % 2);
        if (handshake_state(&accepting) == HANDSHAKE_DONE)
            done++;
        pair_teardown();
        memset(&dialling, 0, sizeof(dialling));
        memset(&accepting, 0, sizeof(accepting));
    }
    ck_assert_uint_gt(done, 10);
}
END_TEST

/* Random bytes never bring a side to its end. */
START_TEST(noise_is_refused)
{
    for (uint64_t seed = 0; seed < 20000; seed++) {
        uint8_t noise[64];
        size_t used;

        seed_random(seed);
        test_random(noise, sizeof(noise));
        noise[0] = 0;
        noise[1] = (uint8_t)random_below(40);
        noise[2] = (uint8_t) "Nsra"[random_below(4)];
        start_dialling("secret");
        start_accepting("secret");
        ck_assert_int_eq(handshake_feed(&dialling, noise, sizeof(noise), &used), 0);
        ck_assert_int_eq(handshake_feed(&accepting, noise, sizeof(noise), &used), 0);
        ck_assert_int_ne(handshake_state(&dialling), HANDSHAKE_DONE);
        ck_assert_int_ne(handshake_state(&accepting), HANDSHAKE_PROVEN);
        pair_teardown();
    }
}
END_TEST

/* A whole talk cut at each byte: the side that waits goes on waiting, with its state unchanged. */
START_TEST(every_prefix_waits)
{
    start_dialling("secret");
    for (size_t size = 0; size < bytes_size(handshake_output(&dialling)); size++) {
        uint8_t *cut = exact(bytes_data(handshake_output(&dialling)), size);
        size_t used;

        handshake_deinit(&accepting);
        start_accepting("secret");
        ck_assert_int_eq(handshake_feed(&accepting, cut, size, &used), 0);
        ck_assert_uint_eq(used, size);
        ck_assert_int_eq(handshake_state(&accepting), HANDSHAKE_NAME);
        ck_assert_str_eq(handshake_peer(&accepting), "");
        free(cut);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handshake_strangers");
    TCase *tcase = tcase_create("strangers");

    tcase_add_checked_fixture(tcase, pair_setup, pair_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, bad_names_are_refused);
    tcase_add_test(tcase, lacking_flags_are_named);
    tcase_add_test(tcase, old_handshake_is_refused);
    tcase_add_test(tcase, reflected_challenge_is_refused);
    tcase_add_test(tcase, reflection_attack_fails);
    tcase_add_test(tcase, wrong_node_answers);
    tcase_add_test(tcase, wrong_digest_of_the_accepting_side);
    tcase_add_test(tcase, long_messages_are_refused);
    tcase_add_test(tcase, mutated_messages);
    tcase_add_test(tcase, noise_is_refused);
    tcase_add_test(tcase, every_prefix_waits);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
