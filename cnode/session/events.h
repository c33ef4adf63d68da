/*
 * What subscribers of a session are told, once each: that a round has begun, that it has moved.
 *
 * Subscribers are the members of the group {session, Id} of a pg scope that all hosts share. Who
 * tells is who owns the session: a round is told by whoever carried out the change that began it, a
 * move by the new owner when it is activated. The state moves while nothing is executed, so no
 * event has two tellers and none is missed. Only a source that takes its session back after it has
 * said `activate` tells of a move too: the target may have told one that has come to nothing.
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

/** @session is the owner now, and was not: tell its subscribers. */
void events_moved(const struct session *session);
/** Note the round that @session is in: it is not news. */
void events_note_round(struct session *session);
/** @session has changed: tell its subscribers if another round has begun. */
void events_changed(struct session *session);

#endif
