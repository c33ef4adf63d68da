/*
 * What subscribers of a session are told, once each: that a round has begun, that it has moved.
 *
 * Subscribers are the members of the group {session, Id} of a pg scope that all hosts share. Who
 * tells is who owns the session: a round is told by whoever carried out the change that began it, a
 * move by the new owner when it is activated. The state moves while nothing is executed, so no
 * event has two tellers and none is missed. Only a source that takes its session back, after more
 * than a refusal, tells of a move too: the target may have told one that has come to nothing.
 *
 * The same events go to the processes of a Phoenix.PubSub's adapter, if one is set: one message to
 * each of them, which hands it on to its node's subscribers of the topic "session:" Id.
 *
 * Events are sent in the session's name, so they keep their order among themselves and with its
 * answers. A process that has joined its group twice is one subscriber.
 *
 * How it fails: without memory an event is not told, which the log says.
 */
#ifndef SESSION_EVENTS_H
#define SESSION_EVENTS_H

#include "session/session.h"

/** The most subscribers that an offer names. */
#define EVENTS_OFFERED_MAX 1000
/** The most bytes of their pids, with the longest names of nodes. */
#define EVENTS_OFFERED_BYTES_MAX (EVENTS_OFFERED_MAX * (CN_NODE_NAME_MAX + 32))

/** Write the list of subscribers into an offer, see events_arrived. */
void events_write_subscribers(const struct session *session, struct cn_writer *writer);
/** @session is the owner now, and was not: tell its subscribers. */
void events_moved(const struct session *session);
/**
 * The same of one that another host has offered: @offered lists those that the source knew, size 0:
 * none. Those of them that are not known here are told too: a node that has just come takes over
 * from one that knows the cluster.
 */
void events_arrived(const struct session *session, struct cn_term offered);
/** @session is the owner no more: its subscribers hear that @owner is. */
void events_moved_to(const struct session *session, const struct cn_pid *owner);
/** Note the round that @session is in: it is not news. */
void events_note_round(struct session *session);
/** @session has changed: tell its subscribers if another round has begun. */
void events_changed(struct session *session);

#endif
