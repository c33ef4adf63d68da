/*
 * The supervisor of session processes, as operators and tools know it from a BEAM host.
 *
 * A process registered as HOSTS_SUPERVISOR_NAME that answers what Elixir's DynamicSupervisor asks:
 * which_children, count_children, terminate_child. Starting a child takes a state and names: that
 * is the host's, so start_child is refused.
 *
 * Source: Elixir's DynamicSupervisor and Supervisor.
 */
#ifndef SESSION_SUPERVISOR_H
#define SESSION_SUPERVISOR_H

#include "session/host.h"

/** Start it. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM, with nothing started. */
int supervisor_start(struct hosts *hosts);
/** The hosts go while it may still be there: it forgets them. */
void supervisor_forget(struct hosts *hosts);

#endif
