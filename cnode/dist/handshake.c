/*
 * The distribution handshake: the machine. The messages themselves are in handshake_message.c.
 *
 * Input is collected until one whole message is there, and nothing longer than
 * HANDSHAKE_MESSAGE_MAX is ever collected. Whatever does not fit the state refuses the handshake
 * with a sentence for the log; nothing that a peer sends can reach a move that the table forbids.
 */
#include "dist/handshake.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/text.h"
#include "dist/flags.h"
#include "dist/handshake_message.h"
#include "dist/node_name.h"

#define OVER SM_TO(HANDSHAKE_REFUSED)

static const struct sm_state handshake_states[] = {
    [HANDSHAKE_NAME] = {"name", OVER | SM_TO(HANDSHAKE_NAMED), .initial = true},
    [HANDSHAKE_NAMED] = {"named", OVER | SM_TO(HANDSHAKE_ALIVE) | SM_TO(HANDSHAKE_REPLY)},
    [HANDSHAKE_ALIVE] = {"alive", OVER | SM_TO(HANDSHAKE_REPLY)},
    [HANDSHAKE_REPLY] = {"reply", OVER | SM_TO(HANDSHAKE_PROVEN)},
    [HANDSHAKE_PROVEN] = {"proven", OVER | SM_TO(HANDSHAKE_DONE)},
    [HANDSHAKE_STATUS] = {"status", OVER | SM_TO(HANDSHAKE_CHALLENGE) | SM_TO(HANDSHAKE_DEFERRED),
                          .initial = true},
    [HANDSHAKE_CHALLENGE] = {"challenge", OVER | SM_TO(HANDSHAKE_ACK)},
    [HANDSHAKE_ACK] = {"ack", OVER | SM_TO(HANDSHAKE_DONE)},
    [HANDSHAKE_DONE] = {"done", 0, .final = true},
    [HANDSHAKE_DEFERRED] = {"deferred", 0, .final = true},
    [HANDSHAKE_REFUSED] = {"refused", 0, .final = true},
};
static const struct sm_table handshake_table = SM_TABLE("handshake", handshake_states);

