/*
 * The allocation seam: the one place where the node asks for memory.
 *
 * Behind it is malloc, so that memory may be released with free() by somebody who does not know
 * us (cn_writer_take). In front of it tests can fail the n-th allocation and count what is still
 * live, and so prove that every function survives -ENOMEM with its state unchanged. Outside tests
 * the seam costs one predictable branch.
 */
#ifndef CNODE_BASE_ALLOC_H
#define CNODE_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/** Allocate @size bytes (0 counts as 1). Errors: NULL. Ownership: the caller's, for mem_free. */
void *mem_alloc(size_t size);
/** Allocate @size bytes of zeros. Errors: NULL. Ownership: the caller's, for mem_free. */
void *mem_zalloc(size_t size);
/** Allocate @count * @size bytes of zeros. Errors: NULL, also when the product overflows. */
void *mem_zalloc_array(size_t count, size_t size);
/** Resize @memory (NULL: allocate). Errors: NULL, with @memory untouched and still owned. */
void *mem_realloc(void *memory, size_t size);
/** Copy @size bytes into new memory. Errors: NULL. Ownership: the caller's, for mem_free. */
void *mem_dup(const void *data, size_t size);
/** Copy a C string into new memory. Errors: NULL. Ownership: the caller's, for mem_free. */
char *mem_dup_text(const char *text);
/** Release @memory; NULL is fine. */
void mem_free(void *memory);
/** Count @memory as gone although it lives: it was handed to somebody who will use free(). */
void mem_forget(const void *memory);

/*
 * Hooks for tests. They count from mem_test_begin on; memory that is older and freed afterwards
 * would be counted too, so begin before anything is built.
 */

/** Start counting and fail nothing. */
void mem_test_begin(void);
/** Let the @nth allocation from now on (1: the next) fail, once; 0: none. */
void mem_test_fail(size_t nth);
/** Tell whether the failure ordered by mem_test_fail has happened. */
bool mem_test_failed(void);
/** Count the allocations since mem_test_begin that were not released. */
long mem_test_live(void);
/** Count the allocations asked for since mem_test_begin. */
size_t mem_test_count(void);
/** Stop counting; returns what is still live. */
long mem_test_end(void);

#endif
