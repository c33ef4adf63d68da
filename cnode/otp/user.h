/*
 * `user`, the group leader of what is spawned elsewhere from here.
 *
 * A process on a BEAM writes to its group leader and waits for the answer, wherever that is. So
 * who applies a function there must answer, or the function would stand still at its first
 * IO.puts. What is written is dropped: this node has no terminal, and a log is no place for foreign
 * text. Reading is refused.
 *
 * Source: "The Erlang I/O-protocol", stdlib User's Guide.
 */
#ifndef OTP_USER_H
#define OTP_USER_H

#include "proc/process.h"

/** Start `user`. Without it callers are their own group leaders. Errors: CN_E_TAKEN, CN_E_LIMIT,
 * -ENOMEM. */
int user_start(struct procs *procs);

#endif
