/*
 * The handshake in both roles, against a peer that may do anything.
 *
 * The first bytes choose the role, our answer to a name, and a cookie; then come the peer's steps:
 * raw bytes, or the right message for the moment, whole, cut or changed at one byte. Nobody gets
 * through whose bytes did not hold the digest of our challenge, and a challenge of our own is
 * never answered; what comes out stays small and is printable.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "dist/flags.h"
#include "dist/handshake.h"
#include "dist/handshake_message.h"
#include "dist/node_name.h"

#define TOLD_MAX   65536
#define OUTPUT_MAX 4096

/* One talk. */
struct talk {
    struct handshake handshake;
    char cookie[17];
    bool dialling;
    enum handshake_answer answer;
    uint32_t peer_challenge;
    uint8_t told[TOLD_MAX]; /* what the peer has said so far */
    size_t told_size;
};

static uint8_t random_next;

static void fake_random(void *buffer, size_t size)
{
    memset(buffer, random_next++, size);
}

/* Every seventh challenge is one of ours somewhere else. */
static bool outstanding(void *context, uint32_t challenge)
{
    return challenge % 7 == 0;
}

static bool was_told(const struct talk *talk, const uint8_t *digest)
{
    return memmem(talk->told, talk->told_size, digest, HANDSHAKE_DIGEST_BYTES) != NULL;
}

/* The peer is let through only with the digest of our challenge. */
static void check_proof(const struct talk *talk)
{
    const struct handshake *handshake = &talk->handshake;
    enum handshake_state state = handshake_state(handshake);
    uint8_t digest[HANDSHAKE_DIGEST_BYTES];

    if (state != HANDSHAKE_PROVEN && state != HANDSHAKE_DONE)
        return;
    cn_assert(handshake->challenge_given);
    cn_assert(handshake_digest(talk->cookie, handshake->challenge, digest) == 0);
    cn_assert(was_told(talk, digest));
    cn_assert(node_name_valid(handshake_peer(handshake), strlen(handshake_peer(handshake))));
    cn_assert((handshake_flags(handshake) & FLAGS_REQUIRED) == FLAGS_REQUIRED);
}

static void check_talk(struct talk *talk)
{
    const char *reason = handshake_reason(&talk->handshake);
    enum handshake_state state = handshake_state(&talk->handshake);
    bool answered = talk->dialling && (state == HANDSHAKE_ACK || state == HANDSHAKE_DONE);

    check_proof(talk);
    cn_assert(!answered || !outstanding(NULL, talk->handshake.peer_challenge));
    cn_assert(bytes_size(handshake_output(&talk->handshake)) <= OUTPUT_MAX);
    cn_assert((state == HANDSHAKE_REFUSED) == (reason[0] != '\0'));
    for (; *reason != '\0'; reason++)
        cn_assert(isprint((unsigned char)*reason));
}

/* Do what the handshake's owner does where it is asked. */
static void decide(struct talk *talk)
{
    struct handshake *handshake = &talk->handshake;

    if (handshake_state(handshake) == HANDSHAKE_NAMED)
        cn_assert(handshake_answer(handshake, talk->answer) == 0);
    else if (handshake_state(handshake) == HANDSHAKE_PROVEN)
        cn_assert(handshake_accept(handshake) == 0);
}

/* The peer says @size bytes. */
static void tell(struct talk *talk, const uint8_t *data, size_t size)
{
    struct cn_term piece = fuzz_exact((struct cn_term){data, size});
    size_t at = 0;
    size_t used = 1;

    if (talk->told_size + size <= TOLD_MAX) {
        if (size > 0)
            memcpy(talk->told + talk->told_size, data, size);
        talk->told_size += size;
        while (at < size && used > 0) {
            cn_assert(handshake_feed(&talk->handshake, piece.data + at, size - at, &used) == 0);
            cn_assert(used <= size - at);
            at += used;
            check_talk(talk);
            decide(talk);
        }
        check_talk(talk);
    }
    free((void *)(uintptr_t)piece.data);
}

/* The message that an honest peer would send now. */
static void honest_message(const struct talk *talk, uint8_t variant, struct bytes *message)
{
    static const char *const statuses[] = {"ok", "ok_simultaneous", "alive", "nok", "not_allowed"};
    const struct handshake *handshake = &talk->handshake;
    uint64_t flags = (variant & 0x80) != 0 ? FLAGS_REQUIRED : FLAGS_OURS;
    uint8_t digest[HANDSHAKE_DIGEST_BYTES];

    cn_assert(handshake_digest(talk->cookie, handshake->challenge, digest) == 0);
    switch (handshake_state(handshake)) {
    case HANDSHAKE_NAME:
        cn_assert(handshake_write_name(message, flags, variant, "peer@host") == 0);
        break;
    case HANDSHAKE_ALIVE:
        cn_assert(handshake_write_status(message, "true") == 0);
        break;
    case HANDSHAKE_REPLY:
        cn_assert(handshake_write_reply(message, variant, digest) == 0);
        break;
    case HANDSHAKE_STATUS:
        cn_assert(handshake_write_status(message, statuses[variant % 5]) == 0);
        break;
    case HANDSHAKE_CHALLENGE:
        cn_assert(handshake_write_challenge(message, flags, variant, 7, "peer@host") == 0);
        break;
    case HANDSHAKE_ACK:
        cn_assert(handshake_write_ack(message, digest) == 0);
        break;
    default:
        break;
    }
}

/* One step of the peer. */
static void step(struct talk *talk, struct input *input)
{
    uint8_t kind = input_u8(input);
    uint8_t argument = input_u8(input);
    struct cn_bytes raw;
    struct bytes message;
    size_t size;

    if (kind % 4 == 0) {
        raw = input_bytes(input, argument);
        tell(talk, raw.data, raw.size);
        return;
    }
    bytes_init(&message, 0);
    honest_message(talk, argument, &message);
    size = bytes_size(&message);
    if (kind % 4 == 2 && size > 0)
        size = input_u8(input) % size;
    if (kind % 4 == 3 && size > 0)
        bytes_data(&message)[input_u8(input) % size] ^= (uint8_t)(1 + input_u8(input) % 255);
    tell(talk, bytes_data(&message), size);
    bytes_deinit(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct talk talk;
    struct input input = {data, size};
    uint8_t choice = input_u8(&input);
    struct cn_bytes cookie = input_bytes(&input, 16);
    struct handshake_config config = {.name = "us@host",
                                      .cookie = talk.cookie,
                                      .flags = (choice & 2) != 0 ? FLAGS_OURS : FLAGS_OURS_HIDDEN,
                                      .creation = 77,
                                      .random = fake_random,
                                      .outstanding = outstanding};

    random_next = 0;
    talk.told_size = 0;
    talk.dialling = (choice & 1) != 0;
    talk.answer = (enum handshake_answer)(choice / 4 % 5);
    memset(talk.cookie, 0, sizeof(talk.cookie));
    if (cookie.size > 0)
        memcpy(talk.cookie, cookie.data, cookie.size);
    config.peer = talk.dialling ? "peer@host" : NULL;
    cn_assert(handshake_init(&talk.handshake, &config, 1) == 0);
    check_talk(&talk);
    while (input.size > 0)
        step(&talk, &input);
    handshake_refuse(&talk.handshake, "over");
    check_talk(&talk);
    handshake_deinit(&talk.handshake);
    return 0;
}
