/*
 * Process groups as OTP's pg has them: this node as a full member of a scope.
 *
 * A scope is a process with a registered name, one per node, that knows the members of all groups.
 * Two that meet say `discover`; who is discovered answers with `sync`, all that its own node's
 * processes have joined, and discovers back:
 *
 *     A                          B
 *     │ {discover, A} ──────────►│  monitors A
 *     │◄──── cast {sync, B, [..]}│
 *     │◄──────────── {discover, B}
 *     │ cast {sync, A, [..]} ───►│
 *     │ {join, A, Group, Pid} ──►│  and so on: whoever was told once is told of changes
 *
 * A process can be joined on its own node only, several times to one group; its end takes it out of
 * all. The end of a scope's process, or of the connection, takes out all that it told: there is no
 * other bookkeeping of nodes, so whoever is lost and comes back begins anew.
 *
 * What a peer tells is taken whole or not at all: members on another node than its own, improper
 * lists and the like are dropped with a line in the log, a few in a time. The number of members and
 * the bytes of their groups are bounded, one peer to half of it, and a group's name to 64 KiB; what
 * is beyond that is not known here, which the log says. Without memory for a change the connection
 * to its sender is closed: meeting again repairs the table.
 *
 * Groups are compared by their bytes: all nodes encode atoms, numbers, binaries, tuples and lists
 * alike, but not maps, which are a bad name for a group.
 *
 * When somebody kills the process of the scope it starts again with the same local members, which a
 * BEAM node forgets.
 *
 * Source: kernel's documentation and source of pg, OTP 25 to 29 ({discover, Pid, Version} is what a
 * later one may say).
 */
#ifndef REGISTRY_PG_H
#define REGISTRY_PG_H

#include "otp/functions.h"

struct pg;

/** How the scope is set up; 0 means the default in brackets. Strings are copied. */
struct pg_config {
    const char *scope;    /* its registered name, as on the wire */
    uint32_t members_max; /* of all groups [2,000,000]; one peer may have half of them */
    uint64_t bytes_max;   /* of their groups' names [268,435,456]; likewise. And of watched ones */
    uint32_t peers_max;   /* scope processes of other nodes [4,096]; four of one node */
    void *context;        /* handed to the functions below */
    /** Take a line about something that was dropped; NULL: none wanted. */
    void (*log)(void *context, const char *line);
    /** Close the connection to @node, if there is one. NULL: it stays, with a wrong table. */
    void (*disconnect)(void *context, const char *node);
};

/** Start the scope in @procs. Errors: CN_E_TAKEN (the name), CN_E_LIMIT, -ENOMEM. */
int pg_new(struct procs *procs, const struct pg_config *config, struct pg **ret_pg);
/** Release, after procs_free; NULL is fine. Returns NULL. */
struct pg *pg_free(struct pg *pg);
/** A peer is up that may have this scope: discover it (after procs_peer_up). Errors: -ENOMEM. */
int pg_peer_up(struct pg *pg, const char *node);
/** A peer is gone: nothing more is sent to its members. Unknown ones are ignored. */
void pg_peer_down(struct pg *pg, const char *node);
/** Find the scope of this name in @procs; NULL when there is none. */
struct pg *pg_find(struct procs *procs, struct cn_bytes scope);
/** Tell its name. */
const char *pg_scope(const struct pg *pg);

/**
 * Join @pid, a process of this node, to @group, once more if it has joined already. Ownership:
 * @group is copied. Errors: CN_E_INVALID (not of this node), CN_E_LIMIT (also of a name beyond
 * 64 KiB), CN_E_CLOSED, -ENOMEM; then nobody is told.
 */
int pg_join(struct pg *pg, struct cn_term group, const struct cn_pid *pid);
/** Take one joining back. Errors: CN_E_UNKNOWN (it is no member), -ENOMEM. */
int pg_leave(struct pg *pg, struct cn_term group, const struct cn_pid *pid);
/**
 * Visit the members of @group on all nodes, each once however often it has joined; the pid is valid
 * during the call, in which groups must not change.
 */
void pg_each_member(struct pg *pg, struct cn_term group,
                    void (*visit)(void *context, const struct cn_pid *pid), void *context);
/** Write the list of them, each as often as it has joined, as pg:get_members/2. */
void pg_write_members(struct pg *pg, struct cn_term group, bool local_only,
                      struct cn_writer *writer);
/** Write the list of groups that have members, as pg:which_groups/1. */
void pg_write_groups(struct pg *pg, bool local_only, struct cn_writer *writer);
/**
 * Send @pid {Ref, join | leave, Group, Pids} with each change from now on: of @group, or of all
 * when it is NULL. It ends with the process. Errors: CN_E_LIMIT, CN_E_CLOSED, -ENOMEM.
 */
int pg_monitor(struct pg *pg, const struct cn_pid *pid, const struct cn_term *group,
               struct cn_ref *ret_ref);
/** Take that back; false when @ref is none. */
bool pg_demonitor(struct pg *pg, const struct cn_ref *ref);
/** Tell whether pg_each_member would visit @pid in @group. */
bool pg_is_member(struct pg *pg, struct cn_term group, const struct cn_pid *pid);
/** Count the members of all groups; one that has joined twice counts once. */
size_t pg_members(const struct pg *pg);
/** Count the scope processes of other nodes. */
size_t pg_peers(const struct pg *pg);

/**
 * Let peers ask by rpc, of any scope here: pg:get_members/2, get_local_members/2, which_groups/1,
 * which_local_groups/1. Errors: as functions_add.
 */
int pg_functions_add(struct functions *functions);

#endif
