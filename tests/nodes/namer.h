/*
 * The server `namer` of cnode-echo: names and locks of :global on request.
 */
#ifndef NODES_NAMER_H
#define NODES_NAMER_H

#include <cnode/node.h>

/** Start it. Errors: as cn_server_start and cn_server_register. */
int namer_start(struct cn_node *node);

#endif
