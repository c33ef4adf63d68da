/*
 * The forwarder: what the old process of a session is after its state has moved.
 *
 * Whoever looked the name up just before it moved, or still holds the pid, loses nothing: calls
 * (with their caller), casts and messages go on to the new process, which answers the caller
 * directly. It ends when the names have been elsewhere for 500 ms and nobody monitors it any more,
 * or when the drain's time is over; its reason, {shutdown, {moved, New}}, tells late watchers where
 * to go.
 *
 * How it fails: when the new process ends, nothing can be passed on and the forwarder ends at once.
 */
#ifndef SESSION_FORWARD_H
#define SESSION_FORWARD_H

#include "session/session.h"

/** A forwarder's state. */
struct forward {
    struct cn_pid target;
    struct cn_ref monitor; /* of the target */
    uint64_t until_ms;     /* not to end before */
    uint64_t timer;
};

/**
 * Become a forwarder, from frozen. Ownership: @forward, allocated, with target, monitor and
 * until_ms set, is taken.
 */
void forward_start(struct session *session, struct forward *forward);
/** Pass @message on. */
void forward_message(struct session *session, struct cn_term message);
/** A timer of the session is due. */
void forward_timer(struct session *session, uint64_t timer);
/** End now, whoever still watches. */
void forward_end(struct session *session);
/** The session ends: release. */
void forward_session_ends(struct session *session);
/** Give the new process of a session that is a forwarder. */
const struct cn_pid *forward_target(const struct session *session);

#endif
