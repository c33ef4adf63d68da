/*
 * Memory with several owners: the last one to let go releases it.
 *
 * For bytes that wait in several queues at once, or in a queue and with their maker. Counting is
 * not atomic: all owners live on one thread.
 */
#ifndef CNODE_BASE_SHARED_H
#define CNODE_BASE_SHARED_H

#include <stddef.h>
#include <stdint.h>

/** The count of owners, inside whatever is owned. */
struct shared {
    uint32_t owners;
    void (*release)(struct shared *shared);
};

/** Bytes in a row, and who keeps them alive (NULL: somebody who need not be told). */
struct shared_bytes {
    const uint8_t *data;
    size_t size;
    struct shared *owner;
};

/** Start with one owner; @release is called when there is none. */
static inline void shared_init(struct shared *shared, void (*release)(struct shared *shared))
{
    shared->owners = 1;
    shared->release = release;
}

/** Become one more owner. */
static inline void shared_take(struct shared *shared)
{
    shared->owners++;
}

/** Let go; NULL is fine. */
static inline void shared_put(struct shared *shared)
{
    if (shared != NULL && --shared->owners == 0)
        shared->release(shared);
}

#endif
