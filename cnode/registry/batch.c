/*
 * Each change is a request of the registry with a place of its own for the outcome; the last answer
 * ends the batch. The registry never answers from inside the asking call, so a batch cannot end
 * while it is still being asked for.
 */
#include "registry/batch.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/assert.h"

/* Where a change's answer goes. */
struct part {
    struct batch *batch;
    struct change_result *result;
};

struct batch {
    struct list link;
    batch_done done;
    void *context;
    size_t open; /* answers to come */
    size_t count;
    struct change_result *results;
    struct part parts[];
};

static void batch_free(struct batch *batch)
{
    list_remove(&batch->link);
    mem_free(batch->results);
    mem_free(batch);
}

static void finish(struct batch *batch)
{
    if (batch->done != NULL)
        batch->done(batch->context, batch->results, batch->count);
    batch_free(batch);
}

static void answered(void *context, enum global_outcome outcome, const struct cn_pid *holder)
{
    struct part *part = context;

    part->result->outcome = outcome;
    if (--part->batch->open == 0)
        finish(part->batch);
}

static struct batch *batch_new(struct batches *batches, size_t count)
{
    struct batch *batch = mem_zalloc(sizeof(*batch) + count * sizeof(batch->parts[0]));

    if (batch == NULL)
        return NULL;
    list_append(&batches->list, &batch->link);
    batch->results = mem_zalloc_array(count, sizeof(*batch->results));
    if (batch->results == NULL) {
        batch_free(batch);
        return NULL;
    }
    batch->count = count;
    return batch;
}

static int ask(const struct registry *registry, const struct change *change, struct part *part)
{
    switch (change->kind) {
    case CHANGE_REGISTER:
        return registry->register_name(registry->context, change->name, &change->pid,
                                       change->method, answered, part);
    case CHANGE_UNREGISTER:
        return registry->unregister_name(registry->context, change->name, &change->pid, answered,
                                         part);
    case CHANGE_MOVE:
        return registry->move_name(registry->context, change->name, &change->pid, change->method,
                                   answered, part);
    }
    cn_assert(false);
    return -EINVAL;
}

int batch_start(const struct registry *registry, const struct change *changes, size_t count,
                batch_done done, void *context)
{
    struct batch *batch = NULL;
    int error = 0;

    cn_assert(count > 0);
    batch = batch_new(registry->batches, count);
    if (batch == NULL)
        return -ENOMEM;
    batch->done = done;
    batch->context = context;
    for (size_t i = 0; i < count; i++) {
        int r;

        batch->results[i] = (struct change_result){changes[i].kind, GLOBAL_UNREACHABLE};
        batch->parts[i] = (struct part){batch, &batch->results[i]};
        r = ask(registry, &changes[i], &batch->parts[i]);
        if (r == 0)
            batch->open++;
        else if (error == 0)
            error = r;
    }
    if (batch->open > 0)
        return 0;
    batch_free(batch);
    return error;
}

void batches_init(struct batches *batches)
{
    list_init(&batches->list);
}

void batches_deinit(struct batches *batches)
{
    while (!list_empty(&batches->list))
        batch_free(container_of(list_first(&batches->list), struct batch, link));
}
