/*
 * EPMD's protocol: the name service of a host, which knows each node's port.
 *
 * A node registers (ALIVE2) and stays registered as long as it keeps that socket open; anybody may
 * ask for a node's port (PORT_PLEASE2). Requests carry a 2-byte length, replies do not, so a reader
 * here is given everything received so far and tells whether more is needed; no reply that we read
 * is longer than EPMD_REPLY_MAX.
 *
 * Source: "Distribution Protocol", EPMD Protocol, ERTS User's Guide; distribution.md B.1.
 */
#ifndef DIST_EPMD_H
#define DIST_EPMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/** The version of the distribution protocol that we speak: that of HANDSHAKE_23. */
#define EPMD_DIST_VERSION 6
/** No reply needs more bytes than this to be understood. */
#define EPMD_REPLY_MAX 1024
/** Where EPMD listens when nobody says otherwise. */
#define EPMD_PORT 4369

/** What EPMD knows of a node. */
struct epmd_node {
    uint16_t port;
    bool hidden;
    uint16_t version_low;
    uint16_t version_high;
};

/**
 * Append the request to register @alive (the name before the @) with its @port. Errors: -ENOMEM,
 * -E2BIG.
 */
int epmd_write_register(struct bytes *out, const char *alive, uint16_t port, bool hidden);
/**
 * Read the reply to a registration. Old EPMDs give a creation of 16 bits, new ones of 32.
 *
 * Errors: CN_E_MORE; CN_E_TAKEN when the name is registered by somebody else; CN_E_INVALID.
 */
int epmd_read_register_reply(const uint8_t *data, size_t size, uint32_t *ret_creation);
/** Append the request for the port of @alive. Errors: -ENOMEM, -E2BIG. */
int epmd_write_lookup(struct bytes *out, const char *alive);
/**
 * Read the reply to a lookup of @alive.
 *
 * Errors: CN_E_MORE; CN_E_UNKNOWN when there is no such node; CN_E_UNSUPPORTED when it does not
 * speak our version; CN_E_INVALID.
 */
int epmd_read_lookup_reply(const uint8_t *data, size_t size, const char *alive,
                           struct epmd_node *ret_node);

#endif
