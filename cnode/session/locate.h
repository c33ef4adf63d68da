/*
 * Finding the process of a session: this node's table, then all other known hosts at once.
 *
 * Source: PROTOCOL.md, "Finding a session". How it fails: a host that does not answer in a second
 * counts as one that does not have the session.
 */
#ifndef SESSION_LOCATE_H
#define SESSION_LOCATE_H

#include "session/host.h"

/** By which of its names. */
enum locate_by {
    LOCATE_BY_ID,
    LOCATE_BY_CODE,
};

/** Called exactly once, unless the hosts are released first. @pid: NULL when nobody has the
 * session. */
typedef void (*locate_done)(void *context, const struct cn_pid *pid);
/** The same for a session's own question; called at most once: not when @session has ended. */
typedef void (*locate_other_done)(struct session *session, const struct cn_pid *pid);

/** Find a session that is owned here, or its new owner while its forwarder is here; NULL: neither.
 */
const struct cn_pid *locate_here(const struct hosts *hosts, enum locate_by by, struct cn_bytes key);
/** Find a session anywhere; @done may be called at once. */
void locate_session(struct hosts *hosts, enum locate_by by, struct cn_bytes key, locate_done done,
                    void *context);
/**
 * Ask all other known hosts for another process of @session than itself and @except (NULL: none),
 * which it knows to be no owner. @done may be called at once.
 */
void locate_other(struct session *session, const struct cn_pid *except, locate_other_done done);

#endif
