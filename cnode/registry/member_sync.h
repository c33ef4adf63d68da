/*
 * Waiting until nodes are in sync, and leaving them: what the other files of the member ask for.
 */
#ifndef REGISTRY_MEMBER_SYNC_H
#define REGISTRY_MEMBER_SYNC_H

#include "registry/member_internal.h"

/** A node that somebody waits for: monitored once. */
struct awaited {
    struct map_handle hh;
    struct cn_ref ref;
    struct list waits; /* struct wait.in_awaited */
    char node[CN_NODE_NAME_MAX + 1];
};

/** Called once: all are in sync or gone (@done); or the member is released, and nobody answers. */
typedef void (*sync_done)(void *context, bool done);
/**
 * Wait for @nodes, a list of atoms; @done may be called at once.
 * Errors: CN_E_INVALID (no such list), CN_E_LIMIT (it is too long, or too many wait already),
 * CN_E_CLOSED, -ENOMEM; then @done is not called.
 */
int sync_start(struct member *member, struct cn_term nodes, sync_done done, void *context);
/** A node is in sync with us. */
void sync_in_sync(struct member *member, const char *node);
/** A monitor's end; false when it is a process's. */
bool sync_take_down(struct member *member, const struct process_down *down);
/** Forget all who wait. */
void sync_free_all(struct member *member);
/** Leave all connected members soon, and write the list of them. Errors: -ENOMEM. */
int leave_start(struct member *member, struct cn_writer *nodes);
/** A timer of global_name_server is due; false when it is not that of leaving. */
bool leave_timer(struct member *member, uint64_t timer);

#endif
