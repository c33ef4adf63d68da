/*
 * Spawn requests of peers: how rpc and erpc reach this node.
 *
 * This file knows the protocol, not what may run here: a handler set by otp/functions starts the
 * process. The order on the wire matters: the link and the monitor stand before the reply tells of
 * them, and the reply leaves before anything that the new process does.
 *
 * Source: "Protocol for Spawn Request" in the ERTS User's Guide; distribution.md D.
 */
#include <errno.h>

#include "base/error.h"
#include "proc/internal.h"

void procs_set_spawn_handler(struct procs *procs, spawn_handler handler, void *context)
{
    procs->spawn = handler;
    procs->spawn_context = context;
}

int spawn_deliver(struct procs *procs, const char *node, const struct control *control,
                  struct cn_term arguments)
{
    if (procs->spawn == NULL) {
        (void)procs_refuse_spawn(procs, node, control, "notsup");
        return 0;
    }
    return procs->spawn(procs->spawn_context, node, control, arguments);
}

/* Read the options: a proper list; what is neither link nor monitor does not concern us. */
static int read_options(struct cn_term options, uint32_t *ret_flags)
{
    struct cn_reader reader;
    struct cn_term option;
    uint32_t count = 0;
    uint32_t flags = 0;

    cn_reader_init(&reader, options);
    if (!cn_read_list(&reader, &count))
        return CN_E_INVALID;
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_term(&reader, &option))
            return CN_E_INVALID;
        if (cn_term_is_atom(option, "link"))
            flags |= CONTROL_SPAWN_LINK;
        if (cn_term_is_atom(option, "monitor"))
            flags |= CONTROL_SPAWN_MONITOR;
    }
    if (count > 0 && !cn_read_nil(&reader))
        return CN_E_INVALID;
    *ret_flags = flags;
    return 0;
}

int procs_refuse_spawn(struct procs *procs, const char *node, const struct control *request,
                       const char *reason)
{
    struct cn_writer *writer = route_scratch(procs);
    struct control reply = {.op = CONTROL_SPAWN_REPLY, .ref = request->ref, .to = request->from};

    cn_write_atom(writer, reason);
    if (cn_writer_error(writer) != 0)
        return cn_writer_error(writer);
    reply.result = cn_writer_term(writer);
    return route_control(procs, node, &reply, (struct cn_term){0});
}

static int send_reply(struct process *self, const char *node, const struct control *request,
                      uint32_t flags)
{
    struct cn_writer *writer = route_scratch(self->procs);
    struct control reply = {
        .op = CONTROL_SPAWN_REPLY, .ref = request->ref, .to = request->from, .flags = flags};

    cn_write_pid(writer, &self->pid);
    if (cn_writer_error(writer) != 0)
        return cn_writer_error(writer);
    reply.result = cn_writer_term(writer);
    return route_control(self->procs, node, &reply, (struct cn_term){0});
}

int process_spawned(struct process *self, const char *node, const struct control *request)
{
    struct peer *peer = procs_peer_find(self->procs, node);
    uint32_t flags = 0;
    int r = read_options(request->options, &flags);

    if (r != 0)
        return r;
    if (peer == NULL || !peer->up)
        return CN_E_INVALID;
    if ((flags & CONTROL_SPAWN_LINK) != 0) {
        r = link_accept(self, peer, &request->from);
        if (r != 0)
            return r;
    }
    if ((flags & CONTROL_SPAWN_MONITOR) != 0) {
        r = monitor_accept(self, peer, &request->from, &request->ref, (struct cn_bytes){0});
        if (r != 0)
            return r;
    }
    return send_reply(self, node, request, flags);
}
