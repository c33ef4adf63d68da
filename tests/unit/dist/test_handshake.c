/*
 * The handshake: both roles against each other through memory, in any cuts, and against everything
 * a stranger may send. A stranger is played by a script of messages made with handshake_message.h.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "dist/flags.h"
#include "dist/handshake.h"
#include "dist/handshake_message.h"

static struct handshake dialling;
static struct handshake accepting;
static uint32_t reflected; /* a challenge that counts as given out elsewhere; 0: none */
static bool one_node;      /* both handshakes are of the same node */
static bool cutting;       /* hand bytes over in random pieces */

static void test_random(void *buffer, size_t size)
{
    uint8_t *bytes = buffer;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_below(256);
}

static bool is_outstanding(void *context, uint32_t challenge)
{
    return (reflected != 0 && challenge == reflected) ||
           (one_node && (handshake_has_given(&dialling, challenge) ||
                         handshake_has_given(&accepting, challenge)));
}

static struct handshake_config config_of(const char *name, const char *cookie, const char *peer)
{
    return (struct handshake_config){
        .name = name,
        .cookie = cookie,
        .peer = peer,
        .flags = FLAGS_OURS,
        .creation = peer != NULL ? 100 : 200,
        .random = test_random,
        .outstanding = is_outstanding,
    };
}

static void start_dialling(const char *cookie)
{
    struct handshake_config config = config_of("alice@a", cookie, "bob@b");

    ck_assert_int_eq(handshake_init(&dialling, &config, 1), 0);
}

static void start_accepting(const char *cookie)
{
    struct handshake_config config = config_of("bob@b", cookie, NULL);

    ck_assert_int_eq(handshake_init(&accepting, &config, 2), 0);
}

static void setup(void)
{
    seed_random(1);
    memset(&dialling, 0, sizeof(dialling));
    memset(&accepting, 0, sizeof(accepting));
    reflected = 0;
    one_node = false;
    cutting = false;
}

static void teardown(void)
{
    handshake_deinit(&dialling);
    handshake_deinit(&accepting);
}

/* Move what @from has to say to @to, which may stop early; tell whether anything moved. */
static bool carry(struct handshake *from, struct handshake *to)
{
    struct bytes *output = handshake_output(from);
    bool moved = false;

    while (bytes_size(output) > 0) {
        size_t size = bytes_size(output);
        size_t used;
        uint8_t *piece;

        if (cutting)
            size = 1 + random_below((uint32_t)size);
        piece = exact(bytes_data(output), size);
        ck_assert_int_eq(handshake_feed(to, piece, size, &used), 0);
        ck_assert_uint_le(used, size);
        free(piece);
        bytes_consume(output, used);
        moved = moved || used > 0;
        if (used < size)
            return moved;
    }
    return moved;
}

/* Let both talk until nothing moves; the accepting side answers @answer. */
static void talk(enum handshake_answer answer)
{
    bool moved = true;

    while (moved) {
        moved = carry(&dialling, &accepting);
        if (handshake_state(&accepting) == HANDSHAKE_NAMED) {
            ck_assert_int_eq(handshake_answer(&accepting, answer), 0);
            moved = true;
        }
        if (handshake_state(&accepting) == HANDSHAKE_PROVEN) {
            ck_assert_int_eq(handshake_accept(&accepting), 0);
            moved = true;
        }
        moved = carry(&accepting, &dialling) || moved;
    }
}

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
        teardown();
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

/* Feed @hex as one message to @to. */
static void say(struct handshake *to, const struct bytes *message)
{
    size_t used;
    uint8_t *copy = exact(bytes_data(message), bytes_size(message));

    ck_assert_int_eq(handshake_feed(to, copy, bytes_size(message), &used), 0);
    free(copy);
}

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
        teardown();
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
        teardown();
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

static void add_talks(TCase *tcase)
{
    tcase_add_test(tcase, both_roles_agree);
    tcase_add_test(tcase, any_cuts_and_answers);
    tcase_add_test(tcase, wrong_cookie_is_refused);
    tcase_add_test(tcase, nok_defers_the_dialling_side);
    tcase_add_test(tcase, not_allowed_is_told);
    tcase_add_test(tcase, alive_waits_for_true);
    tcase_add_test(tcase, false_ends_it);
    tcase_add_test(tcase, bytes_after_the_end_are_left);
    tcase_add_test(tcase, challenges_differ);
    tcase_add_test(tcase, digest_is_the_protocols);
}

static void add_strangers(TCase *tcase)
{
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
}

int main(void)
{
    Suite *suite = suite_create("handshake");
    TCase *tcase = tcase_create("handshake");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    add_talks(tcase);
    add_strangers(tcase);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
