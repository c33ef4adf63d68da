/*
 * Batches: many changes of names that are asked for at once.
 *
 * A full member of :global carries out all that is asked of it at the same time under one lock,
 * which it gives back after about 30 ms even when more is to be done, so a batch is no
 * transaction: other nodes may see some of its changes before the others. Each name by itself
 * changes in one step. What a registry does one by one (a hidden node's) it does so here too.
 *
 * How long it takes is up to the BEAM nodes of the cluster: their :global needs for each name time
 * in proportion to how many names the processes of that one node have already (measured on OTP 25
 * to 29: 25 us with a thousand, 1 ms with ten thousand).
 */
#ifndef REGISTRY_BATCH_H
#define REGISTRY_BATCH_H

#include "base/list.h"
#include "registry/registry.h"

/** What to do with a name. */
enum change_kind {
    CHANGE_REGISTER,   /* give it to @pid, a process of this node, if nobody has it */
    CHANGE_UNREGISTER, /* take it from @pid, a process of this node */
    CHANGE_MOVE,       /* give it to @pid, of any node, whoever has it */
};

/** One of many changes. */
struct change {
    enum change_kind kind;
    struct cn_term name;
    struct cn_pid pid;
    enum global_method method; /* not for UNREGISTER */
};

/** What became of a change. */
struct change_result {
    enum change_kind kind;
    enum global_outcome outcome;
};

/** Called once, when all is done; @results: of each change, in their order, valid in the call. */
typedef void (*batch_done)(void *context, const struct change_result *results, size_t count);

/** Batches under way. */
struct batches {
    struct list list;
};

/** Start with none. */
void batches_init(struct batches *batches);
/** Forget all that have not ended, after the registry is gone: `done` is not called. */
void batches_deinit(struct batches *batches);
/**
 * Ask @registry for @count > 0 changes; those of one name are carried out in their order.
 * @done may be NULL. Ownership: everything is copied.
 * Errors: CN_E_CLOSED, -ENOMEM; then nothing has been asked. A change for which no memory is left
 * after others have been asked for ends as GLOBAL_UNREACHABLE.
 */
int batch_start(const struct registry *registry, const struct change *changes, size_t count,
                batch_done done, void *context);

#endif
