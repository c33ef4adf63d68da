/*
 * Calls that are made again because they broke off: {repeat, Tag, AgeMs, Request}.
 *
 * Tag is the reference in the tag of the first call, AgeMs how long ago that was made. The answer
 * is
 *
 *     {now, Answer}         it had not been carried out, and is now
 *     {carried_out, State}  it had been; the state is as it is now
 *     in_doubt              nobody knows any more (carried_out.h)
 *
 * The first call may come after its repetition, by a longer way: it is dropped then, for its caller
 * waits for another answer. Source: PROTOCOL.md, "A call that broke off".
 */
#ifndef SESSION_REPEAT_H
#define SESSION_REPEAT_H

#include "session/host.h"
#include "session/session.h"

/** Note that the call of @from was carried out and changed the game. */
void repeat_note(struct session *session, const struct gen_from *from);
/** Answer a call that is made again; false, and nothing done, for anything else. */
bool repeat_call(struct session *session, const struct gen_from *from, struct cn_term request);
/** Tell whether the call of @from has been carried out already: it is to be dropped. */
bool repeat_is_late(const struct session *session, const struct gen_from *from);

#endif
