/*
 * The pg scopes that this node is a member of, and what sessions need of them.
 *
 * Every scope hears of the same peers, hidden nodes left out, as a BEAM's do. The scope
 * `Elixir.Minotaur.PubSub` is where subscribers of sessions are, on C nodes and BEAM nodes alike.
 * With --pubsub the node is also in `Elixir.Phoenix.PubSub`, in which Phoenix's default adapter
 * keeps its processes: not as one of them, only to know whom to send to.
 */
#ifndef NODE_SCOPES_H
#define NODE_SCOPES_H

#include "net/network.h"
#include "node/config.h"
#include "registry/pg.h"
#include "session/hosts.h"

struct scopes;

/**
 * Start with no scope, and let peers ask by rpc. @network: whose connections may be closed, NULL:
 * none. Errors: as pg_functions_add.
 */
int scopes_new(struct procs *procs, struct functions *functions, struct network *network,
               struct scopes **ret_scopes);
/** Release, after procs_free; NULL is fine. Returns NULL. */
struct scopes *scopes_free(struct scopes *scopes);
/** Find the scope @name or start it, and discover the peers that are up. Errors: as pg_new. */
int scopes_start(struct scopes *scopes, const char *name, struct pg **ret_pg);
/** Start those of sessions, and fill them in. Errors: as pg_new. */
int scopes_for_game(struct scopes *scopes, const struct config *config, struct hosts_config *hosts);
/** A peer is up (after procs_peer_up). Errors: -ENOMEM. */
int scopes_peer_up(struct scopes *scopes, const struct peer_info *peer);
/** A peer is gone. */
void scopes_peer_down(struct scopes *scopes, const char *node);

#endif
