/*
 * An intrusive binary min-heap, for timers.
 *
 * A complete tree of links that live inside the items: setting a timer cannot fail for lack of
 * memory, and removing any item takes a logarithm of steps even in the worst case (a heap that pays
 * its debts later would stall the loop on one of them). Items with equal keys come out in the
 * order in which they went in, so a simulated cluster replays exactly.
 */
#ifndef CNODE_BASE_HEAP_H
#define CNODE_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The links inside an item. Zeroed: in no heap. The fields are private but for key. */
struct heap_item {
    struct heap_item *parent;
    struct heap_item *child[2];
    uint64_t key;
    uint64_t sequence; /* 0: in no heap */
};

/** A heap; zeroed or after heap_init it is empty. */
struct heap {
    struct heap_item *root;
    size_t count;
    uint64_t sequence;
};

/** Make @heap empty. It needs no deinit. */
void heap_init(struct heap *heap);
/** Make @item an item that is in no heap. */
void heap_item_init(struct heap_item *item);
/** Tell whether @item is in a heap. */
bool heap_holds(const struct heap_item *item);
/** Put @item, which is in no heap, into @heap under @key. */
void heap_insert(struct heap *heap, struct heap_item *item, uint64_t key);
/** Take @item out of @heap; nothing happens when it is in none. */
void heap_remove(struct heap *heap, struct heap_item *item);
/** Give the item with the smallest key, NULL when empty. It stays in. */
struct heap_item *heap_peek(const struct heap *heap);
/** Take out the item with the smallest key; NULL when empty. */
struct heap_item *heap_pop(struct heap *heap);
/** Take out the item with the smallest key if that is at most @key, else give NULL. */
struct heap_item *heap_pop_until(struct heap *heap, uint64_t key);

#endif
