/*
 * The game's allocations: arrays that are copied and grown, behind one seam.
 *
 * The game sees only libc, so its memory is malloc's; tests put their own functions into the seam
 * to fail the n-th allocation and to count what is live.
 */
#ifndef CNODE_MINOTAUR_MEMORY_H
#define CNODE_MINOTAUR_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** Where the game's memory comes from and goes to. Set by tests only, before any game is made. */
struct game_memory {
    void *(*resize)(void *memory, size_t size); /* as realloc */
    void (*release)(void *memory);              /* as free */
};

extern struct game_memory game_memory;

/**
 * Allocate zeros for @count items of @item_bytes; NULL for none too. Errors: NULL with @count > 0.
 */
void *memory_array(uint32_t count, size_t item_bytes);
/**
 * Copy @count items of @item_bytes. Ownership: the copy is the caller's. Errors: as memory_array.
 */
void *memory_copy(const void *items, uint32_t count, size_t item_bytes);
/**
 * Give @items room for @needed items; *@capacity is the room they have.
 *
 * Ownership: the returned array replaces @items. Errors: NULL, with @items and *@capacity
 * untouched.
 */
void *memory_grow(void *items, uint32_t *capacity, uint32_t needed, size_t item_bytes);
/** Release an array; NULL is fine. */
void memory_release(void *items);

#endif
