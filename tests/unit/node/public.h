/*
 * Servers on the public API for tests: node a of a world, with :global through one BEAM node b.
 * They write down what they see; what they wait for is written down when it ends.
 */
#ifndef TESTS_NODE_PUBLIC_H
#define TESTS_NODE_PUBLIC_H

#include "node/api.h"
#include "unit/registry/beam.h"

/** A server, and what it saw. */
struct seen {
    struct cn_server *server;
    char log[64][128]; /* "call x", "cast x", "info x", "done x", "exit x", "ended" */
    size_t count;
    char ended[128];      /* its own reason; empty while alive */
    struct cn_from *kept; /* the caller of `wait` */
};

extern struct world world;
extern struct beam beam;
extern struct cn_node node;  /* of a@world */
extern struct cn_node other; /* of b@world, without a :global of its own */

/** Make the world; a and b are connected. */
void public_setup(void);
void public_teardown(void);
/** Let the pg scopes of both nodes, once started, discover each other. */
void public_scopes_meet(void);
/**
 * Start a server on @on that answers {echo, Request}, but not `wait`, whose caller is kept; and
 * ends with R after {stop, R}. @name may be NULL.
 */
void seen_start(struct seen *seen, struct cn_node *on, const char *name);
/** The latest line, "" when there is none. */
const char *seen_last(const struct seen *seen);
/** A cn_done that writes down; @context is a struct seen. */
void seen_done(struct cn_server *self, void *context, enum cn_outcome outcome, struct cn_term term);
/** The pid of a server as a term. */
struct cn_term pid_of(const struct seen *seen);

#endif
