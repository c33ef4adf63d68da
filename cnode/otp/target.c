/*
 * Destinations: a term becomes a `struct dest` with the strings that it needs.
 */
#include "otp/target.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* A C string of an atom's text; an atom with a zero byte inside names nobody. */
static bool read_name(struct cn_reader *reader, char *name, size_t size)
{
    struct cn_bytes text;

    return cn_read_atom(reader, &text) && memchr(text.data, 0, text.size) == NULL &&
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
        return read_name(reader, target->name, sizeof(target->name));
    case CN_TYPE_TUPLE:
        target->dest.kind = DEST_NAME;
        target->dest.name = target->name;
        target->dest.node = target->node;
        return cn_read_this_tuple(reader, 2) &&
               read_name(reader, target->name, sizeof(target->name)) &&
               read_name(reader, target->node, sizeof(target->node));
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

bool target_is_local(const struct procs *procs, const struct target *target)
{
    const char *node = target->dest.node;

    if (target->dest.kind == DEST_PID)
        node = target->dest.pid.node;
    else if (target->dest.kind == DEST_ALIAS)
        node = target->dest.alias.node;
    return node == NULL || strcmp(node, procs_node(procs)) == 0;
}

struct process *target_find(struct procs *procs, const struct target *target)
{
    struct cn_bytes name;

    if (target->dest.kind == DEST_PID)
        return procs_find(procs, &target->dest.pid);
    if (target->dest.kind == DEST_ALIAS || !target_is_local(procs, target))
        return NULL;
    name = (struct cn_bytes){(const uint8_t *)target->name, strlen(target->name)};
    return procs_whereis(procs, name);
}
