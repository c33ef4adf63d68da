/*
 * The mesh: a node learnt from a peer is dialled, as BEAM nodes do among themselves.
 *
 * BEAM nodes learn of each other through :global's exchange of known nodes, and so does this one, a
 * member (registry/member.h). That alone would leave three holes, each of which is a host that no
 * session can move to:
 *
 * - :global names nodes when two have joined under its lock: tenths of a second after a peer came
 *   up, and not before the lock is free, which may be held for long (thousands of names move, a
 *   member stands still);
 * - it names a node once. Who is lost on one link, or could not be reached when it was named, is
 *   forgotten, and nobody names it again;
 * - peers that run with connect_all false join nobody, and still see nodes.
 *
 * So each visible peer is asked for its `nodes()` as well, when it comes up and then every few
 * seconds, and whoever it names and we do not see is dialled. A node that cannot be reached is
 * dialled again, ever more slowly, as long as somebody names it, and for some minutes after it was
 * lost, unless it had said that it goes. A peer that still does not know all whom we see some
 * seconds after it came up is told of them. A hidden node meshes with nobody.
 */
#ifndef NODE_MESH_H
#define NODE_MESH_H

#include "proc/process.h"

struct mesh;

/** Start the mesh in @procs; @dial starts a connection. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int mesh_new(struct procs *procs, int (*dial)(void *context, const char *node), void *context,
             struct mesh **ret_mesh);
/** Release, after procs_free; returns NULL. */
struct mesh *mesh_free(struct mesh *mesh);
/** A peer is up; a hidden one is not asked, but need not be dialled either. Errors: -ENOMEM. */
int mesh_peer_up(struct mesh *mesh, const char *node, bool hidden);
/** A peer is gone, or could not be reached. */
void mesh_peer_down(struct mesh *mesh, const char *node);
/** Tell all visible peers that we go: their meshes need not look for us. */
void mesh_say_leaving(struct mesh *mesh);
/** The same, and who is up, or was lost lately, is not dialled again unless somebody names it. */
void mesh_forget_peers(struct mesh *mesh);
/** Dial nobody from now on: the node is leaving. */
void mesh_stop(struct mesh *mesh);

#endif
