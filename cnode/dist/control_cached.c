/*
 * Reading control messages with atoms by number, and writing the few that answers are.
 *
 * Each field has one form here, that of every BEAM. Nothing was walked before: each read compares
 * with what is left, each number with the table. What is refused is left to the long way, which
 * finds the right name for what is wrong.
 */
#include "dist/control_cached.h"

#include <string.h>

#include "base/bytes.h"
#include "dist/control_ops.h"
#include "dist/flags.h"
#include "etf/tags.h"
#include "etf/writer.h"

#define REF_WORDS_MAX 5
#define HEAD_BYTES    4  /* of a tuple, and its number */
#define PID_BYTES     15 /* with its node by number */
#define REF_BYTES     9  /* the same, without the words */

/* What is left of the terms. */
struct fields {
    const uint8_t *data;
    size_t left;
    const struct cn_bytes *atoms;
    uint32_t atom_count;
};

static const uint8_t *take(struct fields *fields, size_t size)
{
    const uint8_t *data = fields->data;

    fields->data += size;
    fields->left -= size;
    return data;
}

/* The text that the reference at @data names; NULL: it is none, or names nothing. */
static const struct cn_bytes *text_at(const struct fields *fields, const uint8_t *data)
{
    if (data[0] != TAG_ATOM_CACHE_REF || data[1] >= fields->atom_count)
        return NULL;
    return &fields->atoms[data[1]];
}

static bool read_atom(struct fields *fields, struct cn_bytes *text)
{
    const struct cn_bytes *found = fields->left >= 2 ? text_at(fields, fields->data) : NULL;

    if (found == NULL)
        return false;
    *text = *found;
    take(fields, 2);
    return true;
}

/* The node that the reference at @data names, if its name can be a C string. */
static bool read_node(const struct fields *fields, const uint8_t *data, char *node)
{
    const struct cn_bytes *name = text_at(fields, data);

    if (name == NULL || name->size > CN_NODE_NAME_MAX || memchr(name->data, 0, name->size) != NULL)
        return false;
    memcpy(node, name->data, name->size);
    node[name->size] = '\0';
    return true;
}

static bool read_pid(struct fields *fields, struct cn_pid *pid)
{
    const uint8_t *data = fields->data;

    if (fields->left < PID_BYTES || data[0] != TAG_NEW_PID ||
        !read_node(fields, data + 1, pid->node))
        return false;
    pid->id = be32_get(data + 3);
    pid->serial = be32_get(data + 7);
    pid->creation = be32_get(data + 11);
    take(fields, PID_BYTES);
    return true;
}

static bool read_ref(struct fields *fields, struct cn_ref *ref)
{
    const uint8_t *data = fields->data;
    size_t count;

    if (fields->left < REF_BYTES || data[0] != TAG_NEWER_REFERENCE)
        return false;
    count = be16_get(data + 1);
    if (count < 1 || count > REF_WORDS_MAX || fields->left < REF_BYTES + 4 * count ||
        !read_node(fields, data + 3, ref->node))
        return false;
    ref->creation = be32_get(data + 5);
    ref->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        ref->words[i] = be32_get(data + REF_BYTES + 4 * i);
    take(fields, REF_BYTES + 4 * count);
    return true;
}

/* A process by pid or by name; an empty name is the long way's to refuse. */
static bool read_process(struct fields *fields, struct control *control)
{
    if (fields->left > 0 && fields->data[0] == TAG_NEW_PID)
        return read_pid(fields, &control->to);
    return read_atom(fields, &control->to_name) && control->to_name.size > 0;
}

static bool read_monitor(struct fields *fields, struct control *control, enum control_op op)
{
    control->op = op;
    return read_pid(fields, &control->from) && read_process(fields, control) &&
           read_ref(fields, &control->ref);
}

static bool read_send(struct fields *fields, struct control *control)
{
    struct cn_bytes unused;

    control->op = CONTROL_SEND;
    return read_atom(fields, &unused) && read_pid(fields, &control->to);
}

static bool read_send_sender(struct fields *fields, struct control *control)
{
    control->op = CONTROL_SEND;
    control->has_from = true;
    return read_pid(fields, &control->from) && read_pid(fields, &control->to);
}

static bool read_reg_send(struct fields *fields, struct control *control)
{
    struct cn_bytes unused;

    control->op = CONTROL_REG_SEND;
    control->has_from = true;
    return read_pid(fields, &control->from) && read_atom(fields, &unused) &&
           read_atom(fields, &control->to_name);
}

