/*
 * The node: the composition root, the only place that knows everybody.
 *
 * It plugs net/ into proc/ (what arrives is delivered to processes, what processes send goes
 * out), starts the services that a visible node owes its peers, starts the application (its game,
 * its servers), and leads all of it through one life:
 *
 *     boot ──► joining ──► serving ──► draining ──► stopped
 *       │         │                       ▲
 *       │         └───────────────────────┘  a signal before `ready`
 *       └──► stopped                         it cannot listen, or has no memory
 *
 * Exit codes: 0 everything moved, 70 something is lost, 71 the node could not start.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "node/config.h"
#include "node/cookie.h"

#include <cnode/node.h>

#define NODE_VERSION      "0.1.0"
#define EXIT_CANNOT_START 71

/** Run a node from boot to its end, with @application on it; returns the exit code. */
int node_run(const struct config *config, const struct cookie *cookie,
             const struct cn_application *application);

#endif
