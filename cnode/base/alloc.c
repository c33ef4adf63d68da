/*
 * The allocation seam over malloc, with counters for tests.
 *
 * The counters are atomic since libuv's pool threads allocate too, but they are touched only
 * between mem_test_begin and mem_test_end. A size of 0 becomes 1, so that NULL always means
 * failure. Nothing here aborts: running out of memory is the caller's -ENOMEM.
 *
 * Large memory may come from the spare piece (spare.h) and become it again. What is asked for at
 * once gets no more than twice its size; what grows gets more, since it goes on growing.
 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/spare.h"

#define SLACK         2
#define SLACK_GROWING 8

static atomic_bool counting;
static atomic_size_t count;
static atomic_size_t fail_at; /* value of `count` at which to fail; 0: never */
static atomic_bool failed;
static atomic_long live;

static bool is_counting(void)
{
    return atomic_load_explicit(&counting, memory_order_relaxed);
}

/* Count one request; true when this is the one that the test wants to fail. */
static bool must_fail(void)
{
    size_t number = atomic_fetch_add(&count, 1) + 1;

    if (number != atomic_load(&fail_at))
        return false;
    atomic_store(&failed, true);
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL && is_counting())
        atomic_fetch_add(&live, 1);
    return memory;
}

void *mem_alloc(size_t size)
{
    void *memory;

    if (is_counting() && must_fail())
        return NULL;
    memory = spare_take(size, SLACK);
    return counted(memory != NULL ? memory : malloc(size > 0 ? size : 1));
}

void *mem_zalloc(size_t size)
{
    return mem_zalloc_array(1, size);
}

void *mem_zalloc_array(size_t items, size_t size)
{
    size_t total;

    if (is_counting() && must_fail())
        return NULL;
    if (__builtin_mul_overflow(items, size, &total))
        return NULL;
    return counted(calloc(1, total > 0 ? total : 1));
}

static void release(void *memory)
{
    if (!spare_put(memory))
        free(memory);
}

/* As realloc, for memory that becomes or stays large. */
static void *resize_large(void *memory, size_t size)
{
    size_t before = spare_size(memory);
    void *larger;

    if (before >= size && before / SLACK_GROWING <= size)
        return memory;
    larger = before < size ? spare_take(size, SLACK_GROWING) : NULL;
    if (larger == NULL)
        return realloc(memory, size);
    memcpy(larger, memory, before);
    release(memory);
    return larger;
}

void *mem_realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return mem_alloc(size);
    if (is_counting() && must_fail())
        return NULL;
    if (size >= SPARE_BYTES_MIN)
        return resize_large(memory, size);
    return realloc(memory, size > 0 ? size : 1);
}

void *mem_dup(const void *data, size_t size)
{
    void *copy = mem_alloc(size);

    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *mem_dup_text(const char *text)
{
    return mem_dup(text, strlen(text) + 1);
}

void mem_free(void *memory)
{
    mem_forget(memory);
    release(memory);
}

void mem_forget(const void *memory)
{
    if (memory != NULL && is_counting())
        atomic_fetch_sub(&live, 1);
}

void mem_test_begin(void)
{
    atomic_store(&count, 0);
    atomic_store(&live, 0);
    mem_test_fail(0);
    atomic_store(&counting, true);
}

void mem_test_fail(size_t nth)
{
    atomic_store(&failed, false);
    atomic_store(&fail_at, nth > 0 ? atomic_load(&count) + nth : 0);
}

bool mem_test_failed(void)
{
    return atomic_load(&failed);
}

long mem_test_live(void)
{
    return atomic_load(&live);
}

size_t mem_test_count(void)
{
    return atomic_load(&count);
}

long mem_test_end(void)
{
    atomic_store(&counting, false);
    return atomic_load(&live);
}
