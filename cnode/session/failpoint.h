/*
 * Failpoints: named steps of a handoff at which a test lets its own node fail.
 *
 * The table of what may fail in a handoff (PROTOCOL.md) names steps that last microseconds. A test
 * that waits for one by the clock tests chance; here the node itself fails when it gets there. They
 * are in builds with -Dfailpoints=true alone (debug and asan of scripts/build): in any other build
 * failpoint() is the constant false and its text is in no program.
 *
 * One is set by MINOTAUR_FAILPOINT=POINT=ACTION in the environment of the node. Points are where
 * something has arrived or is about to be said, so that what was said before has left the node:
 *
 *   source: out_accept (accepted, not frozen), out_ready (ready heard), out_names (the names have
 *           moved, activate is not said), out_active (active heard)
 *   target: in_offer, in_state (a chunk came), in_digest (all is there, ready is not said),
 *           in_activate (activate came), in_active (it runs, active is not said)
 *
 * Actions: kill (SIGKILL), stop (SIGSTOP, until somebody continues it), silent (the step is left
 * out, everything else goes on), refuse (in_offer and in_digest: the answer is a refusal).
 */
#ifndef SESSION_FAILPOINT_H
#define SESSION_FAILPOINT_H

#include <stdbool.h>

#ifdef CNODE_FAILPOINTS

/** Reach @point: fails here if it is set to, and tells whether the step must be left out. */
bool failpoint(const char *point);
/** Tell whether @point is set to refuse. */
bool failpoint_refuses(const char *point);

#else

static inline bool failpoint(const char *point)
{
    return false;
}

static inline bool failpoint_refuses(const char *point)
{
    return false;
}

#endif

#endif
