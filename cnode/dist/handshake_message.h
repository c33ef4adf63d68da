/*
 * The messages of the handshake, as bytes.
 *
 * Writers append one whole message with its 2-byte length; readers take one without it, check
 * every size, and ignore bytes after the last field.
 *
 * Source: "Distribution Protocol", Distribution Handshake, ERTS User's Guide; distribution.md B.1.
 */
#ifndef DIST_HANDSHAKE_MESSAGE_H
#define DIST_HANDSHAKE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <cnode/term.h>

#include "base/bytes.h"

/** 'N' of the dialling side. */
struct handshake_name {
    uint64_t flags;
    uint32_t creation;
    struct cn_bytes name; /* a view into the message */
};

/** 'N' of the accepting side. */
struct handshake_challenge {
    uint64_t flags;
    uint32_t challenge;
    uint32_t creation;
    struct cn_bytes name; /* a view into the message */
};

/** Append the dialling side's name. Errors: -ENOMEM. */
int handshake_write_name(struct bytes *out, uint64_t flags, uint32_t creation, const char *name);
/** Append a status, either side. Errors: -ENOMEM. */
int handshake_write_status(struct bytes *out, const char *status);
/** Append the accepting side's challenge. Errors: -ENOMEM. */
int handshake_write_challenge(struct bytes *out, uint64_t flags, uint32_t challenge,
                              uint32_t creation, const char *name);
/** Append the dialling side's digest and challenge. Errors: -ENOMEM. */
int handshake_write_reply(struct bytes *out, uint32_t challenge, const uint8_t digest[16]);
/** Append the accepting side's digest. Errors: -ENOMEM. */
int handshake_write_ack(struct bytes *out, const uint8_t digest[16]);

/** Read a name. Errors: CN_E_INVALID. */
int handshake_read_name(struct cn_bytes message, struct handshake_name *ret_name);
/** Tell whether @message is exactly the status @status. */
bool handshake_is_status(struct cn_bytes message, const char *status);
/** Read a challenge. Errors: CN_E_INVALID. */
int handshake_read_challenge(struct cn_bytes message, struct handshake_challenge *ret_challenge);
/** Read a challenge reply; @ret_digest points into the message. Errors: CN_E_INVALID. */
int handshake_read_reply(struct cn_bytes message, uint32_t *ret_challenge,
                         const uint8_t **ret_digest);
/** Read a challenge acknowledgement; @ret_digest points into the message. Errors: CN_E_INVALID. */
int handshake_read_ack(struct cn_bytes message, const uint8_t **ret_digest);

#endif
