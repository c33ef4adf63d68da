/*
 * Mailboxes: a chain of copied messages, oldest first.
 *
 * A message that does not fit, because the mailbox is full or memory is short, is never lost in
 * silence: a full mailbox kills its process (as a heap limit does in a BEAM), so that
 * callers and links learn of it; without memory the sender is told.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "proc/internal.h"

/* Tell whether a message may come; a process whose mailbox is full is killed. */
static bool takes_messages(struct process *process)
{
    if (process->exiting)
        return false;
    if (process->mailbox_length < process->procs->limits.mailbox_max)
        return true;
    trace("proc", "mailbox of %u.%u is full: killed", process->pid.id, process->pid.serial);
    process_mark_exiting(process, REASON_KILLED);
    return false;
}

static void append(struct process *process, struct message *message)
{
    message->next = NULL;
    if (process->first == NULL)
        process->first = message;
    else
        process->last->next = message;
    process->last = message;
    process->mailbox_length++;
    run_queue_add(process);
}

int mailbox_push(struct process *process, struct cn_term message, bool down)
{
    struct message *copy = NULL;

    if (!takes_messages(process))
        return 0;
    copy = mem_alloc(sizeof(*copy) + message.size);
    if (copy == NULL)
        return -ENOMEM;
    copy->owner = NULL;
    copy->data = copy->bytes;
    copy->size = (uint32_t)message.size;
    copy->down = down;
    memcpy(copy->bytes, message.data, message.size);
    append(process, copy);
    return 0;
}

int mailbox_push_shared(struct process *process, struct cn_term message, struct shared *owner)
{
    struct message *kept = NULL;

    if (!takes_messages(process))
        return 0;
    kept = mem_alloc(sizeof(*kept));
    if (kept == NULL)
        return -ENOMEM;
    shared_take(owner);
    kept->owner = owner;
    kept->data = message.data;
    kept->size = (uint32_t)message.size;
    kept->down = false;
    append(process, kept);
    return 0;
}

struct shared *process_message_owner(const struct process *self, struct cn_term term)
{
    const struct message *message = self->procs->handled;

    if (message == NULL || term.data < message->data || term.data >= message->data + message->size)
        return NULL;
    if (term.size < message->size / 2)
        return NULL;
    return message->owner;
}

void message_free(struct message *message)
{
    shared_put(message->owner);
    mem_free(message);
}

struct message *mailbox_pop(struct process *process)
{
    struct message *message = process->first;

    if (message == NULL)
        return NULL;
    process->first = message->next;
    process->mailbox_length--;
    return message;
}

static bool message_is_down_of(const struct message *message, const struct cn_ref *ref)
{
    struct cn_reader reader;
    struct cn_ref found;

    if (!message->down)
        return false;
    cn_reader_init(&reader, (struct cn_term){message->data, message->size});
    return cn_read_this_tuple(&reader, 5) && cn_skip(&reader) && cn_read_ref(&reader, &found) &&
           cn_ref_equal(&found, ref);
}

void mailbox_flush_down(struct process *process, const struct cn_ref *ref)
{
    struct message **place = &process->first;
    struct message *before = NULL;

    while (*place != NULL) {
        struct message *message = *place;

        process->procs->flush_looks++;
        if (!message_is_down_of(message, ref)) {
            before = message;
            place = &message->next;
            continue;
        }
        *place = message->next;
        if (process->last == message)
            process->last = before;
        process->mailbox_length--;
        message_free(message);
        return;
    }
}

void mailbox_clear(struct process *process)
{
    struct message *message = NULL;

    while ((message = mailbox_pop(process)) != NULL)
        message_free(message);
}
