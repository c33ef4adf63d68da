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
/**
 * The same for a session's own question; called at most once: not when @session has ended. @ended:
 * nobody has the session, for it is over (ended.h).
 */
typedef void (*locate_other_done)(struct session *session, const struct cn_pid *pid, bool ended);

/** Find a session that is owned here, or its new owner while its forwarder is here; NULL: neither.
 */
const struct cn_pid *locate_here(const struct hosts *hosts, enum locate_by by, struct cn_bytes key);
/** Find a session anywhere; @done may be called at once. */
void locate_session(struct hosts *hosts, enum locate_by by, struct cn_bytes key, locate_done done,
                    void *context);
/** What a session asks for. Zeroed: another owner of it than itself, of the known hosts. */
struct locate_question {
    const struct cn_pid *except; /* it is no owner; NULL: none */
    const struct cn_pid *lost;   /* its node is asked, too, known as a host or not; NULL: none */
    uint64_t since_ms;           /* also whether it has ended since it stopped here; 0: not that */
};

/** Ask all other hosts about @session. @done may be called at once. */
void locate_other(struct session *session, const struct locate_question *question,
                  locate_other_done done);

#endif
