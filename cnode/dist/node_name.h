/*
 * Node names: name@host.
 *
 * A name is at most 255 bytes of printable ASCII with exactly one '@' and something on both sides;
 * BEAM nodes choose no others. A host with a dot or a colon makes it a long name: short and long
 * names do not talk to each other. Names order as bytes, which decides who wins when
 * two nodes dial each other.
 */
#ifndef DIST_NODE_NAME_H
#define DIST_NODE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <cnode/term.h>

/** A node name taken apart; all three are terminated. */
struct node_name {
    char full[CN_NODE_NAME_MAX + 1];
    char alive[CN_NODE_NAME_MAX + 1]; /* before the @: what EPMD knows */
    char host[CN_NODE_NAME_MAX + 1];
    bool is_long;
};

/** Tell whether @size bytes are a node name. */
bool node_name_valid(const void *text, size_t size);
/** Take a node name apart. Errors: CN_E_INVALID. */
int node_name_parse(const char *text, struct node_name *ret_name);

#endif
