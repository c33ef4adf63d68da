/*
 * This node as a full member of :global: it has the whole table of names, takes part in all locks,
 * and joins partitions as any BEAM node does. Protocol version 8; 5 to 7 are understood.
 *
 * Three processes, as in OTP, since their pids are part of the protocol: `global_name_server` keeps
 * the tables and answers; the locker holds the lock under which two partitions join; the registrar
 * holds the lock under which names change. The two that lock ask all servers, their own included,
 * by ordinary calls.
 *
 * Two nodes that meet run a meeting each (member_meetings.c):
 *
 *     idle ──► called ──► met ──► locked ──► resolving ──► resolved ──► idle, and known
 *       ▲         │        │         │           │             │
 *       └─────────┴────────┴─────────┴───────────┴─────────────┘ cancelled, in sync otherwise, down
 *
 * called: our init_connect is out. met: theirs is in, and the locker knows. locked: both partitions
 * are locked under one id, our names are out. resolving: theirs are in, conflicts are being
 * resolved. resolved: our verdicts are out. Then each side tells the nodes that it knew before of
 * those that are new (new_nodes), and the lock is released, at the greatest node last.
 *
 * What keeps a cluster whole with a node as different as this one in it:
 *
 * - Every remote pid in a table is monitored, so that the end of a lock's holder frees the lock and
 *   the end of a process frees its names.
 * - lost_connection is honoured and relayed but never originated: we are expelled and come back,
 *   no two other nodes are parted because of us.
 * - A lock that could not be had everywhere is given back everywhere, the other side of a join
 *   included.
 * - The registrar changes many names under one lock, but never holds it longer than a slice, and
 *   leaves it to others for a while after a full one: while its last bundles are answered, or then.
 *
 * Without memory a change may be lost here that others made; then the connection to its sender is
 * closed, and joining again repairs the table.
 *
 * Source: kernel's global.erl of OTP 25; distribution.md C.
 */
#ifndef REGISTRY_MEMBER_H
#define REGISTRY_MEMBER_H

#include "otp/functions.h"
#include "registry/registry.h"

struct member;

/**
 * Start the three processes in @procs, and global:whereis_name/1 and global:resolve_it/4 in
 * @functions. @hooks is copied. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM.
 */
int member_new(struct procs *procs, struct functions *functions, const struct global_hooks *hooks,
               struct member **ret_member);
/** Release, after procs_free; returns NULL. What was not answered is forgotten. */
struct member *member_free(struct member *member);
/** Fill the table of functions. */
void member_registry(struct member *member, struct registry *ret_registry);
/** Tell whether @node is known: it has joined, and shares our names. */
bool member_knows(const struct member *member, const char *node);
/** Count the names in :global. */
size_t member_names(const struct member *member);
/** Count the locks that anybody holds here. */
size_t member_locks(const struct member *member);

#endif
