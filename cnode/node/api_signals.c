/*
 * What a server says to others: messages, casts, monitors, links, exit signals.
 *
 * As on a BEAM, what cannot arrive is no error of the sender: the layers below say why for their
 * logs, and that ends here.
 */
#include "node/api.h"

#include <errno.h>

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
