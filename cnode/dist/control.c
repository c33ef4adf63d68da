/*
 * Control messages: the encoder, and the decoder's frame around control_decode.c.
 *
 * The encoder writes what a BEAM of the peer's flags would write for the same signal, so golden
 * bytes of a real node serve as its test.
 */
#include "dist/control.h"

#include <errno.h>

#include "base/assert.h"
#include "dist/control_ops.h"
#include "dist/flags.h"

static void start(struct cn_writer *writer, uint32_t arity, enum control_wire_op op)
{
    cn_write_tuple(writer, arity);
    cn_write_integer(writer, op);
}

/* Write the process that a monitor watches: by name or by pid. */
static void write_process(struct cn_writer *writer, struct cn_bytes name, const struct cn_pid *pid)
{
    if (name.size > 0)
        cn_write_atom_bytes(writer, name);
    else
        cn_write_pid(writer, pid);
}

static void encode_send(const struct control *control, uint64_t flags, struct cn_writer *writer)
{
    if (control->has_from && (flags & FLAG_SEND_SENDER) != 0) {
        start(writer, 3, OP_SEND_SENDER);
        cn_write_pid(writer, &control->from);
    } else {
        start(writer, 3, OP_SEND);
        cn_write_atom(writer, "");
    }
    cn_write_pid(writer, &control->to);
}

static void encode_reg_send(const struct control *control, struct cn_writer *writer)
{
    start(writer, 4, OP_REG_SEND);
    cn_write_pid(writer, &control->from);
    cn_write_atom(writer, "");
    cn_write_atom_bytes(writer, control->to_name);
}

static void encode_two_pids(const struct control *control, enum control_wire_op op,
                            struct cn_writer *writer)
{
    start(writer, 3, op);
    cn_write_pid(writer, &control->from);
    cn_write_pid(writer, &control->to);
}

static void encode_unlink(const struct control *control, enum control_wire_op op,
                          struct cn_writer *writer)
{
    start(writer, 4, op);
    cn_write_unsigned(writer, control->id);
    cn_write_pid(writer, &control->from);
    cn_write_pid(writer, &control->to);
}

/* Exits carry their reason behind the tuple, or inside for peers that do not know better. */
static void encode_exit(const struct control *control, struct cn_term reason, uint64_t flags,
                        struct cn_writer *writer)
{
    bool link = control->op == CONTROL_EXIT;

    if ((flags & FLAG_EXIT_PAYLOAD) != 0) {
        encode_two_pids(control, link ? OP_PAYLOAD_EXIT : OP_PAYLOAD_EXIT2, writer);
        return;
    }
    start(writer, 4, link ? OP_EXIT : OP_EXIT2);
    cn_write_pid(writer, &control->from);
    cn_write_pid(writer, &control->to);
    cn_write_term(writer, reason);
}

static void encode_monitor(const struct control *control, struct cn_writer *writer)
{
    start(writer, 4, control->op == CONTROL_MONITOR ? OP_MONITOR_P : OP_DEMONITOR_P);
    cn_write_pid(writer, &control->from);
    write_process(writer, control->to_name, &control->to);
    cn_write_ref(writer, &control->ref);
}

static void encode_monitor_exit(const struct control *control, struct cn_term reason,
                                uint64_t flags, struct cn_writer *writer)
{
    bool payload = (flags & FLAG_EXIT_PAYLOAD) != 0;

    start(writer, payload ? 4 : 5, payload ? OP_PAYLOAD_MONITOR_P_EXIT : OP_MONITOR_P_EXIT);
    write_process(writer, control->from_name, &control->from);
    cn_write_pid(writer, &control->to);
    cn_write_ref(writer, &control->ref);
    if (!payload)
        cn_write_term(writer, reason);
}

static void encode_spawn_request(const struct control *control, struct cn_writer *writer)
{
    start(writer, 6, OP_SPAWN_REQUEST);
    cn_write_ref(writer, &control->ref);
    cn_write_pid(writer, &control->from);
    cn_write_pid(writer, &control->group_leader);
    cn_write_tuple(writer, 3);
    cn_write_atom_bytes(writer, control->module);
    cn_write_atom_bytes(writer, control->function);
    cn_write_integer(writer, control->arity);
    cn_write_term(writer, control->options);
}

