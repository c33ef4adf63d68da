/*
 * The spare piece: one pointer, exchanged atomically, since libuv's pool threads release too.
 *
 * How it fails: not at all; whoever gets nothing here asks malloc.
 */
#include "base/spare.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

static void *_Atomic spare;
static atomic_bool used;        /* since the latest spare_age */
static uint64_t used_before_ms; /* that of the loop's thread */

size_t spare_size(void *memory)
{
#ifdef __GLIBC__
    return malloc_usable_size(memory);
#else
    (void)memory;
    return 0;
#endif
}

bool spare_put(void *memory)
{
    size_t size = memory != NULL ? spare_size(memory) : 0;
    void *other;

    if (size < SPARE_BYTES_MIN || size > SPARE_BYTES_MAX)
        return false;
    other = atomic_exchange(&spare, NULL);
    if (other != NULL && spare_size(other) > size) {
        void *larger = other;

        other = memory;
        memory = larger;
    }
    free(other);
    free(atomic_exchange(&spare, memory));
    atomic_store(&used, true);
    return true;
}

void *spare_take(size_t size, size_t slack)
{
    void *memory;
    size_t found;

    if (size < SPARE_BYTES_MIN)
        return NULL;
    memory = atomic_exchange(&spare, NULL);
    if (memory == NULL)
        return NULL;
    found = spare_size(memory);
    if (found >= size && found / slack <= size)
        return memory;
    free(atomic_exchange(&spare, memory));
    return NULL;
}

void spare_age(uint64_t now_ms)
{
    if (atomic_exchange(&used, false))
        used_before_ms = now_ms;
    else if (now_ms - used_before_ms >= SPARE_MS)
        free(atomic_exchange(&spare, NULL));
}
