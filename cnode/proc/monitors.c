/*
 * Monitors: who is told when a process ends.
 *
 * The reference finds the monitor, whoever holds it: our own references by their words, those of a
 * peer by peer and words. A monitor fires once and is then gone, so an answer of a peer to a
 * monitor that we do not have (any more) finds nothing and is ignored. The reference may be an
 * alias too: it dies with the monitor, so late answers to a call that has ended vanish here.
 *
 * A watcher that cannot be told for lack of memory is ended: waiting for ever for a DOWN would be
 * worse.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "proc/internal.h"

static struct monitor_key key_make(const struct peer *peer, const struct cn_ref *ref)
{
    struct monitor_key key;

    memset(&key, 0, sizeof(key));
    key.peer = peer;
    key.count = ref->count;
    memcpy(key.words, ref->words, ref->count * sizeof(ref->words[0]));
    return key;
}

static struct monitor *monitor_at(struct procs *procs, const struct monitor_key *key, unsigned hash)
{
    struct monitor *monitor = NULL;

    map_find_hashed(procs->monitors, key, sizeof(*key), hash, monitor);
    return monitor;
}

struct monitor *monitor_find(struct procs *procs, const struct peer *peer, const struct cn_ref *ref)
{
    struct monitor_key key = key_make(peer, ref);

    return monitor_at(procs, &key, map_hash(&key, sizeof(key)));
}

/* A monitor that is at no end yet. Errors: NULL without memory. */
static struct monitor *monitor_new(struct procs *procs, const struct monitor_key *key,
                                   unsigned hash, struct cn_bytes name)
{
    struct monitor *monitor = mem_zalloc(sizeof(*monitor) + name.size + 1);

    if (monitor == NULL)
        return NULL;
    monitor->key = *key;
    list_init(&monitor->in_watcher);
    list_init(&monitor->in_target);
    if (name.size > 0)
        memcpy(monitor->name, name.data, name.size);
    if (!map_add_hashed(procs->monitors, &monitor->key, sizeof(monitor->key), hash, monitor)) {
        mem_free(monitor);
        return NULL;
    }
    return monitor;
}

/* The peer that watches: it owns the list, so it is there as long as the monitor. */
static struct peer *monitor_peer(const struct monitor *monitor)
{
    return (struct peer *)(uintptr_t)monitor->key.peer;
}

void monitor_free(struct procs *procs, struct monitor *monitor)
{
    struct peer *watcher = monitor_peer(monitor);
    struct peer *target = monitor->target_peer;
    bool answered = monitor->answered;

    map_remove(procs->monitors, monitor);
    list_remove(&monitor->in_watcher);
    list_remove(&monitor->in_target);
    mem_free(monitor);
    if (watcher != NULL) {
        watcher->answered_count -= answered ? 1 : 0;
        watcher->watching_count--;
        procs_peer_put(procs, watcher);
    }
    if (target != NULL)
        procs_peer_put(procs, target);
}

static void pid_complete(struct cn_pid *pid, struct short_pid part, const char *node)
{
    pid->id = part.id;
    pid->serial = part.serial;
    pid->creation = part.creation;
    text_copy(pid->node, sizeof(pid->node), node);
}

void monitor_ref(const struct procs *procs, const struct monitor *monitor, struct cn_ref *ret_ref)
{
    *ret_ref = (struct cn_ref){.count = monitor->key.count,
                               .creation = monitor->key.peer != NULL ? monitor->key.peer->creation
                                                                     : procs->node_pid.creation};
    memcpy(ret_ref->words, monitor->key.words, sizeof(ret_ref->words));
    text_copy(ret_ref->node, sizeof(ret_ref->node),
              monitor->key.peer != NULL ? monitor->key.peer->name : procs->node_pid.node);
}

/* Queue {'DOWN', Ref, process, Object, Reason}; @name empty: the object is @pid. */
static void push_down(struct process *watcher, const struct cn_ref *ref, const struct cn_pid *pid,
                      const char *name, struct cn_term reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 5);
    cn_write_atom(&writer, "DOWN");
    cn_write_ref(&writer, ref);
    cn_write_atom(&writer, "process");
    if (name[0] != '\0') {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, name);
        cn_write_atom(&writer, pid->node);
    } else {
        cn_write_pid(&writer, pid);
    }
    cn_write_term(&writer, reason);
    if (cn_writer_error(&writer) != 0 || mailbox_push(watcher, cn_writer_term(&writer), true) != 0)
        process_mark_exiting(watcher, REASON_SYSTEM_LIMIT);
    cn_writer_free(&writer);
}

