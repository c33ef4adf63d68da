/*
 * Arrays sorted by a key: how the game keeps everything that is a map in Elixir.
 *
 * Players, characters, lists and events are few, are walked in the order of their ids by nearly
 * every rule, and are written in one order whatever came in. A sorted array gives that order for
 * free, takes no memory beside its items, and no crafted key makes it slow.
 *
 * An item is a struct whose first field is its key, an int64_t.
 */
#ifndef CNODE_MINOTAUR_KEYED_H
#define CNODE_MINOTAUR_KEYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Find @key among @count items: its index, or where it would be inserted; *@ret_found tells which.
 */
uint32_t keyed_search(const void *items, uint32_t count, size_t item_bytes, int64_t key,
                      bool *ret_found);
/** Find the item with @key, or NULL. */
void *keyed_find(const void *items, uint32_t count, size_t item_bytes, int64_t key);
/**
 * Move the items from index @at on by one, making room for one of zeros. The array has the room.
 */
void keyed_open_gap(void *items, uint32_t count, size_t item_bytes, uint32_t at);
/** Remove the item at index @at by moving those behind it. */
void keyed_close_gap(void *items, uint32_t count, size_t item_bytes, uint32_t at);
/** Sort @count items by their keys; quick when they are sorted already. */
void keyed_sort(void *items, uint32_t count, size_t item_bytes);
/** Tell whether a sorted array holds some key twice. */
bool keyed_has_twins(const void *items, uint32_t count, size_t item_bytes);

#endif
