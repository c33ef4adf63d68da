/*
 * Names in :global, through a BEAM neighbour: how a hidden node has them (a visible one is a full
 * member, registry/member.h).
 *
 * The node takes no part in :global's locks and keeps no copy of its table. It tells each peer's
 * global_name_server that it is in sync, so that nobody waits for it, and lets a BEAM neighbour
 * register its names (global:register_name_external), as erl_interface does. What makes that whole:
 *
 * - One neighbour is used for all names, the one with the greatest node name: :global locks that
 *   one first anyway, and two registrars would wait for each other.
 * - Without a BEAM neighbour a name is taken locally only, and really when one appears.
 * - A BEAM node that loses its link to us forgets our names, for good, while the others keep them.
 *   So each neighbour that comes up is asked for all our names, in batches, and so is the next
 *   registrar when the old one is lost; a missing name is registered again at the very node that
 *   misses it: that node's check passes, and its registration overwrites the same pid everywhere
 *   else. All neighbours are asked again every minute.
 * - The registering node links our process (global.erl, dolink_ext). Honoured as any link, that
 *   would end every named process here with that BEAM node; so its global_name_server is made a
 *   quiet partner (procs_quiet_partner). Its monitors do the real work: they remove the name.
 * - A name goes along with its method wherever it is registered, moved or repaired. When partitions
 *   join, the BEAM that finds two holders asks the node of its own side's: if that is this one, by
 *   global:resolve_it; else our process is told, and says so (global_lost).
 * - A move is global:re_register_name with the new pid, which may live anywhere: it overwrites
 *   under the global lock, so the name is never missing. It registers without a link, and each
 *   BEAM node monitors the pid, which is right for a C node's pid too.
 *
 * All of this can fail only for lack of memory or of neighbours; outcomes come as callbacks, from
 * procs_run, never from inside the asking call. Once the process has ended (somebody killed it, or
 * procs_free) every request fails with CN_E_CLOSED.
 *
 * Source: kernel's global.erl; distribution.md C.3 and C.4; horde.md 2.7.
 */
#ifndef REGISTRY_GLOBAL_EXTERNAL_H
#define REGISTRY_GLOBAL_EXTERNAL_H

#include "otp/functions.h"
#include "registry/registry.h"

struct global;

/**
 * Start `global_name_server` in @procs, and the functions global:whereis_name/1 and
 * global:resolve_it/4 in @functions. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM.
 */
int global_new(struct procs *procs, struct functions *functions, const struct global_hooks *hooks,
               struct global **ret_global);
/** Release, after procs_free; returns NULL. What was not answered is forgotten. */
struct global *global_free(struct global *global);
/** Fill the table of functions, which are those below. */
void global_registry(struct global *global, struct registry *ret_registry);
/** A visible peer is up (after procs_peer_up). Errors: -ENOMEM. */
int global_peer_up(struct global *global, const char *node);
/** A peer is gone; unknown ones are ignored. */
void global_peer_down(struct global *global, const char *node);

/**
 * Register @pid, a process of this node, under the term @name. Thousands may be asked for at once;
 * those of one name are carried out in their order.
 * Ownership: @name is copied. Errors: -ENOMEM; then @done is not called.
 */
int global_register(struct global *global, struct cn_term name, const struct cn_pid *pid,
                    enum global_method method, global_done done, void *context);
/**
 * Take @name from @pid, a process of this node; NO, with nothing changed, when somebody else has
 * it. Errors: -ENOMEM; then @done is not called. @done may be NULL here.
 */
int global_unregister(struct global *global, struct cn_term name, const struct cn_pid *pid,
                      global_done done, void *context);
/**
 * Give the name to @pid, a process of any node, whoever has it now: the atomic move. The node of
 * @pid should global_adopt it. Errors: -ENOMEM; then @done is not called.
 */
int global_re_register(struct global *global, struct cn_term name, const struct cn_pid *pid,
                       enum global_method method, global_done done, void *context);
/**
 * Take care from now on of a name that somebody else moved or moves to @pid, a process of this
 * node, with @method: it is kept registered, checked and given up as one registered here.
 * Errors: -ENOMEM.
 */
int global_adopt(struct global *global, struct cn_term name, const struct cn_pid *pid,
                 enum global_method method);
/**
 * Care no longer for @name: its process @pid was told that it has lost it in a conflict, which a
 * BEAM node has resolved. An audit would find the name missing, and give it back.
 */
void global_lost(struct global *global, struct cn_term name, const struct cn_pid *pid);
/** Find who has the name: YES with the holder, or NO. Errors: -ENOMEM; then @done is not called. */
int global_whereis(struct global *global, struct cn_term name, global_done done, void *context);
/** Find a name of this node's processes without asking anybody; false when it is none. */
bool global_whereis_local(struct global *global, struct cn_term name, struct cn_pid *ret_pid);
/** Count the names of this node's processes. */
size_t global_count(const struct global *global);
/** Count the BEAM neighbours that can register names. */
size_t global_neighbours(const struct global *global);

#endif
