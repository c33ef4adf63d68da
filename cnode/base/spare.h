/*
 * One piece of large memory, kept for the next who needs as much.
 *
 * Large messages come in rows, and most of the time that one of 64 MB takes goes into the faults of
 * fresh memory: the kernel gives and clears each page anew. So the largest piece that was
 * released stays, bounded in size and in time, and serves the next buffer that grows to a good
 * part of it. Only the seam (alloc.c) uses this, behind malloc: without glibc nothing is kept.
 */
#ifndef CNODE_BASE_SPARE_H
#define CNODE_BASE_SPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes from which on memory is worth keeping. */
#define SPARE_BYTES_MIN ((size_t)1 << 20)
/** Bytes that are kept at most. */
#define SPARE_BYTES_MAX ((size_t)128 << 20)
/** How long they are kept after their last use. */
#define SPARE_MS 10000

/** Count the bytes of @memory, from malloc, that may be used; 0 when that is not known. */
size_t spare_size(void *memory);
/**
 * Keep @memory, from malloc, or the piece that is kept already, whichever is larger. Ownership:
 * taken. False: the caller must free @memory, which is small or beyond the limit.
 */
bool spare_put(void *memory);
/**
 * Take the piece that is kept if it has @size bytes and not more than @slack times as many; NULL
 * otherwise. Ownership: the caller's, for spare_put or free.
 */
void *spare_take(size_t size, size_t slack);
/** Give it back to the system when it was not used since @now_ms - SPARE_MS. For a steady clock. */
void spare_age(uint64_t now_ms);

#endif