static bool read_alias_send(struct fields *fields, struct control *control)
{
    control->op = CONTROL_ALIAS_SEND;
    control->has_from = true;
    return read_pid(fields, &control->from) && read_ref(fields, &control->ref);
}

#define FORM(arity, op) ((arity) << 8 | (op))

static bool read_fields(struct fields *fields, unsigned form, struct control *control)
{
    switch (form) {
    case FORM(4, OP_MONITOR_P):
        return read_monitor(fields, control, CONTROL_MONITOR);
    case FORM(4, OP_DEMONITOR_P):
        return read_monitor(fields, control, CONTROL_DEMONITOR);
    case FORM(3, OP_SEND):
        return read_send(fields, control);
    case FORM(3, OP_SEND_SENDER):
        return read_send_sender(fields, control);
    case FORM(4, OP_REG_SEND):
        return read_reg_send(fields, control);
    case FORM(3, OP_ALIAS_SEND):
        return read_alias_send(fields, control);
    default:
        return false;
    }
}

bool control_read_cached(struct cn_bytes terms, const struct cn_bytes *atoms, uint32_t count,
                         struct control *control, size_t *size)
{
    struct fields fields = {terms.data, terms.size, atoms, count};
    const uint8_t *head;
    bool sends;

    if (terms.size < HEAD_BYTES)
        return false;
    head = take(&fields, HEAD_BYTES);
    if (head[0] != TAG_SMALL_TUPLE || head[2] != TAG_SMALL_INTEGER)
        return false;
    control_clear(control);
    if (!read_fields(&fields, FORM((unsigned)head[1], head[3]), control))
        return false;
    sends = control->op <= CONTROL_ALIAS_SEND;
    *size = terms.size - fields.left;
    return sends == (fields.left > 0);
}

bool control_is_cached(const struct control *control, uint64_t flags)
{
    if (control->op == CONTROL_ALIAS_SEND)
        return (flags & FLAG_ALIAS) != 0 && control->ref.count >= 1 &&
               control->ref.count <= REF_WORDS_MAX;
    return control->op == CONTROL_SEND && control->has_from && (flags & FLAG_SEND_SENDER) != 0;
}

static int find_node(struct atom_cache_out *cache, const char *node)
{
    return atom_cache_out_find(cache, (struct cn_bytes){(const uint8_t *)node, strlen(node)});
}

static uint8_t *write_pid(uint8_t *to, const struct cn_pid *pid, int node)
{
    to[0] = TAG_NEW_PID;
    to[1] = TAG_ATOM_CACHE_REF;
    to[2] = (uint8_t)node;
    be32_put(to + 3, pid->id);
    be32_put(to + 7, pid->serial);
    be32_put(to + 11, pid->creation);
    return to + PID_BYTES;
}

static void write_ref(uint8_t *to, const struct cn_ref *ref, int node)
{
    to[0] = TAG_NEWER_REFERENCE;
    be16_put(to + 1, (uint16_t)ref->count);
    to[3] = TAG_ATOM_CACHE_REF;
    to[4] = (uint8_t)node;
    be32_put(to + 5, ref->creation);
    for (uint32_t i = 0; i < ref->count; i++)
        be32_put(to + REF_BYTES + 4 * (size_t)i, ref->words[i]);
}

bool control_write_cached(const struct control *control, struct atom_cache_out *cache,
                          struct cn_writer *writer)
{
    bool alias = control->op == CONTROL_ALIAS_SEND;
    size_t to_bytes = alias ? REF_BYTES + 4 * (size_t)control->ref.count : PID_BYTES;
    int from = find_node(cache, control->from.node);
    int to = find_node(cache, alias ? control->ref.node : control->to.node);
    uint8_t *place;

    if (from < 0 || to < 0)
        return false;
    place = etf_write_room(writer, HEAD_BYTES + PID_BYTES + to_bytes);
    if (place == NULL)
        return true; /* the writer's error says why */
    place[0] = TAG_SMALL_TUPLE;
    place[1] = 3;
    place[2] = TAG_SMALL_INTEGER;
    place[3] = alias ? OP_ALIAS_SEND : OP_SEND_SENDER;
    place = write_pid(place + HEAD_BYTES, &control->from, from);
    if (alias)
        write_ref(place, &control->ref, to);
    else
        write_pid(place, &control->to, to);
    return true;
}
