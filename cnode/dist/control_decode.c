/*
 * Control messages: the decoder.
 *
 * One row per operation of the wire: its arity, whether a payload must follow, which canonical
 * operation it becomes, and who reads its fields. The tuple has passed the walker, so a field of
 * the wrong type is the only thing that can be wrong with it; trace tokens are read over.
 */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "dist/control.h"
#include "dist/control_ops.h"

#define TAG_SMALL_BIG 110

/* Reads the fields after the operation's number. */
typedef bool (*fields_reader)(struct cn_reader *reader, struct control *control,
                              struct cn_term *reason);

/* A process by pid or by name; an empty name would look like a pid, and no process has it. */
static bool read_process(struct cn_reader *reader, struct cn_bytes *name, struct cn_pid *pid)
{
    if (cn_peek(reader) != CN_TYPE_ATOM)
        return cn_read_pid(reader, pid);
    return cn_read_atom(reader, name) && name->size > 0;
}

/* An unlink id: a positive integer of 64 bits, the upper half of which is a big integer. */
static bool read_id(struct cn_reader *reader, uint64_t *ret_id)
{
    struct cn_term term;
    int64_t small;
    uint64_t id = 0;

    if (cn_peek(reader) == CN_TYPE_INTEGER) {
        if (!cn_read_integer(reader, &small) || small <= 0)
            return false;
        *ret_id = (uint64_t)small;
        return true;
    }
    if (!cn_read_term(reader, &term) || term.size != 11 || term.data[0] != TAG_SMALL_BIG ||
        term.data[1] != 8 || term.data[2] != 0)
        return false;
    for (size_t i = 8; i > 0; i--)
        id = id << 8 | term.data[2 + i];
    *ret_id = id;
    return true;
}