bool process_read_down(struct cn_term message, struct process_down *ret_down)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    return cn_read_this_tuple(&reader, 5) && cn_read_this_atom(&reader, "DOWN") &&
           cn_read_ref(&reader, &ret_down->ref) && cn_read_this_atom(&reader, "process") &&
           cn_read_term(&reader, &ret_down->object) && cn_read_term(&reader, &ret_down->reason);
}

/* @body: the end of the reason, if that is not whole in @reason. */
static void send_monitor_exit(struct procs *procs, const char *node, struct control *control,
                              struct cn_term reason, struct etf_body *body)
{
    control->op = CONTROL_MONITOR_EXIT;
    control->has_from = control->from_name.size == 0;
    (void)route_control_shared(procs, node, control, reason, body);
}

/* Tell a remote watcher; a reason that was given with a body goes out with it. */
static void send_fired(struct procs *procs, const struct monitor *monitor, struct control *control,
                       struct cn_term reason)
{
    const struct message *given = monitor->target != NULL ? monitor->target->reason : NULL;
    struct etf_body *body = NULL;

    if (given != NULL && given->body != NULL && reason.data == given->data) {
        body = given->body;
        reason.size = given->body_at;
    }
    send_monitor_exit(procs, monitor->key.peer->name, control, reason, body);
}

/* Tell the watcher why the target ended, and forget the monitor. */
static void monitor_fire(struct procs *procs, struct monitor *monitor, struct cn_term reason)
{
    struct control control = {0};
    const char *target_node = monitor->target_peer != NULL ? monitor->target_peer->name
                                                           : procs->node_pid.node;

    pid_complete(&control.from, monitor->to, target_node);
    monitor_ref(procs, monitor, &control.ref);
    if (monitor->watcher != NULL) {
        push_down(monitor->watcher, &control.ref, &control.from, monitor->name, reason);
    } else {
        pid_complete(&control.to, monitor->from, monitor->key.peer->name);
        control.from_name = (struct cn_bytes){(const uint8_t *)monitor->name,
                                              strlen(monitor->name)};
        send_fired(procs, monitor, &control, reason);
    }
    monitor_free(procs, monitor);
}

static struct process *dest_local(struct procs *procs, const struct dest *dest)
{
    if (dest->kind == DEST_PID)
        return procs_find(procs, &dest->pid);
    return procs_whereis(procs, (struct cn_bytes){(const uint8_t *)dest->name, strlen(dest->name)});
}

static struct short_pid short_of(const struct cn_pid *pid)
{
    return (struct short_pid){pid->id, pid->serial, pid->creation};
}

/* The object of a DOWN for @dest on @node. */
static void dest_object(const struct dest *dest, const char *node, struct cn_pid *ret_pid)
{
    if (dest->kind == DEST_PID)
        *ret_pid = dest->pid;
    else
        pid_complete(ret_pid, (struct short_pid){0}, node);
}

static const char *dest_name(const struct dest *dest)
{
    return dest->kind == DEST_NAME ? dest->name : "";
}

struct monitor *monitor_begin(struct process *self, const char *name, const struct cn_ref *ref)
{
    struct monitor_key key = key_make(NULL, ref);
    struct monitor *monitor = monitor_new(self->procs, &key, map_hash(&key, sizeof(key)),
                                          (struct cn_bytes){(const uint8_t *)name, strlen(name)});

    if (monitor == NULL)
        return NULL;
    monitor->watcher = self;
    list_append(&self->monitors, &monitor->in_watcher);
    return monitor;
}

static int monitor_local(struct process *self, const struct dest *dest, const struct cn_ref *ref,
                         bool alias)
{
    struct process *target = dest_local(self->procs, dest);
    struct monitor *monitor = NULL;
    struct cn_pid object;

    if (target == NULL) {
        dest_object(dest, self->pid.node, &object);
        push_down(self, ref, &object, dest_name(dest), REASON_NOPROC);
        return 0;
    }
    monitor = monitor_begin(self, dest_name(dest), ref);
    if (monitor == NULL)
        return -ENOMEM;
    monitor->alias = alias;
    monitor->target = target;
    monitor->to = short_of(&target->pid);
    list_append(&target->watchers, &monitor->in_target);
    return 0;
}

