/*
 * Names: puts registry/'s `:global` names into the table that session/ asks for.
 *
 * session/ knows names as a table of functions, registry/ knows nothing of sessions; this adapter
 * is all that stands between them. It starts the registry that fits the node, a member of `:global`
 * or, for a hidden node, names through a neighbour; a later one (Horde) takes its place here alone.
 *
 * Of a name that two sessions took while their nodes were apart, both are told as
 * global:notify_all_name/3 tells them, and settle it (session/conflict.h); one has it meanwhile, so
 * that nobody ever misses it. On BEAM hosts this rule is Minotaur.GameEngine.Names.resolve/3.
 */
#ifndef NODE_NAMES_H
#define NODE_NAMES_H

#include "net/network.h"
#include "registry/batch.h"
#include "registry/global_external.h"
#include "registry/member.h"
#include "session/hosts.h"

struct names;

/** What the registry must know of the node. */
struct names_config {
    bool hidden; /* registers through a neighbour, instead of being a member of `:global` */
    struct network *network; /* whose connections it may close */
    void *context;
    void (*closed)(void *context);  /* names work no more: somebody killed their process */
    void (*leaving)(void *context); /* see registry.h */
};

/** Start the registry's processes in @procs. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int names_new(struct procs *procs, struct functions *functions, const struct names_config *config,
              struct names **ret_names);
/** Release, after procs_free; returns NULL. */
struct names *names_free(struct names *names);
/** The table for hosts_new. */
const struct session_names *names_table(struct names *names);
/** The registry itself, for servers that register terms of their own. */
const struct registry *names_registry(const struct names *names);
/** A peer is up; those without names for us are ignored. Errors: -ENOMEM. */
int names_peer_up(struct names *names, const struct peer_info *peer);
/** A peer is gone. */
void names_peer_down(struct names *names, const char *node);

#endif