static bool read_small(struct cn_reader *reader, uint32_t max, uint32_t *ret_value)
{
    int64_t value;

    if (!cn_read_integer(reader, &value) || value < 0 || value > max)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static bool read_from_to(struct cn_reader *reader, struct control *control, struct cn_term *reason)
{
    return cn_read_pid(reader, &control->from) && cn_read_pid(reader, &control->to);
}

static bool read_from_to_reason(struct cn_reader *reader, struct control *control,
                                struct cn_term *reason)
{
    return read_from_to(reader, control, reason) && cn_read_term(reader, reason);
}

static bool read_from_to_token_reason(struct cn_reader *reader, struct control *control,
                                      struct cn_term *reason)
{
    return read_from_to(reader, control, reason) && cn_skip(reader) && cn_read_term(reader, reason);
}

/* The unused second element was the cookie once. */
static bool read_send(struct cn_reader *reader, struct control *control, struct cn_term *reason)
{
    return cn_skip(reader) && cn_read_pid(reader, &control->to);
}

static bool read_send_sender(struct cn_reader *reader, struct control *control,
                             struct cn_term *reason)
{
    control->has_from = true;
    return read_from_to(reader, control, reason);
}

static bool read_reg_send(struct cn_reader *reader, struct control *control, struct cn_term *reason)
{
    control->has_from = true;
    return cn_read_pid(reader, &control->from) && cn_skip(reader) &&
           cn_read_atom(reader, &control->to_name);
}

static bool read_alias_send(struct cn_reader *reader, struct control *control,
                            struct cn_term *reason)
{
    control->has_from = true;
    return cn_read_pid(reader, &control->from) && cn_read_ref(reader, &control->ref);
}

static bool read_id_from_to(struct cn_reader *reader, struct control *control,
                            struct cn_term *reason)
{
    return read_id(reader, &control->id) && read_from_to(reader, control, reason);
}

static bool read_monitor(struct cn_reader *reader, struct control *control, struct cn_term *reason)
{
    return cn_read_pid(reader, &control->from) &&
           read_process(reader, &control->to_name, &control->to) &&
           cn_read_ref(reader, &control->ref);
}

static bool read_monitor_exit(struct cn_reader *reader, struct control *control,
                              struct cn_term *reason)
{
    return read_process(reader, &control->from_name, &control->from) &&
           cn_read_pid(reader, &control->to) && cn_read_ref(reader, &control->ref);
}

static bool read_monitor_exit_reason(struct cn_reader *reader, struct control *control,
                                     struct cn_term *reason)
{
    return read_monitor_exit(reader, control, reason) && cn_read_term(reader, reason);
}

static bool read_spawn_request(struct cn_reader *reader, struct control *control,
                               struct cn_term *reason)
{
    return cn_read_ref(reader, &control->ref) && cn_read_pid(reader, &control->from) &&
           cn_read_pid(reader, &control->group_leader) && cn_read_this_tuple(reader, 3) &&
           cn_read_atom(reader, &control->module) && cn_read_atom(reader, &control->function) &&
           read_small(reader, UINT32_MAX, &control->arity) &&
           cn_read_term(reader, &control->options);
}

static bool read_spawn_reply(struct cn_reader *reader, struct control *control,
                             struct cn_term *reason)
{
    return cn_read_ref(reader, &control->ref) && cn_read_pid(reader, &control->to) &&
           read_small(reader, UINT32_MAX, &control->flags) &&
           (cn_peek(reader) == CN_TYPE_PID || cn_peek(reader) == CN_TYPE_ATOM) &&
           cn_read_term(reader, &control->result);
}

/*
 * The sends and exits of OTP 28: flags tell what the destination is. Later versions may add
 * elements.
 */
static bool read_altact(struct cn_reader *reader, struct control *control, struct cn_term *reason)
{
    uint32_t flags;

    control->has_from = true;
    if (!read_small(reader, UINT32_MAX, &flags) || !cn_read_pid(reader, &control->from))
        return false;
    if ((flags & ALTACT_EXIT) != 0) {
        control->op = CONTROL_EXIT2;
        return cn_read_pid(reader, &control->to);
    }
    if ((flags & ALTACT_ALIAS) != 0) {
        control->op = CONTROL_ALIAS_SEND;
        return cn_read_ref(reader, &control->ref);
    }
    if ((flags & ALTACT_NAME) != 0) {
        control->op = CONTROL_REG_SEND;
        return cn_read_atom(reader, &control->to_name);
    }
    return cn_read_pid(reader, &control->to);
}

/* What an operation of the wire is. */
struct wire_form {
    fields_reader read; /* NULL: no such operation */
    enum control_op op;
    uint8_t arity; /* with the number; altact: at least */
    bool payload;
};

static const struct wire_form wire_forms[OP_COUNT_] = {
    [OP_LINK] = {read_from_to, CONTROL_LINK, 3, false},
    [OP_SEND] = {read_send, CONTROL_SEND, 3, true},
    [OP_EXIT] = {read_from_to_reason, CONTROL_EXIT, 4, false},
    [OP_UNLINK] = {read_from_to, CONTROL_UNLINK, 3, false},
    [OP_REG_SEND] = {read_reg_send, CONTROL_REG_SEND, 4, true},
    [OP_GROUP_LEADER] = {read_from_to, CONTROL_GROUP_LEADER, 3, false},
    [OP_EXIT2] = {read_from_to_reason, CONTROL_EXIT2, 4, false},
    [OP_SEND_TT] = {read_send, CONTROL_SEND, 4, true},
    [OP_EXIT_TT] = {read_from_to_token_reason, CONTROL_EXIT, 5, false},
    [OP_REG_SEND_TT] = {read_reg_send, CONTROL_REG_SEND, 5, true},
    [OP_EXIT2_TT] = {read_from_to_token_reason, CONTROL_EXIT2, 5, false},
    [OP_MONITOR_P] = {read_monitor, CONTROL_MONITOR, 4, false},
    [OP_DEMONITOR_P] = {read_monitor, CONTROL_DEMONITOR, 4, false},
    [OP_MONITOR_P_EXIT] = {read_monitor_exit_reason, CONTROL_MONITOR_EXIT, 5, false},
    [OP_SEND_SENDER] = {read_send_sender, CONTROL_SEND, 3, true},
    [OP_SEND_SENDER_TT] = {read_send_sender, CONTROL_SEND, 4, true},
    [OP_PAYLOAD_EXIT] = {read_from_to, CONTROL_EXIT, 3, true},
    [OP_PAYLOAD_EXIT_TT] = {read_from_to, CONTROL_EXIT, 4, true},
    [OP_PAYLOAD_EXIT2] = {read_from_to, CONTROL_EXIT2, 3, true},
    [OP_PAYLOAD_EXIT2_TT] = {read_from_to, CONTROL_EXIT2, 4, true},
    [OP_PAYLOAD_MONITOR_P_EXIT] = {read_monitor_exit, CONTROL_MONITOR_EXIT, 4, true},
    [OP_SPAWN_REQUEST] = {read_spawn_request, CONTROL_SPAWN_REQUEST, 6, true},
    [OP_SPAWN_REQUEST_TT] = {read_spawn_request, CONTROL_SPAWN_REQUEST, 7, true},
    [OP_SPAWN_REPLY] = {read_spawn_reply, CONTROL_SPAWN_REPLY, 5, false},
    [OP_SPAWN_REPLY_TT] = {read_spawn_reply, CONTROL_SPAWN_REPLY, 6, false},
    [OP_ALIAS_SEND] = {read_alias_send, CONTROL_ALIAS_SEND, 3, true},
    [OP_ALIAS_SEND_TT] = {read_alias_send, CONTROL_ALIAS_SEND, 4, true},
    [OP_UNLINK_ID] = {read_id_from_to, CONTROL_UNLINK, 4, false},
    [OP_UNLINK_ID_ACK] = {read_id_from_to, CONTROL_UNLINK_ACK, 4, false},
    [OP_ALTACT_SIG_SEND] = {read_altact, CONTROL_SEND, 4, true},
};

/* Find the row of the operation whose number comes next. */
static const struct wire_form *read_form(struct cn_reader *reader, uint32_t *ret_number)
{
    if (!read_small(reader, OP_COUNT_ - 1, ret_number) || wire_forms[*ret_number].read == NULL)
        return NULL;
    return &wire_forms[*ret_number];
}

static void clear_pid(struct cn_pid *pid)
{
    pid->id = 0;
    pid->serial = 0;
    pid->creation = 0;
    pid->node[0] = '\0';
}

void control_clear(struct control *control)
{
    control->op = CONTROL_SEND;
    control->has_from = false;
    clear_pid(&control->from);
    clear_pid(&control->to);
    control->to_name = (struct cn_bytes){NULL, 0};
    control->from_name = (struct cn_bytes){NULL, 0};
    memset(&control->ref, 0, offsetof(struct cn_ref, node) + 1);
    control->id = 0;
    control->flags = 0;
    clear_pid(&control->group_leader);
    control->module = (struct cn_bytes){NULL, 0};
    control->function = (struct cn_bytes){NULL, 0};
    control->arity = 0;
    control->options = (struct cn_term){NULL, 0};
    control->result = (struct cn_term){NULL, 0};
    control->owner = NULL;
}

int control_decode(struct cn_term tuple, struct cn_term payload, struct control *ret_control,
                   struct cn_term *ret_message)
{
    struct cn_term message = payload;
    struct cn_reader reader;
    const struct wire_form *form;
    struct control control;
    uint32_t number;
    uint32_t arity;

    control_clear(&control);
    cn_reader_init(&reader, tuple);
    if (!cn_read_tuple(&reader, &arity))
        return CN_E_INVALID;
    form = read_form(&reader, &number);
    if (form == NULL || form->payload != (payload.size > 0))
        return CN_E_INVALID;
    if (number == OP_ALTACT_SIG_SEND ? arity < form->arity : arity != form->arity)
        return CN_E_INVALID;
    control.op = form->op;
    if (!form->read(&reader, &control, &message) || cn_reader_failed(&reader))
        return CN_E_INVALID;
    *ret_control = control;
    *ret_message = message;
    return 0;
}
