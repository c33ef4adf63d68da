/*
 * What came to an echo process and was not asked for yet. Large messages are not copied, but kept
 * where they arrived.
 */
#ifndef NODES_INBOX_H
#define NODES_INBOX_H

#include <cnode/server.h>

struct inbox_entry;

/** Messages, oldest first; all zero is empty. Private. */
struct inbox {
    struct inbox_entry *first;
    struct inbox_entry *last;
    uint32_t count;
};

/** Remember a message that @self is handling. Errors: -ENOMEM. */
int inbox_add(struct inbox *inbox, struct cn_server *self, const char *kind,
              struct cn_term message);
/** Write [{Kind, Message}]. */
void inbox_write(const struct inbox *inbox, struct cn_writer *writer);
/** Forget all. */
void inbox_clear(struct inbox *inbox);

#endif
