/*
 * Where signals go: to a mailbox here, or out to a peer; and what comes in from one.
 *
 * Each signal acts at once, in the order in which it was sent or arrived: messages are appended to
 * mailboxes, exits mark, monitors and links change. Nothing is kept back here, so the order between
 * two processes is that of the calls, and between nodes that of the connection.
 *
 * A node that does not read makes its senders wait (stalls.c): for their messages and for what else
 * a process asks for. What the node says of itself, or answers, makes nobody wait.
 *
 * A peer speaks only for its own processes: a sender on another node, or of another incarnation, is
 * a broken rule. What it says about processes that are gone, or of links and monitors that do not
 * exist, is not: that happens to everybody, and is ignored or answered noproc.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "etf/writer.h"
#include "proc/internal.h"

#define SCRATCH_KEEP_BYTES 65536u

struct cn_writer *route_scratch(struct procs *procs)
{
    if (procs->scratch.capacity > SCRATCH_KEEP_BYTES)
        cn_writer_free(&procs->scratch);
    else
        cn_writer_reset(&procs->scratch);
    return &procs->scratch;
}

bool route_is_local(const struct procs *procs, const char *node)
{
    return strcmp(node, procs->node_pid.node) == 0;
}

struct process *route_find(const struct procs *procs, const struct cn_pid *pid)
{
    if (pid->creation != procs->node_pid.creation || !route_is_local(procs, pid->node))
        return NULL;
    return table_find(&procs->table, pid->id, pid->serial);
}

/*
 * Who sends: @from, or who runs now, so that what a process says, replies too, comes from it in one
 * order; NULL: the node itself.
 */
static const struct process *sender(const struct procs *procs, const struct process *from)
{
    return from != NULL ? from : procs->running;
}

static const struct cn_pid *sender_pid(const struct procs *procs, const struct process *from)
{
    return sender(procs, from) != NULL ? &sender(procs, from)->pid : &procs->node_pid;
}

static int transmit(struct procs *procs, const char *node, const struct control *control,
                    struct cn_term message, struct etf_body *body)
{
    const struct transport *transport = &procs->transport;
    struct cn_writer whole;
    int r = 0;

    if (procs->closing)
        return 0;
    if (transport->send == NULL)
        return CN_E_UNKNOWN;
    if (body == NULL)
        return transport->send(transport->context, node, control, message);
    if (transport->send_shared != NULL)
        return transport->send_shared(transport->context, node, control, message, body);
    cn_writer_init(&whole, 0);
    r = etf_body_join(&whole, message, body);
    if (r == 0)
        r = transport->send(transport->context, node, control, cn_writer_term(&whole));
    cn_writer_free(&whole);
    return r;
}

int route_control_shared(struct procs *procs, const char *node, const struct control *control,
                         struct cn_term start, struct etf_body *body)
{
    int r = transmit(procs, node, control, start, body);

    return r == CN_E_BUSY ? 0 : r;
}

int route_control(struct procs *procs, const char *node, const struct control *control,
                  struct cn_term message)
{
    return route_control_shared(procs, node, control, message, NULL);
}

/* Send what @from does, or whose callback this is. @body NULL: @message is whole. */
static int route_message(struct procs *procs, const struct process *from, const char *node,
                         const struct control *control, struct cn_term message,
                         struct etf_body *body)
{
    const struct process *sends = sender(procs, from);
    int r = transmit(procs, node, control, message, body);

    if (r != CN_E_BUSY)
        return r;
    if (sends != NULL)
        stalls_add((struct process *)(uintptr_t)sends, node);
    return 0;
}

int route_signal(struct procs *procs, const struct process *from, const char *node,
                 const struct control *control, struct cn_term message)
{
    return route_message(procs, from, node, control, message, NULL);
}

/* Give to a local process; NULL: nobody is there. */
static int push_message(struct process *target, struct cn_term message, struct etf_body *body)
{
    if (target == NULL)
        return 0;
    if (body == NULL)
        return mailbox_push(target, message, false);
    return mailbox_push_body(target, message, body);
}

static int send_pid(struct procs *procs, const struct process *from, const struct cn_pid *to,
                    struct cn_term message, struct etf_body *body)
{
    struct control control = {.op = CONTROL_SEND,
                              .has_from = sender(procs, from) != NULL,
                              .from = *sender_pid(procs, from),
                              .to = *to};
    struct peer *peer = NULL;

    if (route_is_local(procs, to->node))
        return push_message(procs_find(procs, to), message, body);
    peer = procs_peer_find(procs, to->node);
    if (peer != NULL && peer->up && peer->creation != to->creation)
        return 0;
    return route_message(procs, from, to->node, &control, message, body);
}

