/*
 * Names: puts registry/'s `:global` names into the table that session/ asks for.
 *
 * session/ knows names as a table of functions, registry/ knows nothing of sessions; this adapter
 * is all that stands between them, so that a later registry (Horde, a full member of `:global`)
 * takes its place here alone.
 */
#ifndef NODE_NAMES_H
#define NODE_NAMES_H

#include "registry/global_external.h"
#include "session/hosts.h"

struct names;

/** Start the registry's process in @procs. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int names_new(struct procs *procs, struct functions *functions, struct names **ret_names);
/** Release, after procs_free; returns NULL. */
struct names *names_free(struct names *names);
/** The table for hosts_new. */
const struct session_names *names_table(struct names *names);
/** The registry itself, for servers that register terms of their own. */
struct global *names_global(struct names *names);
/** A visible peer is up. Errors: -ENOMEM. */
int names_peer_up(struct names *names, const char *node);
/** A peer is gone. */
void names_peer_down(struct names *names, const char *node);

#endif
