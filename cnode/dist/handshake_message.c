/*
 * The messages of the handshake: fixed fields, so each reader is one size check and a few loads.
 */
#include "dist/handshake_message.h"

#include <string.h>

#include "base/error.h"
#include "dist/handshake.h"

#define NAME_FIXED_BYTES      15 /* tag, flags, creation, size of the name */
#define CHALLENGE_FIXED_BYTES 19 /* tag, flags, challenge, creation, size of the name */
#define REPLY_BYTES           (1 + 4 + HANDSHAKE_DIGEST_BYTES)
#define ACK_BYTES             (1 + HANDSHAKE_DIGEST_BYTES)

/* Append length, @head and @tail, all or nothing. */
static int write_message(struct bytes *out, const uint8_t *head, size_t head_size, const void *tail,
                         size_t tail_size)
{
    size_t size = head_size + tail_size;
    uint8_t *place;
    int rc = bytes_reserve(out, 2 + size, &place);

    if (rc != 0)
        return rc;
    be16_put(place, (uint16_t)size);
    memcpy(place + 2, head, head_size);
    memcpy(place + 2 + head_size, tail, tail_size);
    bytes_commit(out, 2 + size);
    return 0;
}

int handshake_write_name(struct bytes *out, uint64_t flags, uint32_t creation, const char *name)
{
    uint8_t head[NAME_FIXED_BYTES];

    head[0] = 'N';
    be64_put(head + 1, flags);
    be32_put(head + 9, creation);
    be16_put(head + 13, (uint16_t)strlen(name));
    return write_message(out, head, sizeof(head), name, strlen(name));
}

int handshake_write_status(struct bytes *out, const char *status)
{
    return write_message(out, (const uint8_t *)"s", 1, status, strlen(status));
}

int handshake_write_challenge(struct bytes *out, uint64_t flags, uint32_t challenge,
                              uint32_t creation, const char *name)
{
    uint8_t head[CHALLENGE_FIXED_BYTES];

    head[0] = 'N';
    be64_put(head + 1, flags);
    be32_put(head + 9, challenge);
    be32_put(head + 13, creation);
    be16_put(head + 17, (uint16_t)strlen(name));
    return write_message(out, head, sizeof(head), name, strlen(name));
}

int handshake_write_reply(struct bytes *out, uint32_t challenge, const uint8_t digest[16])
{
    uint8_t head[5];

    head[0] = 'r';
    be32_put(head + 1, challenge);
    return write_message(out, head, sizeof(head), digest, HANDSHAKE_DIGEST_BYTES);
}

int handshake_write_ack(struct bytes *out, const uint8_t digest[16])
{
    return write_message(out, (const uint8_t *)"a", 1, digest, HANDSHAKE_DIGEST_BYTES);
}

/* View the name whose 2-byte size ends the @fixed first bytes of @message. */
static int read_text(struct cn_bytes message, size_t fixed, struct cn_bytes *ret_text)
{
    size_t size;

    if (message.size < fixed || message.data[0] != 'N')
        return CN_E_INVALID;
    size = be16_get(message.data + fixed - 2);
    if (size > message.size - fixed)
        return CN_E_INVALID;
    *ret_text = (struct cn_bytes){message.data + fixed, size};
    return 0;
}

int handshake_read_name(struct cn_bytes message, struct handshake_name *ret_name)
{
    struct cn_bytes name;

    if (read_text(message, NAME_FIXED_BYTES, &name) != 0)
        return CN_E_INVALID;
    ret_name->flags = be64_get(message.data + 1);
    ret_name->creation = be32_get(message.data + 9);
    ret_name->name = name;
    return 0;
}

bool handshake_is_status(struct cn_bytes message, const char *status)
{
    return message.size > 0 && message.data[0] == 's' && message.size - 1 == strlen(status) &&
           memcmp(message.data + 1, status, message.size - 1) == 0;
}

int handshake_read_challenge(struct cn_bytes message, struct handshake_challenge *ret_challenge)
{
    struct cn_bytes name;

    if (read_text(message, CHALLENGE_FIXED_BYTES, &name) != 0)
        return CN_E_INVALID;
    ret_challenge->flags = be64_get(message.data + 1);
    ret_challenge->challenge = be32_get(message.data + 9);
    ret_challenge->creation = be32_get(message.data + 13);
    ret_challenge->name = name;
    return 0;
}

int handshake_read_reply(struct cn_bytes message, uint32_t *ret_challenge,
                         const uint8_t **ret_digest)
{
    if (message.size != REPLY_BYTES || message.data[0] != 'r')
        return CN_E_INVALID;
    *ret_challenge = be32_get(message.data + 1);
    *ret_digest = message.data + 5;
    return 0;
}

int handshake_read_ack(struct cn_bytes message, const uint8_t **ret_digest)
{
    if (message.size != ACK_BYTES || message.data[0] != 'a')
        return CN_E_INVALID;
    *ret_digest = message.data + 1;
    return 0;
}