static int send_name(struct procs *procs, const struct process *from, const struct dest *dest,
                     struct cn_term message, struct etf_body *body)
{
    struct control control = {
        .op = CONTROL_REG_SEND, .has_from = true, .from = *sender_pid(procs, from)};

    control.to_name = (struct cn_bytes){(const uint8_t *)dest->name, strlen(dest->name)};
    if (dest->node != NULL && !route_is_local(procs, dest->node))
        return route_message(procs, from, dest->node, &control, message, body);
    return push_message(procs_whereis(procs, control.to_name), message, body);
}

static int send_alias(struct procs *procs, const struct process *from, const struct cn_ref *alias,
                      struct cn_term message, struct etf_body *body)
{
    struct control control = {.op = CONTROL_ALIAS_SEND,
                              .has_from = true,
                              .from = *sender_pid(procs, from),
                              .ref = *alias};

    int r = 0;

    if (route_is_local(procs, alias->node))
        return push_message(alias_find(procs, alias), message, body);
    r = route_message(procs, from, alias->node, &control, message, body);
    if (r == 0)
        monitors_answered(procs, alias);
    return r;
}

int procs_send_shared(struct procs *procs, const struct process *from, const struct dest *dest,
                      struct cn_term start, struct etf_body *body)
{
    switch (dest->kind) {
    case DEST_PID:
        return send_pid(procs, from, &dest->pid, start, body);
    case DEST_NAME:
        return send_name(procs, from, dest, start, body);
    case DEST_ALIAS:
        return send_alias(procs, from, &dest->alias, start, body);
    }
    return -EINVAL;
}

int procs_send(struct procs *procs, const struct process *from, const struct dest *dest,
               struct cn_term message)
{
    return procs_send_shared(procs, from, dest, message, NULL);
}

int procs_send_pid(struct procs *procs, const struct process *from, const struct cn_pid *to,
                   struct cn_term message)
{
    return send_pid(procs, from, to, message, NULL);
}

static int deliver_message(struct procs *procs, const struct control *control,
                           struct cn_term message)
{
    struct process *target = NULL;

    if (control->op == CONTROL_SEND)
        target = procs_find(procs, &control->to);
    else if (control->op == CONTROL_REG_SEND)
        target = procs_whereis(procs, control->to_name);
    else
        target = alias_find(procs, &control->ref);
    if (target == NULL)
        return 0;
    if (control->owner != NULL)
        return mailbox_push_shared(target, message, control->owner);
    return mailbox_push(target, message, false);
}

static int deliver_exit2(struct procs *procs, const struct control *control, struct cn_term reason)
{
    struct process *target = procs_find(procs, &control->to);

    if (target != NULL)
        signal_exit(target, &control->from, reason, false);
    return 0;
}

/* Whether the operation names a sender that must be a process of the peer. */
static bool speaks_for_sender(const struct control *control)
{
    switch (control->op) {
    case CONTROL_SEND:
    case CONTROL_REG_SEND:
    case CONTROL_ALIAS_SEND:
        return control->has_from;
    case CONTROL_MONITOR_EXIT:
        return control->from_name.size == 0;
    case CONTROL_SPAWN_REPLY:
    case CONTROL_GROUP_LEADER:
        return false;
    default:
        return true;
    }
}

static int dispatch(struct procs *procs, struct peer *peer, const struct control *control,
                    struct cn_term message)
{
    switch (control->op) {
    case CONTROL_SEND:
    case CONTROL_REG_SEND:
    case CONTROL_ALIAS_SEND:
        return deliver_message(procs, control, message);
    case CONTROL_LINK:
    case CONTROL_UNLINK:
    case CONTROL_UNLINK_ACK:
    case CONTROL_EXIT:
        return links_deliver(procs, peer, control, message);
    case CONTROL_EXIT2:
        return deliver_exit2(procs, control, message);
    case CONTROL_MONITOR:
    case CONTROL_DEMONITOR:
    case CONTROL_MONITOR_EXIT:
        return monitors_deliver(procs, peer, control, message);
    case CONTROL_SPAWN_REQUEST:
        return spawn_deliver(procs, peer->name, control, message);
    case CONTROL_SPAWN_REPLY:
        return spawn_replied(procs, peer, control);
    case CONTROL_GROUP_LEADER:
        return 0;
    }
    return CN_E_INVALID;
}

int procs_deliver(struct procs *procs, const char *node, uint32_t creation,
                  const struct control *control, struct cn_term message)
{
    struct peer *peer = procs_peer_find(procs, node);

    if (peer == NULL || !peer->up || peer->creation != creation)
        return CN_E_STALE;
    if (speaks_for_sender(control) &&
        (strcmp(control->from.node, node) != 0 || control->from.creation != creation))
        return CN_E_INVALID;
    return dispatch(procs, peer, control, message);
}
