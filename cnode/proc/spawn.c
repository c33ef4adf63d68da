/*
 * Spawn requests: how rpc and erpc reach this node, and others from here.
 *
 * This file knows the protocol, not what may run here: a handler set by otp/functions starts the
 * process. The order on the wire matters: the link and the monitor stand before the reply tells of
 * them, and the reply leaves before anything that the new process does.
 *
 * A request of ours is a monitor from its first moment, so that the loss of the peer ends it like
 * any other; it has no pid until the reply. Taken back before that, nothing is said to the peer:
 * its monitor then ends with the process, and tells of a reference that is nobody's.
 *
 * Source: "Protocol for Spawn Request" in the ERTS User's Guide; distribution.md D.
 */
#include <errno.h>
#include <string.h>

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

/* Options with a value that mean nothing here, or something at the asker's end only. */
static bool is_ignored(struct cn_term option)
{
    static const char *const names[] = {
        "priority",           "fullsweep_after", "min_heap_size", "min_bin_vheap_size",
        "max_heap_size",      "scheduler",       "async_dist",    "monitor",
        "message_queue_data", "reply",           "reply_tag",
    };
    struct cn_reader reader;
    struct cn_bytes name;

    cn_reader_init(&reader, option);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_atom(&reader, &name))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (cn_bytes_equal(name, names[i]))
            return true;
    }
    return false;
}

/* Errors: CN_E_INVALID when it is no option. */
static int read_option(struct cn_term option, uint32_t *flags)
{
    if (cn_term_is_atom(option, "link"))
        *flags |= CONTROL_SPAWN_LINK;
    else if (cn_term_is_atom(option, "monitor"))
        *flags |= CONTROL_SPAWN_MONITOR;
    else
        return is_ignored(option) ? 0 : CN_E_INVALID;
    return 0;
}

/* Read a proper list of options. */
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
        if (!cn_read_term(&reader, &option) || read_option(option, &flags) != 0)
            return CN_E_INVALID;
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

/* Our own requests. */

/* Queue {spawn_reply, Ref, error, Reason} for the watcher, which is the monitor's end. */
static void refuse_spawn(struct procs *procs, struct monitor *monitor, struct cn_term reason)
{
    struct process *self = monitor->watcher;
    struct cn_writer writer;
    struct cn_ref ref;

    monitor_ref(procs, monitor, &ref);
    monitor_free(procs, monitor);
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 4);
    cn_write_atom(&writer, "spawn_reply");
    cn_write_ref(&writer, &ref);
    cn_write_atom(&writer, "error");
    cn_write_term(&writer, reason);
    if (cn_writer_error(&writer) != 0 || mailbox_push(self, cn_writer_term(&writer), false) != 0)
        process_mark_exiting(self, REASON_SYSTEM_LIMIT);
    cn_writer_free(&writer);
}

static int send_spawn(struct process *self, const struct spawn_call *spawn,
                      const struct cn_ref *ref)
{
    static const uint8_t options[] = "\x6c\0\0\0\x01\x77\x07monitor\x6a";
    struct control control = {.op = CONTROL_SPAWN_REQUEST,
                              .has_from = true,
                              .from = self->pid,
                              .ref = *ref,
                              .group_leader = spawn->group_leader,
                              .arity = spawn->arity};

    control.module = (struct cn_bytes){(const uint8_t *)spawn->module, strlen(spawn->module)};
    control.function = (struct cn_bytes){(const uint8_t *)spawn->function, strlen(spawn->function)};
    control.options = (struct cn_term){options, sizeof(options) - 1};
    return route_signal(self->procs, self, spawn->node, &control, spawn->arguments);
}

int process_spawn_request(struct process *self, const struct spawn_call *spawn,
                          struct cn_ref *ret_ref)
{
    struct procs *procs = self->procs;
    struct peer *peer = procs_peer_get(procs, spawn->node);
    struct monitor *monitor = NULL;
    struct cn_ref ref;
    int r = 0;

    if (peer == NULL)
        return -ENOMEM;
    procs_make_ref(procs, &ref);
    monitor = monitor_begin(self, "", &ref);
    if (monitor == NULL) {
        procs_peer_put(procs, peer);
        return -ENOMEM;
    }
    monitor->spawning = true;
    monitor->target_peer = peer;
    list_append(&peer->watched, &monitor->in_target);
    r = send_spawn(self, spawn, &ref);
    if (r == -ENOMEM || r == -E2BIG) {
        monitor_free(procs, monitor);
        return r;
    }
    if (r != 0)
        refuse_spawn(procs, monitor, r == -ENOTSUP ? REASON_NOTSUP : REASON_NOCONNECTION);
    *ret_ref = ref;
    return 0;
}

int spawn_replied(struct procs *procs, struct peer *peer, const struct control *control)
{
    struct monitor *monitor = NULL;
    struct cn_reader reader;
    struct cn_pid pid;

    if (!route_is_local(procs, control->ref.node) ||
        control->ref.creation != procs->node_pid.creation)
        return 0;
    monitor = monitor_find(procs, NULL, &control->ref);
    if (monitor == NULL || monitor->target_peer != peer || !monitor->spawning)
        return 0;
    cn_reader_init(&reader, control->result);
    if (cn_peek(&reader) == CN_TYPE_PID && cn_read_pid(&reader, &pid)) {
        monitor->to = (struct short_pid){pid.id, pid.serial, pid.creation};
        monitor->spawning = false;
    } else {
        refuse_spawn(procs, monitor, control->result);
    }
    return 0;
}

void procs_peer_cannot_spawn(struct procs *procs, const char *node)
{
    struct peer *peer = procs_peer_find(procs, node);

    if (peer == NULL)
        return;
    list_for_each_safe(item, &peer->watched) {
        struct monitor *monitor = container_of(item, struct monitor, in_target);

        if (monitor->spawning)
            refuse_spawn(procs, monitor, REASON_NOTSUP);
    }
}
