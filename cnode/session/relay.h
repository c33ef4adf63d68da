/*
 * Questions about an owner that come by way of a third host.
 *
 * {owner, Id} asks a host whether it owns a session: the pid, or nil; what a forwarder believes
 * does not count. {owner, Id, Node} asks for the same of the host on Node, for somebody who cannot
 * reach that one. So a wire that is cut between two hosts is told from a node that is gone: as long
 * as anybody reaches both, only one of them owns the session.
 *
 * How it fails: a host that does not know Node as a host, gets no answer from it within RELAY_MS,
 * or has no memory answers nil, as if there were no owner.
 *
 * Source: PROTOCOL.md, "A wire that is cut".
 */
#ifndef SESSION_RELAY_H
#define SESSION_RELAY_H

#include "session/host.h"

/** The other host has so long; who asks waits longer. */
#define RELAY_MS 700

/** Take a call if it is one of the two, now or later; false when it is something else. */
bool relay_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request);
/** Write the question for the owner of @id, on @node for somebody else; NULL: on the asked host. */
void relay_write(struct cn_writer *writer, struct cn_bytes id, const char *node);

#endif
