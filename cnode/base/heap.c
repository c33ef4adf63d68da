/*
 * The min-heap as a complete binary tree of links.
 *
 * The tree's nodes are numbered from 1, row by row; the bits of a number below its highest one say
 * left or right on the way from the root. Thus the last node is found from the count alone, and no
 * array has to grow. Order is by key, then by sequence number.
 */
#include "base/heap.h"

#include "base/assert.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_item_init(struct heap_item *item)
{
    *item = (struct heap_item){0};
}

bool heap_holds(const struct heap_item *item)
{
    return item->sequence != 0;
}

static bool item_before(const struct heap_item *a, const struct heap_item *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

/* The link that holds, or would hold, node @number; its parent is left in @ret_parent. */
static struct heap_item **link_of(struct heap *heap, size_t number, struct heap_item **ret_parent)
{
    struct heap_item **link = &heap->root;
    struct heap_item *parent = NULL;
    int bit = (int)(sizeof(unsigned long) * 8) - 1 - __builtin_clzl((unsigned long)number);

    while (bit-- > 0) {
        parent = *link;
        link = &parent->child[(number >> bit) & 1];
    }
    *ret_parent = parent;
    return link;
}

static struct heap_item **link_to(struct heap *heap, struct heap_item *item)
{
    struct heap_item *parent = item->parent;

    return parent == NULL ? &heap->root : &parent->child[parent->child[1] == item];
}

static void adopt_children(struct heap_item *item)
{
    for (int side = 0; side < 2; side++)
        if (item->child[side] != NULL)
            item->child[side]->parent = item;
}

/* Exchange @parent and its child on @side. */
static void swap_with_child(struct heap *heap, struct heap_item *parent, int side)
{
    struct heap_item *child = parent->child[side];
    struct heap_item *sibling = parent->child[!side];
    struct heap_item *grand[2] = {child->child[0], child->child[1]};

    *link_to(heap, parent) = child;
    child->parent = parent->parent;
    child->child[side] = parent;
    child->child[!side] = sibling;
    parent->child[0] = grand[0];
    parent->child[1] = grand[1];
    adopt_children(child);
    adopt_children(parent);
}

static void sift_up(struct heap *heap, struct heap_item *item)
{
    while (item->parent != NULL && item_before(item, item->parent))
        swap_with_child(heap, item->parent, item->parent->child[1] == item);
}

static void sift_down(struct heap *heap, struct heap_item *item)
{
    while (item->child[0] != NULL) {
        int side = item->child[1] != NULL && item_before(item->child[1], item->child[0]);

        if (!item_before(item->child[side], item))
            return;
        swap_with_child(heap, item, side);
    }
}

void heap_insert(struct heap *heap, struct heap_item *item, uint64_t key)
{
    struct heap_item **link;

    cn_assert(!heap_holds(item));
    *item = (struct heap_item){.key = key, .sequence = ++heap->sequence};
    link = link_of(heap, ++heap->count, &item->parent);
    *link = item;
    sift_up(heap, item);
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
    struct heap_item *last;
    struct heap_item *parent;
    struct heap_item **link;

    if (!heap_holds(item))
        return;
    cn_assert(heap->count > 0);
    link = link_of(heap, heap->count--, &parent);
    last = *link;
    *link = NULL;
    if (last != item) {
        *link_to(heap, item) = last;
        last->parent = item->parent;
        last->child[0] = item->child[0];
        last->child[1] = item->child[1];
        adopt_children(last);
        sift_down(heap, last);
        sift_up(heap, last);
    }
    heap_item_init(item);
}

struct heap_item *heap_peek(const struct heap *heap)
{
    return heap->root;
}

struct heap_item *heap_pop(struct heap *heap)
{
    struct heap_item *item = heap->root;

    if (item != NULL)
        heap_remove(heap, item);
    return item;
}

struct heap_item *heap_pop_until(struct heap *heap, uint64_t key)
{
    if (heap->root == NULL || heap->root->key > key)
        return NULL;
    return heap_pop(heap);
}