static void encode_spawn_reply(const struct control *control, struct cn_writer *writer)
{
    start(writer, 5, OP_SPAWN_REPLY);
    cn_write_ref(writer, &control->ref);
    cn_write_pid(writer, &control->to);
    cn_write_integer(writer, control->flags);
    cn_write_term(writer, control->result);
}

static void encode_alias_send(const struct control *control, struct cn_writer *writer)
{
    start(writer, 3, OP_ALIAS_SEND);
    cn_write_pid(writer, &control->from);
    cn_write_ref(writer, &control->ref);
}

/* Give the flags without which a peer cannot understand @op at all. */
static uint64_t flags_needed(enum control_op op)
{
    switch (op) {
    case CONTROL_ALIAS_SEND:
        return FLAG_ALIAS;
    case CONTROL_UNLINK_ACK:
        return FLAG_UNLINK_ID;
    case CONTROL_MONITOR:
    case CONTROL_DEMONITOR:
    case CONTROL_MONITOR_EXIT:
        return FLAG_DIST_MONITOR | FLAG_DIST_MONITOR_NAME;
    case CONTROL_SPAWN_REQUEST:
    case CONTROL_SPAWN_REPLY:
        return FLAG_SPAWN;
    default:
        return 0;
    }
}

static bool payload_follows(enum control_op op, uint64_t flags)
{
    switch (op) {
    case CONTROL_SEND:
    case CONTROL_REG_SEND:
    case CONTROL_ALIAS_SEND:
    case CONTROL_SPAWN_REQUEST:
        return true;
    case CONTROL_EXIT:
    case CONTROL_EXIT2:
    case CONTROL_MONITOR_EXIT:
        return (flags & FLAG_EXIT_PAYLOAD) != 0;
    default:
        return false;
    }
}

static void encode(const struct control *control, struct cn_term message, uint64_t flags,
                   struct cn_writer *writer)
{
    switch (control->op) {
    case CONTROL_SEND:
        encode_send(control, flags, writer);
        break;
    case CONTROL_REG_SEND:
        encode_reg_send(control, writer);
        break;
    case CONTROL_ALIAS_SEND:
        encode_alias_send(control, writer);
        break;
    case CONTROL_LINK:
        encode_two_pids(control, OP_LINK, writer);
        break;
    case CONTROL_UNLINK:
        if ((flags & FLAG_UNLINK_ID) != 0)
            encode_unlink(control, OP_UNLINK_ID, writer);
        else
            encode_two_pids(control, OP_UNLINK, writer);
        break;
    case CONTROL_UNLINK_ACK:
        encode_unlink(control, OP_UNLINK_ID_ACK, writer);
        break;
    case CONTROL_EXIT:
    case CONTROL_EXIT2:
        encode_exit(control, message, flags, writer);
        break;
    case CONTROL_MONITOR:
    case CONTROL_DEMONITOR:
        encode_monitor(control, writer);
        break;
    case CONTROL_MONITOR_EXIT:
        encode_monitor_exit(control, message, flags, writer);
        break;
    case CONTROL_SPAWN_REQUEST:
        encode_spawn_request(control, writer);
        break;
    case CONTROL_SPAWN_REPLY:
        encode_spawn_reply(control, writer);
        break;
    case CONTROL_GROUP_LEADER:
        encode_two_pids(control, OP_GROUP_LEADER, writer);
        break;
    default:
        cn_unreachable();
    }
}

int control_encode(const struct control *control, struct cn_term message, uint64_t flags,
                   struct cn_writer *writer, bool *ret_payload_follows)
{
    uint64_t needed = flags_needed(control->op);
    int rc;

    if ((flags & needed) != needed)
        return -ENOTSUP;
    encode(control, message, flags, writer);
    rc = cn_writer_error(writer);
    if (rc != 0)
        return rc;
    *ret_payload_follows = payload_follows(control->op, flags);
    return 0;
}
