/*
 * Mailboxes: a chain of copied messages, oldest first.
 *
 * What a process keeps for later (a suspended server, all but system messages) stays at the front
 * of the chain, where everybody sees it, and is passed over.
 *
 * A message that does not fit, because the mailbox is full or memory is short, is never lost in
 * silence: a full mailbox kills its process (as a heap limit does in a BEAM), so that
 * callers and links learn of it, and who set the limit is told; without memory the sender is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "proc/internal.h"

#define WHO_MAX 400 /* a name has at most 255 characters, which may be of 4 bytes: it is cut */

static void tell_full(const struct process *process)
{
    const char *name = process_name(process);
    char who[WHO_MAX];

    (void)snprintf(who, sizeof(who), "<0.%u.%u> %s: %u messages, %" PRIu64 " bytes",
                   process->pid.id, process->pid.serial,
                   name != NULL ? name : process->behaviour->module, process->mailbox_length,
                   process->mailbox_bytes);
    procs_limit_reached(process->procs, "mailbox.full", who);
}

/* Tell whether a message of @size may come; a process whose mailbox is full is killed. */
static bool takes_message(struct process *process, size_t size)
{
    const struct procs_limits *limits = &process->procs->limits;

    if (process->exiting)
        return false;
    if (process->mailbox_length < limits->mailbox_max &&
        process->mailbox_bytes + size <= limits->mailbox_bytes_max)
        return true;
    tell_full(process);
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
    process->mailbox_bytes += message->size;
    run_queue_add(process);
}

struct message *message_new(size_t size)
{
    struct message *message = mem_alloc(sizeof(*message) + size);

    if (message == NULL)
        return NULL;
    message->owner = NULL;
    message->body = NULL;
    message->data = message->bytes;
    message->size = (uint32_t)size;
    message->down = false;
    message->timer = false;
    return message;
}

int message_join(struct cn_term start, struct etf_body *body, struct message **ret_message)
{
    struct message *message = NULL;
    int r = etf_body_plain(body);

    if (r != 0)
        return r;
    message = message_new(start.size + body->plain.size);
    if (message == NULL)
        return -ENOMEM;
    memcpy(message->bytes, start.data, start.size);
    memcpy(message->bytes + start.size, body->plain.data, body->plain.size);
    shared_take(&body->shared);
    message->body = body;
    message->body_at = (uint32_t)start.size;
    *ret_message = message;
    return 0;
}

int mailbox_push(struct process *process, struct cn_term message, bool down)
{
    struct message *copy = NULL;

    if (!takes_message(process, message.size))
        return 0;
    copy = message_new(message.size);
    if (copy == NULL)
        return -ENOMEM;
    copy->down = down;
    memcpy(copy->bytes, message.data, message.size);
    append(process, copy);
    return 0;
}

int mailbox_push_body(struct process *process, struct cn_term start, struct etf_body *body)
{
    struct message *whole = NULL;
    int r = etf_body_plain(body);

    if (r != 0)
        return r;
    if (!takes_message(process, start.size + body->plain.size))
        return 0;
    r = message_join(start, body, &whole);
    if (r == 0)
        append(process, whole);
    return r;
}

int mailbox_push_shared(struct process *process, struct cn_term message, struct shared *owner)
{
    struct message *kept = NULL;

    if (!takes_message(process, message.size))
        return 0;
    kept = message_new(0);
    if (kept == NULL)
        return -ENOMEM;
    shared_take(owner);
    kept->owner = owner;
    kept->data = message.data;
    kept->size = (uint32_t)message.size;
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

struct etf_body *process_message_body(const struct process *self, struct cn_term term)
{
    const struct message *message = self->procs->handled;

    if (message == NULL || message->body == NULL || term.data != message->data + message->body_at)
        return NULL;
    return term.size == message->size - message->body_at ? message->body : NULL;
}

void message_free(struct message *message)
{
    shared_put(message->owner);
    etf_body_put(message->body);
    mem_free(message);
}

/* Take out the message behind @before; NULL: the first. */
static struct message *take_behind(struct process *process, struct message *before)
{
    struct message **place = before != NULL ? &before->next : &process->first;
    struct message *message = *place;

    if (message == NULL)
        return NULL;
    *place = message->next;
    if (process->last == message)
        process->last = before;
    if (process->kept == message)
        process->kept = before;
    process->mailbox_length -= message->timer ? 0 : 1;
    process->mailbox_bytes -= message->size;
    return message;
}

struct message *mailbox_pop(struct process *process)
{
    return take_behind(process, process->kept);
}

static void keep(struct process *self, struct message *message)
{
    struct message **place = self->kept != NULL ? &self->kept->next : &self->first;

    message->next = *place;
    *place = message;
    if (message->next == NULL)
        self->last = message;
    self->kept = message;
    self->mailbox_length += message->timer ? 0 : 1;
    self->mailbox_bytes += message->size;
}

void process_keep_message(struct process *self)
{
    cn_assert(self->procs->running == self && self->procs->handled != NULL);
    keep(self, self->procs->handled);
    self->procs->handled = NULL;
}

int process_keep_timer(struct process *self, uint64_t timer)
{
    struct message *message = mem_zalloc(sizeof(*message) + sizeof(timer));

    if (message == NULL)
        return -ENOMEM;
    message->data = message->bytes;
    message->timer = true;
    memcpy(message->bytes, &timer, sizeof(timer));
    keep(self, message);
    return 0;
}

void process_take_kept(struct process *self)
{
    self->kept = NULL;
    run_queue_add(self);
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
    struct message *before = NULL;

    for (struct message *message = process->first; message != NULL; message = message->next) {
        process->procs->flush_looks++;
        if (message_is_down_of(message, ref)) {
            message_free(take_behind(process, before));
            return;
        }
        before = message;
    }
}

void mailbox_clear(struct process *process)
{
    struct message *message = NULL;

    process->kept = NULL;
    while ((message = mailbox_pop(process)) != NULL)
        message_free(message);
}
