/*
 * The rehearsal of a drain: who would go where, nothing moved.
 *
 * Source: PROTOCOL.md, "Calls to H". How it fails: without memory the answer is {error, no_memory}.
 */
#ifndef SESSION_REHEARSE_H
#define SESSION_REHEARSE_H

#include "session/host.h"

/** Answer the call `rehearse`, when all sessions have been looked at. */
void rehearse_call(struct hosts *hosts, const struct gen_from *from);

#endif
