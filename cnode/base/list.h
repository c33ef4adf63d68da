/*
 * Intrusive doubly linked lists.
 *
 * The links live inside the listed structure, so that putting it on a list cannot fail and taking
 * it off needs no search. A list is a ring through its head; an item that is on no list points to
 * itself, so removing it twice does nothing. Nothing here allocates.
 */
#ifndef CNODE_BASE_LIST_H
#define CNODE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** A list's head, and the links inside an item. */
struct list {
    struct list *next;
    struct list *prev;
};

/** Give the structure of @type whose member @member is at @pointer. */
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** Value for a head that is defined at file level. */
#define LIST_INIT(head)  \
    {                    \
        &(head), &(head) \
    }

/** Walk over the links of @head; the current item must stay on the list. */
#define list_for_each(item, head) \
    for (struct list *item = (head)->next; item != (head); item = item->next)

/** Walk over the links of @head; the current item may be removed or freed, no other. */
#define list_for_each_safe(item, head)                                                \
    for (struct list *item = (head)->next, *item##_next = item->next; item != (head); \
         item = item##_next, item##_next = item->next)

/** Make @list an empty list, or an item that is on no list. */
static inline void list_init(struct list *list)
{
    list->next = list;
    list->prev = list;
}

/** Tell whether @head has no items; for an item: whether it is on no list. */
static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/** Put @item, which is on no list, before @place; with a head as @place: at the end. */
static inline void list_add_before(struct list *place, struct list *item)
{
    item->next = place;
    item->prev = place->prev;
    place->prev->next = item;
    place->prev = item;
}

/** Put @item, which is on no list, at the end of @head. */
static inline void list_append(struct list *head, struct list *item)
{
    list_add_before(head, item);
}

/** Put @item, which is on no list, at the front of @head. */
static inline void list_prepend(struct list *head, struct list *item)
{
    list_add_before(head->next, item);
}

/** Take @item off its list, if it is on one. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

/** Give the first item of @head, NULL when empty. */
static inline struct list *list_first(const struct list *head)
{
    return list_empty(head) ? NULL : head->next;
}

/** Give the last item of @head, NULL when empty. */
static inline struct list *list_last(const struct list *head)
{
    return list_empty(head) ? NULL : head->prev;
}

/** Take the first item off @head; NULL when empty. */
static inline struct list *list_pop(struct list *head)
{
    struct list *item = list_first(head);

    if (item != NULL)
        list_remove(item);
    return item;
}

/** Move all items of @from to the end of @to; @from is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

/** Count the items of @head by walking over them. */
static inline size_t list_count(const struct list *head)
{
    size_t count = 0;

    for (const struct list *item = head->next; item != head; item = item->next)
        count++;
    return count;
}

#endif
