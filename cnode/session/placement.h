/*
 * Placement: which hosts a session belongs to, best first.
 *
 * Rendezvous hashing: every node computes the same order from the session's id and the hosts' names
 * alone, and when a host comes or goes only the sessions that it wins or held change places. Pure.
 * Source: PROTOCOL.md, "Placement".
 */
#ifndef SESSION_PLACEMENT_H
#define SESSION_PLACEMENT_H

#include <cnode/term.h>

/** A node that may carry a session, and its weight for it. */
struct candidate {
    uint32_t weight;
    char node[CN_NODE_NAME_MAX + 1];
    bool preferred; /* before all that are not, whatever they weigh */
};

/** Give :erlang.phash2({id, node}, 2^32), @id as a binary, @node as an atom. Errors: -ENOMEM. */
int placement_weight(struct cn_bytes id, const char *node, uint32_t *ret_weight);
/** Sort @count candidates: the preferred first, then by weight, highest first, then the greater
 * name. */
void placement_sort(struct candidate *candidates, size_t count);

#endif
