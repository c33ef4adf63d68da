/*
 * What the host process answers: the table of calls of PROTOCOL.md.
 */
#ifndef SESSION_REQUESTS_H
#define SESSION_REQUESTS_H

#include "session/host.h"

/** Answer a call to the host process, now or later; an unknown one gets {error, unknown_request}.
 */
void requests_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request);

#endif
