/*
 * What stands behind the public types: as little as possible.
 *
 * `struct cn_from` is otp/'s `struct gen_from` under another name. `struct cn_server` is a
 * gen_server whose callbacks see public types, with a list of what it waits for, so that each
 * cn_done is called exactly once however its server ends. `struct cn_node` is what such a server
 * may reach of its node. Nothing here decides anything: calls, names, links and monitors are those
 * of the layers below.
 */
#ifndef NODE_API_H
#define NODE_API_H

#include <cnode/node.h>

#include "base/list.h"
#include "otp/call.h"
#include "otp/functions.h"
#include "otp/target.h"
#include "registry/registry.h"

struct scopes;
struct waiting;

/** What servers reach of their node. Filled by node/, then api_node_init. */
struct cn_node {
    struct procs *procs;
    struct functions *functions;
    const struct registry *registry;
    struct scopes *scopes;
    void *context;
    /** Visit the connected nodes. */
    void (*each_node)(void *context,
                      void (*visit)(void *visit_context, const char *node, bool hidden),
                      void *visit_context);
    struct waiting *timers; /* map */
    struct list orphans;    /* struct waiting: asked of :global by servers that have ended */
};

/** A server on the public API. */
struct cn_server {
    struct gen_server *gen;
    struct cn_node *node;
    const struct cn_server_callbacks *callbacks;
    struct gen_server_callbacks gen_callbacks;
    void *state;
    struct list waitings; /* struct waiting */
};

/* api_node.c */
/** Start with nothing waiting. The other members are set by the owner. */
void api_node_init(struct cn_node *node);
/** Forget what :global never answered, after procs_free and names_free. */
void api_node_deinit(struct cn_node *node);
/** Add the application's functions (NULL: none). Errors: as functions_add. */
int api_functions_add(struct cn_node *node, const struct cn_function *functions);

/* api_waiting.c */
/** A timer of @self is due. */
void waiting_timer(struct cn_server *self, uint64_t timer);
/** @self ends: call every cn_done with CN_ENDED. */
void waiting_end_all(struct cn_server *self);

#endif