static void refuse(struct handshake *handshake, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse(struct handshake *handshake, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(handshake->reason, sizeof(handshake->reason), format, arguments);
    va_end(arguments);
    sm_move(&handshake->sm, HANDSHAKE_REFUSED);
}

int handshake_init(struct handshake *handshake, const struct handshake_config *config, uint64_t id)
{
    bool dialling = config->peer != NULL;

    *handshake = (struct handshake){.config = *config};
    bytes_init(&handshake->in, 2 + HANDSHAKE_MESSAGE_MAX);
    bytes_init(&handshake->out, 0);
    sm_init(&handshake->sm, &handshake_table, id, dialling ? HANDSHAKE_STATUS : HANDSHAKE_NAME);
    if (!dialling)
        return 0;
    text_copy(handshake->peer_name, sizeof(handshake->peer_name), config->peer);
    return handshake_write_name(&handshake->out, config->flags, config->creation, config->name);
}

void handshake_deinit(struct handshake *handshake)
{
    bytes_deinit(&handshake->in);
    bytes_deinit(&handshake->out);
}

int handshake_digest(const char *cookie, uint32_t challenge,
                     uint8_t ret_digest[HANDSHAKE_DIGEST_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char decimal[16];
    bool good;

    if (context == NULL)
        return -ENOMEM;
    text_format(decimal, sizeof(decimal), "%u", challenge);
    good = EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1 &&
           EVP_DigestUpdate(context, cookie, strlen(cookie)) == 1 &&
           EVP_DigestUpdate(context, decimal, strlen(decimal)) == 1 &&
           EVP_DigestFinal_ex(context, digest, &size) == 1 && size == HANDSHAKE_DIGEST_BYTES;
    EVP_MD_CTX_free(context);
    if (!good)
        return -EIO;
    memcpy(ret_digest, digest, HANDSHAKE_DIGEST_BYTES);
    return 0;
}

/* Choose our challenge: one that is not in use, and not the peer's own. */
static uint32_t choose_challenge(struct handshake *handshake)
{
    const struct handshake_config *config = &handshake->config;
    uint32_t challenge;

    do {
        config->random(&challenge, sizeof(challenge));
    } while ((sm_state(&handshake->sm) == HANDSHAKE_CHALLENGE &&
              challenge == handshake->peer_challenge) ||
             config->outstanding(config->context, challenge));
    handshake->challenge = challenge;
    handshake->challenge_given = true;
    return challenge;
}

static bool digest_matches(struct handshake *handshake, const uint8_t *digest)
{
    uint8_t expected[HANDSHAKE_DIGEST_BYTES];

    return handshake_digest(handshake->config.cookie, handshake->challenge, expected) == 0 &&
           sodium_memcmp(expected, digest, sizeof(expected)) == 0;
}

/* Take the peer's flags, or refuse it for what it lacks. */
static bool take_flags(struct handshake *handshake, uint64_t flags, uint32_t creation)
{
    uint64_t missing;
    char names[160];

    handshake->peer_flags = flags_expand(flags);
    handshake->peer_creation = creation;
    missing = flags_missing(handshake->peer_flags);
    if (missing == 0)
        return true;
    flags_describe(missing, names, sizeof(names));
    refuse(handshake, "the peer lacks %s", names);
    return false;
}

static int on_name(struct handshake *handshake, struct cn_bytes message)
{
    struct handshake_name name;

    if (message.size > 0 && message.data[0] == 'n') {
        refuse(handshake, "the peer speaks the handshake of OTP 22 or older");
        return 0;
    }
    if (handshake_read_name(message, &name) != 0) {
        refuse(handshake, "no name message came first");
        return 0;
    }
    if ((name.flags & FLAG_NAME_ME) != 0) {
        refuse(handshake, "the peer wants to be given a name");
        return 0;
    }
    if (!node_name_valid(name.name.data, name.name.size)) {
        refuse(handshake, "the peer's name is no node name");
        return 0;
    }
    text_copy_bytes(handshake->peer_name, sizeof(handshake->peer_name), name.name.data,
                    name.name.size);
    if (!take_flags(handshake, name.flags, name.creation))
        return handshake_write_status(&handshake->out, "not_allowed");
    if (strcmp(handshake->peer_name, handshake->config.name) == 0) {
        refuse(handshake, "the peer has our own name");
        return handshake_write_status(&handshake->out, "not_allowed");
    }
    sm_move(&handshake->sm, HANDSHAKE_NAMED);
    return 0;
}

static int send_challenge(struct handshake *handshake)
{
    const struct handshake_config *config = &handshake->config;

    sm_move(&handshake->sm, HANDSHAKE_REPLY);
    return handshake_write_challenge(&handshake->out, config->flags, choose_challenge(handshake),
                                     config->creation, config->name);
}

int handshake_answer(struct handshake *handshake, enum handshake_answer answer)
{
    static const char *const texts[] = {
        [HANDSHAKE_OK] = "ok",          [HANDSHAKE_OK_SIMULTANEOUS] = "ok_simultaneous",
        [HANDSHAKE_NOK] = "nok",        [HANDSHAKE_NOT_ALLOWED] = "not_allowed",
        [HANDSHAKE_IS_ALIVE] = "alive",
    };
    int rc = handshake_write_status(&handshake->out, texts[answer]);

    cn_assert(handshake_state(handshake) == HANDSHAKE_NAMED);
    if (rc != 0)
        return rc;
    switch (answer) {
    case HANDSHAKE_NOK:
        refuse(handshake, HANDSHAKE_LOST_TIE);
        return 0;
    case HANDSHAKE_NOT_ALLOWED:
        refuse(handshake, "not allowed");
        return 0;
    case HANDSHAKE_IS_ALIVE:
        sm_move(&handshake->sm, HANDSHAKE_ALIVE);
        return 0;
    default:
        return send_challenge(handshake);
    }
}

static int on_alive_reply(struct handshake *handshake, struct cn_bytes message)
{
    if (handshake_is_status(message, "true"))
        return send_challenge(handshake);
    refuse(handshake, "the peer does not want to replace its connection");
    return 0;
}

static int on_reply(struct handshake *handshake, struct cn_bytes message)
{
    uint32_t challenge;
    const uint8_t *digest;

    if (handshake_read_reply(message, &challenge, &digest) != 0) {
        refuse(handshake, "no challenge reply where one was due");
        return 0;
    }
    if (!digest_matches(handshake, digest)) {
        refuse(handshake, "wrong cookie");
        return 0;
    }
    handshake->peer_challenge = challenge;
    sm_move(&handshake->sm, HANDSHAKE_PROVEN);
    return 0;
}

int handshake_accept(struct handshake *handshake)
{
    uint8_t digest[HANDSHAKE_DIGEST_BYTES];
    int rc;

    cn_assert(handshake_state(handshake) == HANDSHAKE_PROVEN);
    rc = handshake_digest(handshake->config.cookie, handshake->peer_challenge, digest);
    if (rc == 0)
        rc = handshake_write_ack(&handshake->out, digest);
    if (rc == 0)
        sm_move(&handshake->sm, HANDSHAKE_DONE);
    return rc;
}

static int on_status(struct handshake *handshake, struct cn_bytes message)
{
    if (handshake_is_status(message, "ok") || handshake_is_status(message, "ok_simultaneous")) {
        sm_move(&handshake->sm, HANDSHAKE_CHALLENGE);
        return 0;
    }
    if (handshake_is_status(message, "alive")) {
        sm_move(&handshake->sm, HANDSHAKE_CHALLENGE);
        return handshake_write_status(&handshake->out, "true");
    }
    if (handshake_is_status(message, "nok"))
        sm_move(&handshake->sm, HANDSHAKE_DEFERRED);
    else if (handshake_is_status(message, "not_allowed"))
        refuse(handshake, "the peer does not allow us");
    else
        refuse(handshake, "no status that we know where one was due");
    return 0;
}

static int answer_challenge(struct handshake *handshake)
{
    uint8_t digest[HANDSHAKE_DIGEST_BYTES];
    int rc = handshake_digest(handshake->config.cookie, handshake->peer_challenge, digest);

    if (rc != 0)
        return rc;
    rc = handshake_write_reply(&handshake->out, choose_challenge(handshake), digest);
    sm_move(&handshake->sm, HANDSHAKE_ACK);
    return rc;
}

static int on_challenge(struct handshake *handshake, struct cn_bytes message)
{
    const struct handshake_config *config = &handshake->config;
    struct handshake_challenge challenge;

    if (handshake_read_challenge(message, &challenge) != 0) {
        refuse(handshake, "no challenge where one was due");
        return 0;
    }
    if (!cn_bytes_equal(challenge.name, config->peer)) {
        refuse(handshake, "another node answers under this address");
        return 0;
    }
    if (!take_flags(handshake, challenge.flags, challenge.creation))
        return 0;
    if (config->outstanding(config->context, challenge.challenge)) {
        refuse(handshake, "the peer's challenge is one of our own: reflected");
        return 0;
    }
    handshake->peer_challenge = challenge.challenge;
    return answer_challenge(handshake);
}

static int on_ack(struct handshake *handshake, struct cn_bytes message)
{
    const uint8_t *digest;

    if (handshake_read_ack(message, &digest) != 0)
        refuse(handshake, "no challenge acknowledgement where one was due");
    else if (!digest_matches(handshake, digest))
        refuse(handshake, "wrong cookie");
    else
        sm_move(&handshake->sm, HANDSHAKE_DONE);
    return 0;
}

static int on_message(struct handshake *handshake, struct cn_bytes message)
{
    switch (handshake_state(handshake)) {
    case HANDSHAKE_NAME:
        return on_name(handshake, message);
    case HANDSHAKE_ALIVE:
        return on_alive_reply(handshake, message);
    case HANDSHAKE_REPLY:
        return on_reply(handshake, message);
    case HANDSHAKE_STATUS:
        return on_status(handshake, message);
    case HANDSHAKE_CHALLENGE:
        return on_challenge(handshake, message);
    case HANDSHAKE_ACK:
        return on_ack(handshake, message);
    default:
        cn_unreachable();
    }
}

/* Tell whether the machine waits for bytes, not for its caller, and has not ended. */
static bool wants_bytes(const struct handshake *handshake)
{
    enum handshake_state state = handshake_state(handshake);

    return state != HANDSHAKE_NAMED && state != HANDSHAKE_PROVEN && !sm_done(&handshake->sm);
}

/* Move bytes from the caller's into ours until one whole message is there. */
static int collect(struct handshake *handshake, const uint8_t *data, size_t size, size_t *used)
{
    struct bytes *in = &handshake->in;

    while (*used < size) {
        size_t wanted = 2;

        if (bytes_size(in) >= 2)
            wanted = 2 + (size_t)be16_get(bytes_data(in));
        if (wanted > 2 + HANDSHAKE_MESSAGE_MAX) {
            refuse(handshake, "a handshake message that is too long");
            return 0;
        }
        wanted -= bytes_size(in);
        if (wanted == 0)
            return 0;
        if (wanted > size - *used)
            wanted = size - *used;
        if (bytes_append(in, data + *used, wanted) != 0)
            return -ENOMEM;
        *used += wanted;
    }
    return 0;
}

static bool message_complete(const struct bytes *in)
{
    return bytes_size(in) >= 2 && bytes_size(in) == 2 + (size_t)be16_get(bytes_data(in));
}

int handshake_feed(struct handshake *handshake, const uint8_t *data, size_t size, size_t *ret_used)
{
    size_t used = 0;
    int rc = 0;

    while (rc == 0 && wants_bytes(handshake)) {
        struct bytes *in = &handshake->in;

        rc = collect(handshake, data, size, &used);
        if (rc != 0 || !wants_bytes(handshake) || !message_complete(in))
            break;
        rc = on_message(handshake, (struct cn_bytes){bytes_data(in) + 2, bytes_size(in) - 2});
        bytes_clear(in);
    }
    *ret_used = used;
    return rc;
}

void handshake_refuse(struct handshake *handshake, const char *reason)
{
    if (!sm_done(&handshake->sm))
        refuse(handshake, "%s", reason);
}

enum handshake_state handshake_state(const struct handshake *handshake)
{
    return (enum handshake_state)sm_state(&handshake->sm);
}

struct bytes *handshake_output(struct handshake *handshake)
{
    return &handshake->out;
}

const char *handshake_reason(const struct handshake *handshake)
{
    return handshake->reason;
}

const char *handshake_peer(const struct handshake *handshake)
{
    return handshake->peer_name;
}

uint64_t handshake_flags(const struct handshake *handshake)
{
    return handshake->config.flags & handshake->peer_flags;
}

uint32_t handshake_peer_creation(const struct handshake *handshake)
{
    return handshake->peer_creation;
}

bool handshake_has_given(const struct handshake *handshake, uint32_t challenge)
{
    return handshake->challenge_given && !sm_done(&handshake->sm) &&
           handshake->challenge == challenge;
}
