/*
 * What a server says to others: messages, casts, monitors, links, exit signals.
 *
 * A destination comes as a term and becomes a `struct dest` with the strings that it needs. As on a
 * BEAM, what cannot arrive is no error of the sender: the layers below say why for their logs, and
 * that ends here.
 */
#include "node/api.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* A C string of an atom's text; an atom with a zero byte inside names nobody. */
static bool read_name(struct cn_reader *reader, char *name, size_t size)
{
    struct cn_bytes text;

    return cn_read_atom(reader, &text) && !memchr(text.data, 0, text.size) &&
           text_copy_bytes(name, size, text.data, text.size) == 0;
}

static bool read_target(struct cn_reader *reader, struct target *target)
{
    switch (cn_peek(reader)) {
    case CN_TYPE_PID:
        target->dest.kind = DEST_PID;
        return cn_read_pid(reader, &target->dest.pid);
    case CN_TYPE_REF:
        target->dest.kind = DEST_ALIAS;
        return cn_read_ref(reader, &target->dest.alias);
    case CN_TYPE_ATOM:
        target->dest.kind = DEST_NAME;
        target->dest.name = target->name;
        return read_name(reader, target->name, sizeof target->name);
    case CN_TYPE_TUPLE:
        target->dest.kind = DEST_NAME;
        target->dest.name = target->name;
        target->dest.node = target->node;
        return cn_read_this_tuple(reader, 2) &&
               read_name(reader, target->name, sizeof target->name) &&
               read_name(reader, target->node, sizeof target->node);
    default:
        return false;
    }
}

int target_read(struct cn_term term, struct target *ret_target)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    ret_target->dest = (struct dest){0};
    return read_target(&reader, ret_target) ? 0 : -EINVAL;
}

/* Only what the sender can be blamed for, or is out of memory for, is an error. */
static int sent(int error)
{
    return error == -ENOMEM || error == -E2BIG || error == -EINVAL ? error : 0;
}

int cn_send(struct cn_server *self, struct cn_term to, struct cn_term message)
{
    struct process *process = gen_server_process(self->gen);
    struct target target;
    int error = target_read(to, &target);

    if (error != 0)
        return error;
    return sent(procs_send(self->node->procs, process, &target.dest, message));
}

int cn_cast(struct cn_server *self, struct cn_term to, struct cn_term message)
{
    struct process *process = gen_server_process(self->gen);
    struct target target;
    int error = target_read(to, &target);

    if (error != 0)
        return error;
    return sent(gen_cast(self->node->procs, process, &target.dest, message));
}

int cn_monitor(struct cn_server *self, struct cn_term to, struct cn_ref *ret_ref)
{
    struct target target;
    int error = target_read(to, &target);

    if (error != 0)
        return error;
    return process_monitor(gen_server_process(self->gen), &target.dest, ret_ref);
}

void cn_demonitor(struct cn_server *self, const struct cn_ref *ref)
{
    process_demonitor(gen_server_process(self->gen), ref, true);
}

int cn_link(struct cn_server *self, const struct cn_pid *pid)
{
    return process_link(gen_server_process(self->gen), pid);
}

void cn_unlink(struct cn_server *self, const struct cn_pid *pid)
{
    process_unlink(gen_server_process(self->gen), pid);
}

int cn_exit(struct cn_server *self, const struct cn_pid *pid, struct cn_term reason)
{
    return sent(procs_exit_signal(self->node->procs, gen_server_process(self->gen), pid, reason));
}
