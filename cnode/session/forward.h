/*
 * The forwarder: what the old process of a session is after its state has moved.
 *
 * Whoever looked the name up just before it moved, or still holds the pid, loses nothing: calls
 * (with their caller), casts and messages go on to the new process, which answers the caller
 * directly. It ends when the names have been elsewhere for 500 ms and nobody monitors it any more,
 * or when the drain's time is over; its reason, {shutdown, {moved, New}}, tells late watchers where
 * to go.
 *
 * Names that have not moved yet, for the registry is slow, keep it: they are its to move. A wish
 * that the registry refuses is repeated every 100 ms.
 *
 * While the owner's node does not read, what comes waits here (proc/stalls.c): nothing is lost, and
 * nothing but this session's old callers waits.
 *
 * When the owner itself moves on and its forwarder ends, this one follows it.
 *
 * So does one that had another owner beside it and gave way to it (conflict.h); its reason is
 * {shutdown, {session_conflict, Winner}}, and it ends after some seconds even if somebody watches.
 *
 * It keeps the state that it gave away. When the new owner crashes, or its node is gone (a lost
 * connection is tried once more), it asks all hosts who owns the session. It follows whom they
 * name, or ends when they know that the session has (ended.h); when they know nothing, it is the
 * owner again, at the epoch of the one that is lost: what that one did since is lost, unless it
 * lives. A drain that is still on moves it to the next host. What comes while it asks is held. A
 * host that cannot be asked may have an owner all the same: conflict.h ends that.
 *
 * How it fails: when the new process ends in an orderly way, the session is over and the forwarder
 * ends at once.
 */
#ifndef SESSION_FORWARD_H
#define SESSION_FORWARD_H

#include "session/naming.h"

/** How far the session's names are. */
enum forward_names {
    FORWARD_NAMES_MOVING,
    FORWARD_NAMES_FAILED, /* to be asked for again */
    FORWARD_NAMES_MOVED,
};

/** A forwarder's state. Zeroed: its names are on their way. */
struct forward {
    struct cn_pid target;
    struct cn_ref monitor; /* of the target */
    enum forward_names names;
    uint64_t until_ms; /* not to end before; once the names have moved */
    uint64_t since_ms; /* the session stopped here; what it keeps is of then */
    uint64_t timer;
    uint64_t owners; /* that came after this process and its target */
    bool lost;       /* the connection with the target was, and is tried again */
    bool asking;     /* the target is gone: the hosts are asked who owns the session */
    bool over;       /* and if nobody does, it has ended */
    bool conflict;   /* it gave way to another owner: conflict.h */
};

/** Note in @forward what came of moving the names of @session to its target. */
void forward_names(struct session *session, struct forward *forward,
                   const struct naming_result *result);
/**
 * Become a forwarder, from frozen. Ownership: @forward, allocated, with target and monitor set, is
 * taken.
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