/* MONITOR or DEMONITOR of our own monitor @monitor. */
static int send_own(struct process *self, enum control_op op, const struct monitor *monitor,
                    const char *node)
{
    struct control control = {.op = op, .has_from = true, .from = self->pid};

    if (monitor->spawning) /* then there is no pid to name, and the peer's end tells nobody */
        return 0;
    pid_complete(&control.to, monitor->to, node);
    control.to_name = (struct cn_bytes){(const uint8_t *)monitor->name, strlen(monitor->name)};
    monitor_ref(self->procs, monitor, &control.ref);
    return route_signal(self->procs, self, node, &control, (struct cn_term){0});
}

static int monitor_remote(struct process *self, const struct dest *dest, const char *node,
                          const struct cn_ref *ref, bool alias)
{
    struct procs *procs = self->procs;
    struct peer *peer = procs_peer_get(procs, node);
    struct monitor *monitor = NULL;
    int r = 0;

    if (peer == NULL)
        return -ENOMEM;
    if (peer->up && dest->kind == DEST_PID && peer->creation != dest->pid.creation) {
        push_down(self, ref, &dest->pid, "", REASON_NOPROC);
        return 0;
    }
    monitor = monitor_begin(self, dest_name(dest), ref);
    if (monitor == NULL) {
        procs_peer_put(procs, peer);
        return -ENOMEM;
    }
    monitor->alias = alias;
    monitor->target_peer = peer;
    list_append(&peer->watched, &monitor->in_target);
    if (dest->kind == DEST_PID)
        monitor->to = short_of(&dest->pid);
    r = send_own(self, CONTROL_MONITOR, monitor, node);
    if (r == -ENOMEM)
        monitor_free(procs, monitor);
    else if (r != 0)
        monitor_fire(procs, monitor, REASON_NOCONNECTION);
    return r == -ENOMEM ? r : 0;
}

static int monitor_any(struct process *self, const struct dest *dest, bool alias,
                       struct cn_ref *ret_ref)
{
    const char *node = dest->kind == DEST_PID ? dest->pid.node : dest->node;
    struct cn_ref ref;
    int r = 0;

    if (dest->kind == DEST_ALIAS)
        return -EINVAL;
    procs_make_ref(self->procs, &ref);
    if (node == NULL || route_is_local(self->procs, node))
        r = monitor_local(self, dest, &ref, alias);
    else
        r = monitor_remote(self, dest, node, &ref, alias);
    if (r == 0)
        *ret_ref = ref;
    return r;
}

int process_monitor(struct process *self, const struct dest *dest, struct cn_ref *ret_ref)
{
    return monitor_any(self, dest, false, ret_ref);
}

int process_monitor_alias(struct process *self, const struct dest *dest, struct cn_ref *ret_ref)
{
    return monitor_any(self, dest, true, ret_ref);
}

void process_demonitor(struct process *self, const struct cn_ref *ref, bool flush)
{
    struct procs *procs = self->procs;
    struct monitor *monitor = NULL;

    if (!route_is_local(procs, ref->node) || ref->creation != procs->node_pid.creation)
        return;
    monitor = monitor_find(procs, NULL, ref);
    if (monitor != NULL && monitor->watcher == self) {
        if (monitor->target_peer != NULL)
            (void)send_own(self, CONTROL_DEMONITOR, monitor, monitor->target_peer->name);
        monitor_free(procs, monitor);
    } else if (flush) {
        mailbox_flush_down(self, ref);
    }
}

void monitors_answered(struct procs *procs, const struct cn_ref *ref)
{
    struct peer *peer = procs_peer_find(procs, ref->node);
    struct monitor *monitor = peer != NULL ? monitor_find(procs, peer, ref) : NULL;

    if (monitor == NULL || monitor->answered)
        return;
    monitor->answered = true;
    peer->answered_count++;
    procs->answered = true;
}

struct process *alias_find(struct procs *procs, const struct cn_ref *ref)
{
    struct monitor *monitor = NULL;

    if (!route_is_local(procs, ref->node) || ref->creation != procs->node_pid.creation)
        return NULL;
    monitor = monitor_find(procs, NULL, ref);
    return monitor != NULL && monitor->alias ? monitor->watcher : NULL;
}

