/*
 * The inbox of an echo process: a list, each entry with a term that the node keeps for it. Without
 * memory the message is refused, and the inbox is as it was.
 */
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>

struct inbox_entry {
    struct inbox_entry *next;
    const char *kind;
    struct cn_kept *kept;
};

int inbox_add(struct inbox *inbox, struct cn_server *self, const char *kind, struct cn_term message)
{
    struct inbox_entry *entry = malloc(sizeof *entry);
    struct cn_kept *kept = cn_keep(self, message);

    if (!entry || !kept) {
        cn_kept_free(kept);
        free(entry);
        return -ENOMEM;
    }
    *entry = (struct inbox_entry){NULL, kind, kept};
    if (inbox->last)
        inbox->last->next = entry;
    else
        inbox->first = entry;
    inbox->last = entry;
    inbox->count++;
    return 0;
}

void inbox_write(const struct inbox *inbox, struct cn_writer *writer)
{
    if (inbox->count > 0)
        cn_write_list(writer, inbox->count);
    for (const struct inbox_entry *entry = inbox->first; entry; entry = entry->next) {
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, entry->kind);
        cn_write_term(writer, cn_kept_term(entry->kept));
    }
    cn_write_nil(writer);
}

void inbox_clear(struct inbox *inbox)
{
    struct inbox_entry *next;

    for (struct inbox_entry *entry = inbox->first; entry; entry = next) {
        next = entry->next;
        cn_kept_free(entry->kept);
        free(entry);
    }
    *inbox = (struct inbox){NULL, NULL, 0};
}
