/*
 * The names of sessions that came from other hosts.
 *
 * The host that a session left moves its names, after the session runs here. When that host is gone
 * it has done so, or never will: it crashed, its time was over, or it did not know all nodes of the
 * cluster. So whenever a host is gone, the names of all sessions that have arrived here are looked
 * up, and those that do not lead to them are taken.
 *
 * How it fails: a look that finds no memory, or a registry that does not answer, is made good when
 * the next host goes.
 */
#ifndef SESSION_ARRIVALS_H
#define SESSION_ARRIVALS_H

#include "session/session.h"

/** Note that @session has come from another host and runs. */
void arrivals_add(struct session *session);
/** The names of @session may have been taken from it: see to them in a second. */
void arrivals_look_soon(struct session *session);
/** A host is gone: see to the names, some hundred sessions at a time. */
void arrivals_host_gone(struct hosts *hosts);

#endif
