/*
 * Node a with its names in :global, between two BEAM nodes b and c: what the tests of this layer
 * share. The two BEAM nodes keep separate tables: what OTP does between them is not ours to test.
 */
#ifndef TESTS_REGISTRY_OURS_H
#define TESTS_REGISTRY_OURS_H

#include <check.h>

#include "registry/global_external.h"
#include "unit/registry/beam.h"

extern struct world world;
extern struct beam b, c;
extern struct functions *functions;
extern struct global *global;
extern struct probe owner, second; /* states of `process` and of a second one */
extern struct process *process;    /* <a.4.0> */
extern struct cn_pid pid;          /* its pid */
extern char answers[2048][64];     /* "yes <a.4.0>", "no", ... once answered */
extern size_t answered;
extern char conflict[256]; /* "name ours theirs" of the latest conflict */

void ours_setup(void);
void ours_teardown(void);
/** Connect node a with node 1 (b) or 2 (c), and settle. */
void link_up(int node);
/** Cut them, and settle. */
void link_cut(int node);
/** A global_done; @context is an element of answers. */
void done(void *context, enum global_outcome outcome, const struct cn_pid *holder);
/** Ask for a name; the answer comes into answers[@index]. */
void ask_register_as(enum global_method method, const char *name, const struct cn_pid *who,
                     size_t index);
/** The same, with GLOBAL_NOTIFY_ALL. */
void ask_register(const char *name, const struct cn_pid *who, size_t index);

#endif
