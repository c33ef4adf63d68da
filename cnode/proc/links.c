/*
 * Links, and the unlink protocol between nodes.
 *
 * Between nodes an unlink is not over when it is sent: an exit signal or a new link of the other
 * end may be on its way. So an unlinked remote link stays, marked with the unlink's id, until
 * the peer acknowledges that id; meanwhile its exit signals and repeated LINKs are
 * ignored. Linking again during that time makes it a live link at once, and the late
 * acknowledgement then fits no id and is ignored. An UNLINK of a peer is acknowledged before
 * anything else is sent, whether we know the link or not.
 *
 * Source: "New Link Protocol" in the ERTS User's Guide.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "proc/internal.h"

static struct link_key key_remote(const struct process *own, const struct peer *peer,
                                  const struct cn_pid *other)
{
    struct link_key key;

    memset(&key, 0, sizeof(key));
    key.peer = peer;
    key.other = (struct short_pid){other->id, other->serial, other->creation};
    key.own_id = own->pid.id;
    key.own_serial = own->pid.serial;
    return key;
}

static bool pid_is_lower(const struct cn_pid *a, const struct cn_pid *b)
{
    return a->id < b->id || (a->id == b->id && a->serial < b->serial);
}

static struct link_key key_local(const struct process *a, const struct process *b)
{
    return pid_is_lower(&a->pid, &b->pid) ? key_remote(a, NULL, &b->pid)
                                          : key_remote(b, NULL, &a->pid);
}

static struct link *link_find(struct procs *procs, const struct link_key *key)
{
    struct link *link = NULL;

    map_find(procs->links, key, sizeof(*key), link);
    return link;
}

/* Errors: NULL without memory. @other is NULL for a remote end, @peer for a local one. */
static struct link *link_new(struct procs *procs, const struct link_key *key, struct process *own,
                             struct process *other, struct peer *peer)
{
    struct link *link = mem_zalloc(sizeof(*link));

    if (link == NULL)
        return NULL;
    link->key = *key;
    link->own = own;
    link->other = other;
    link->own_end.link = link;
    link->other_end.link = link;
    if (!map_add(procs->links, &link->key, sizeof(link->key), link)) {
        mem_free(link);
        return NULL;
    }
    list_append(&own->links, &link->own_end.list);
    list_append(peer != NULL ? &peer->links : &other->links, &link->other_end.list);
    if (peer != NULL)
        peer->link_count++;
    return link;
}

/* The peer of a remote link: it owns the list, so it is there as long as the link. */
static struct peer *link_peer(const struct link *link)
{
    return (struct peer *)(uintptr_t)link->key.peer;
}

static void link_free(struct procs *procs, struct link *link)
{
    struct peer *peer = link_peer(link);

    map_remove(procs->links, link);
    list_remove(&link->own_end.list);
    list_remove(&link->other_end.list);
    mem_free(link);
    if (peer == NULL)
        return;
    peer->link_count--;
    procs_peer_put(procs, peer);
}

static void link_remote_pid(const struct link *link, struct cn_pid *ret_pid)
{
    *ret_pid = (struct cn_pid){
        link->key.other.id, link->key.other.serial, link->key.other.creation, {0}};
    text_copy(ret_pid->node, sizeof(ret_pid->node), link_peer(link)->name);
}

static int send_exit(struct procs *procs, const char *node, const struct cn_pid *from,
                     const struct cn_pid *to, struct cn_term reason)
{
    struct control control = {.op = CONTROL_EXIT, .has_from = true, .from = *from, .to = *to};

    return route_control(procs, node, &control, reason);
}

static int link_local(struct process *self, const struct cn_pid *pid)
{
    struct process *other = procs_find(self->procs, pid);
    struct link_key key;

    if (other == self)
        return 0;
    if (other == NULL) {
        signal_exit(self, pid, REASON_NOPROC, true);
        return 0;
    }
    key = key_local(self, other);
    if (link_find(self->procs, &key) != NULL)
        return 0;
    if (!pid_is_lower(&self->pid, &other->pid))
        return link_new(self->procs, &key, other, self, NULL) != NULL ? 0 : -ENOMEM;
    return link_new(self->procs, &key, self, other, NULL) != NULL ? 0 : -ENOMEM;
}