size_t process_watchers(const struct process *self, const char *except_node)
{
    size_t count = 0;

    list_for_each(item, &self->watchers) {
        const struct monitor *monitor = container_of(item, struct monitor, in_target);
        const char *node = monitor->watcher != NULL ? self->pid.node : monitor->key.peer->name;

        if (except_node == NULL || strcmp(node, except_node) != 0)
            count++;
    }
    return count;
}

void monitors_end(struct process *process, struct cn_term reason, bool silent)
{
    struct procs *procs = process->procs;
    struct list *item = NULL;

    while ((item = list_first(&process->monitors)) != NULL) {
        struct monitor *monitor = container_of(item, struct monitor, in_watcher);

        if (monitor->target_peer != NULL && !silent)
            (void)send_own(process, CONTROL_DEMONITOR, monitor, monitor->target_peer->name);
        monitor_free(procs, monitor);
    }
    while ((item = list_first(&process->watchers)) != NULL) {
        struct monitor *monitor = container_of(item, struct monitor, in_target);

        if (silent)
            monitor_free(procs, monitor);
        else
            monitor_fire(procs, monitor, reason);
    }
}

void monitors_peer_down(struct procs *procs, struct peer *peer)
{
    struct list *item = NULL;

    while ((item = list_first(&peer->watching)) != NULL)
        monitor_free(procs, container_of(item, struct monitor, in_watcher));
    while ((item = list_first(&peer->watched)) != NULL)
        monitor_fire(procs, container_of(item, struct monitor, in_target), REASON_NOCONNECTION);
}

int monitor_accept(struct process *target, struct peer *peer, const struct cn_pid *watcher,
                   const struct cn_ref *ref, struct cn_bytes name)
{
    struct procs *procs = target->procs;
    struct monitor_key key = key_make(peer, ref);
    unsigned hash = map_hash(&key, sizeof(key));
    struct monitor *monitor = NULL;

    if (strcmp(ref->node, peer->name) != 0 || ref->creation != peer->creation ||
        monitor_at(procs, &key, hash) != NULL)
        return CN_E_INVALID;
    if (peer->watching_count >= procs->limits.monitors_per_peer_max) {
        if (!peer->monitors_told)
            procs_limit_reached(procs, "monitors.full", peer->name);
        peer->monitors_told = true;
        return CN_E_LIMIT;
    }
    monitor = monitor_new(procs, &key, hash, name);
    if (monitor == NULL)
        return -ENOMEM;
    monitor->from = short_of(watcher);
    monitor->target = target;
    monitor->to = short_of(&target->pid);
    list_append(&peer->watching, &monitor->in_watcher);
    list_append(&target->watchers, &monitor->in_target);
    peer->watching_count++;
    return 0;
}

/* Answer a monitor that cannot be set up. */
static void refuse_monitor(struct procs *procs, struct peer *peer, const struct control *control,
                           struct cn_term reason)
{
    struct control answer = {.from = control->to,
                             .from_name = control->to_name,
                             .to = control->from,
                             .ref = control->ref};

    send_monitor_exit(procs, peer->name, &answer, reason, NULL);
}

/* Set the monitor up, or answer it at once. */
static int deliver_monitor(struct procs *procs, struct peer *peer, const struct control *control)
{
    struct process *target = control->to_name.size > 0 ? procs_whereis(procs, control->to_name)
                                                       : procs_find(procs, &control->to);
    int r = 0;

    if (target == NULL) {
        refuse_monitor(procs, peer, control, REASON_NOPROC);
        return 0;
    }
    r = monitor_accept(target, peer, &control->from, &control->ref, control->to_name);
    if (r != CN_E_LIMIT)
        return r;
    refuse_monitor(procs, peer, control, REASON_SYSTEM_LIMIT);
    return 0;
}

int monitors_deliver(struct procs *procs, struct peer *peer, const struct control *control,
                     struct cn_term reason)
{
    struct monitor *monitor = NULL;

    if (control->op == CONTROL_MONITOR)
        return deliver_monitor(procs, peer, control);
    if (control->op == CONTROL_DEMONITOR) {
        monitor = monitor_find(procs, peer, &control->ref);
        if (monitor != NULL)
            monitor_free(procs, monitor);
        return 0;
    }
    if (!route_is_local(procs, control->ref.node) ||
        control->ref.creation != procs->node_pid.creation)
        return 0;
    monitor = monitor_find(procs, NULL, &control->ref);
    if (monitor != NULL && monitor->target_peer == peer)
        monitor_fire(procs, monitor, reason);
    return 0;
}
