/*
 * Process groups, as OTP's pg: who is in a group is known on every node that has its scope.
 */
#ifndef CNODE_PG_H
#define CNODE_PG_H

#include <cnode/server.h>

/** Groups that are shared with the nodes on which :pg.start_link/1 has the same scope. */
struct cn_pg;

/** Start the scope @name, or find it. It ends with the node. Errors: CN_TAKEN, CN_LIMIT, -ENOMEM.
 */
int cn_pg_start(struct cn_node *node, const char *name, struct cn_pg **ret_pg);
/** Join @self to @group, any term but a map, as :pg.join/3. Errors: CN_LIMIT, -ENOMEM. */
int cn_pg_join(struct cn_pg *pg, struct cn_server *self, struct cn_term group);
/** Take one joining back. Errors: CN_UNKNOWN (it has not joined), -ENOMEM. */
int cn_pg_leave(struct cn_pg *pg, struct cn_server *self, struct cn_term group);
/** Write the list of members, as :pg.get_members/2; with @local_only those of this node. */
void cn_pg_write_members(struct cn_pg *pg, struct cn_term group, bool local_only,
                         struct cn_writer *writer);
/** Send to each member once, however often it has joined. Errors: as cn_send, of any of them. */
int cn_pg_send(struct cn_pg *pg, struct cn_server *self, struct cn_term group,
               struct cn_term message);
/**
 * Let {Ref, join | leave, Group, Pids} come to handle_info with each change from now on; of all
 * groups when @group is NULL. Errors: CN_LIMIT, -ENOMEM.
 */
int cn_pg_monitor(struct cn_pg *pg, struct cn_server *self, const struct cn_term *group,
                  struct cn_ref *ret_ref);
/** Let none come any more; those that wait already still do. */
void cn_pg_demonitor(struct cn_pg *pg, const struct cn_ref *ref);

#endif