/* Tell the peer of a new or renewed link. What cannot be told breaks the link. */
static int link_announce(struct process *self, struct link *link, const struct cn_pid *pid)
{
    struct control control = {.op = CONTROL_LINK, .has_from = true, .from = self->pid, .to = *pid};
    int r = route_signal(self->procs, self, pid->node, &control, (struct cn_term){0});

    if (r == 0)
        return 0;
    link_free(self->procs, link);
    if (r == -ENOMEM)
        return r;
    signal_exit(self, pid, REASON_NOCONNECTION, true);
    return 0;
}

static int link_remote(struct process *self, const struct cn_pid *pid)
{
    struct procs *procs = self->procs;
    struct peer *peer = procs_peer_get(procs, pid->node);
    struct link_key key;
    struct link *link = NULL;

    if (peer == NULL)
        return -ENOMEM;
    if (peer->up && peer->creation != pid->creation) {
        signal_exit(self, pid, REASON_NOPROC, true);
        return 0;
    }
    key = key_remote(self, peer, pid);
    link = link_find(procs, &key);
    if (link != NULL && link->unlink_id == 0)
        return 0;
    if (link == NULL)
        link = link_new(procs, &key, self, NULL, peer);
    if (link == NULL) {
        procs_peer_put(procs, peer);
        return -ENOMEM;
    }
    link->unlink_id = 0;
    return link_announce(self, link, pid);
}

int process_link(struct process *self, const struct cn_pid *pid)
{
    if (route_is_local(self->procs, pid->node))
        return link_local(self, pid);
    return link_remote(self, pid);
}

static void unlink_remote(struct process *self, const struct cn_pid *pid)
{
    struct procs *procs = self->procs;
    struct peer *peer = procs_peer_find(procs, pid->node);
    struct control control = {
        .op = CONTROL_UNLINK, .has_from = true, .from = self->pid, .to = *pid};
    struct link_key key;
    struct link *link = NULL;

    if (peer == NULL)
        return;
    key = key_remote(self, peer, pid);
    link = link_find(procs, &key);
    if (link == NULL || link->unlink_id != 0)
        return;
    link->unlink_id = ++procs->next_unlink;
    control.id = link->unlink_id;
    if (route_signal(procs, self, pid->node, &control, (struct cn_term){0}) != 0 ||
        (peer->up && peer->no_acks))
        link_free(procs, link);
}

void links_drop_unlinked(struct procs *procs, struct peer *peer)
{
    list_for_each_safe(item, &peer->links) {
        struct link *link = container_of(item, struct link_end, list)->link;

        if (link->unlink_id != 0)
            link_free(procs, link);
    }
}

void process_unlink(struct process *self, const struct cn_pid *pid)
{
    struct process *other = NULL;
    struct link_key key;
    struct link *link = NULL;

    if (!route_is_local(self->procs, pid->node)) {
        unlink_remote(self, pid);
        return;
    }
    other = route_find(self->procs, pid);
    if (other == NULL || other == self)
        return;
    key = key_local(self, other);
    link = link_find(self->procs, &key);
    if (link != NULL)
        link_free(self->procs, link);
}

void process_each_link(const struct process *self,
                       void (*visit)(void *context, const struct cn_pid *pid), void *context)
{
    list_for_each(item, &self->links) {
        const struct link *link = container_of(item, struct link_end, list)->link;
        struct cn_pid pid;

        if (link->unlink_id != 0)
            continue;
        if (link->other == NULL)
            link_remote_pid(link, &pid);
        else
            pid = link->own == self ? link->other->pid : link->own->pid;
        visit(context, &pid);
    }
}

static void link_break(struct process *process, struct link *link, struct cn_term reason,
                       bool silent)
{
    struct procs *procs = process->procs;
    struct process *other = link->own == process ? link->other : link->own;
    bool live = link->unlink_id == 0 && !silent;
    struct cn_pid pid;

    if (other == NULL && live) {
        link_remote_pid(link, &pid);
        (void)send_exit(procs, pid.node, &process->pid, &pid, reason);
    }
    link_free(procs, link);
    if (other != NULL && live)
        signal_exit(other, &process->pid, reason, true);
}

void links_break(struct process *process, struct cn_term reason, bool silent)
{
    struct list *item = NULL;

    while ((item = list_first(&process->links)) != NULL)
        link_break(process, container_of(item, struct link_end, list)->link, reason, silent);
}

static bool link_is_quiet(const struct link *link)
{
    const struct peer *peer = link->key.peer;

    return peer->quiet && memcmp(&peer->quiet_pid, &link->key.other, sizeof(peer->quiet_pid)) == 0;
}

void links_peer_down(struct procs *procs, struct peer *peer)
{
    struct list *item = NULL;

    while ((item = list_first(&peer->links)) != NULL) {
        struct link *link = container_of(item, struct link_end, list)->link;
        struct process *own = link->own;
        bool told = link->unlink_id == 0 && !link_is_quiet(link);
        struct cn_pid pid;

        link_remote_pid(link, &pid);
        list_remove(item);
        link_free(procs, link);
        if (told && !procs->closing)
            signal_exit(own, &pid, REASON_NOCONNECTION, true);
    }
}

int link_accept(struct process *process, struct peer *peer, const struct cn_pid *pid)
{
    struct procs *procs = process->procs;
    struct link_key key = key_remote(process, peer, pid);

    if (link_find(procs, &key) != NULL)
        return 0;
    if (peer->link_count >= procs->limits.links_per_peer_max) {
        if (!peer->links_told)
            procs_limit_reached(procs, "links.full", peer->name);
        peer->links_told = true;
        return CN_E_LIMIT;
    }
    return link_new(procs, &key, process, NULL, peer) != NULL ? 0 : -ENOMEM;
}

static int deliver_link(struct procs *procs, struct peer *peer, const struct control *control)
{
    struct process *target = procs_find(procs, &control->to);
    struct cn_term reason = REASON_NOPROC;
    int r = 0;

    if (target != NULL) {
        r = link_accept(target, peer, &control->from);
        if (r <= 0)
            return r;
        reason = REASON_SYSTEM_LIMIT;
    }
    (void)send_exit(procs, peer->name, &control->to, &control->from, reason);
    return 0;
}

/* The peer's link with the local process @to, NULL when there is none. */
static struct link *link_of_peer(struct procs *procs, const struct peer *peer,
                                 const struct control *control)
{
    struct process *target = route_find(procs, &control->to);
    struct link_key key;

    if (target == NULL)
        return NULL;
    key = key_remote(target, peer, &control->from);
    return link_find(procs, &key);
}

static int deliver_unlink(struct procs *procs, struct peer *peer, const struct control *control)
{
    struct link *link = link_of_peer(procs, peer, control);
    struct control ack = {.op = CONTROL_UNLINK_ACK,
                          .has_from = true,
                          .from = control->to,
                          .to = control->from,
                          .id = control->id};

    if (control->id != 0)
        (void)route_control(procs, peer->name, &ack, (struct cn_term){0});
    if (link != NULL && link->unlink_id == 0)
        link_free(procs, link);
    return 0;
}

static int deliver_exit(struct procs *procs, struct link *link, const struct control *control,
                        struct cn_term reason)
{
    struct process *target = link->own;
    bool told = link->unlink_id == 0 && !link_is_quiet(link);

    link_free(procs, link);
    if (told)
        signal_exit(target, &control->from, reason, true);
    return 0;
}

int links_deliver(struct procs *procs, struct peer *peer, const struct control *control,
                  struct cn_term reason)
{
    struct link *link = NULL;

    if (control->op == CONTROL_LINK)
        return deliver_link(procs, peer, control);
    if (control->op == CONTROL_UNLINK)
        return deliver_unlink(procs, peer, control);
    link = link_of_peer(procs, peer, control);
    if (link == NULL)
        return 0;
    if (control->op == CONTROL_EXIT)
        return deliver_exit(procs, link, control, reason);
    if (link->unlink_id != 0 && link->unlink_id == control->id)
        link_free(procs, link);
    return 0;
}
