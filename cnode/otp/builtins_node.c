/*
 * This node and its neighbours, and how one makes it leave.
 *
 * Leaving by init:stop or erlang:halt is the operator's usual way, so both are there; they answer
 * ok first and leave what "leaving" means to node/.
 */
#include <string.h>

#include "otp/internal.h"

void run_node(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_return_atom(apply, procs_node(apply_procs(apply)));
}

/* The node of a pid or a reference. */
void run_node_of(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_reader reader;
    struct cn_pid pid;
    struct cn_ref ref;

    cn_reader_init(&reader, arguments[0]);
    if (cn_peek(&reader) == CN_TYPE_PID && cn_read_pid(&reader, &pid))
        apply_return_atom(apply, pid.node);
    else if (cn_peek(&reader) == CN_TYPE_REF && cn_read_ref(&reader, &ref))
        apply_return_atom(apply, ref.node);
    else
        apply_error(apply, "badarg");
}

void run_is_alive(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_return_atom(apply, "true");
}

/* Which nodes are asked for, and the list of them under construction. */
struct node_list {
    bool this_node;
    bool visible;
    bool hidden;
    bool with_info;
    bool info_id;   /* connection_id is wanted */
    bool info_type; /* node_type is wanted */
    bool writing;
    uint32_t count;
    struct cn_writer *writer;
};

/* Each kind adds nodes. */
static bool read_kind(void *context, struct cn_term kind)
{
    struct node_list *list = context;
    bool known = cn_term_is_atom(kind, "known");
    bool connected = known || cn_term_is_atom(kind, "connected");

    if (connected || cn_term_is_atom(kind, "visible"))
        list->visible = true;
    else if (!cn_term_is_atom(kind, "hidden") && !cn_term_is_atom(kind, "this"))
        return false;
    if (connected || cn_term_is_atom(kind, "hidden"))
        list->hidden = true;
    if (known || cn_term_is_atom(kind, "this"))
        list->this_node = true;
    return true;
}

/* A connection has no number here. */
static void write_node(struct node_list *list, const char *node, const char *type)
{
    if (!list->with_info) {
        cn_write_atom(list->writer, node);
        return;
    }
    cn_write_tuple(list->writer, 2);
    cn_write_atom(list->writer, node);
    cn_write_map(list->writer, (list->info_id ? 1 : 0) + (list->info_type ? 1 : 0));
    if (list->info_id) {
        cn_write_atom(list->writer, "connection_id");
        cn_write_atom(list->writer, "undefined");
    }
    if (list->info_type) {
        cn_write_atom(list->writer, "node_type");
        cn_write_atom(list->writer, type);
    }
}

static void visit_node(void *context, const char *node, bool hidden)
{
    struct node_list *list = context;

    if (hidden ? !list->hidden : !list->visible)
        return;
    if (list->writing)
        write_node(list, node, hidden ? "hidden" : "visible");
    else
        list->count++;
}

static void each_node(struct apply *apply, struct node_list *list)
{
    const struct functions_hooks *hooks = &apply_functions(apply)->hooks;

    if (hooks->each_node != NULL)
        hooks->each_node(hooks->context, visit_node, list);
}

static void return_nodes(struct apply *apply, struct node_list *list)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    list->writer = &writer;
    each_node(apply, list);
    list->count += list->this_node ? 1 : 0;
    if (list->count > 0)
        cn_write_list(&writer, list->count);
    if (list->this_node)
        write_node(list, procs_node(apply_procs(apply)), "this");
    list->writing = true;
    each_node(apply, list);
    cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

void run_nodes(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct node_list list = {.visible = true};

    return_nodes(apply, &list);
}

void run_nodes_of(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct node_list list = {0};

    if (argument_each(arguments[0], read_kind, &list))
        return_nodes(apply, &list);
    else
        apply_error(apply, "badarg");
}

/* #{connection_id => boolean(), node_type => boolean()} */
static bool read_info(struct cn_term term, struct node_list *list)
{
    struct cn_reader reader;
    struct cn_bytes key;
    uint32_t count = 0;
    bool wanted = false;

    cn_reader_init(&reader, term);
    if (cn_peek(&reader) != CN_TYPE_MAP || !cn_read_map(&reader, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_atom(&reader, &key) || !cn_read_bool(&reader, &wanted))
            return false;
        if (cn_bytes_equal(key, "connection_id"))
            list->info_id = wanted;
        else if (cn_bytes_equal(key, "node_type"))
            list->info_type = wanted;
        else
            return false;
    }
    list->with_info = true;
    return true;
}

/* nodes/2 of OTP 25.1 and later. */
void run_nodes_info(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct node_list list = {0};

    if (argument_each(arguments[0], read_kind, &list) && read_info(arguments[1], &list))
        return_nodes(apply, &list);
    else
        apply_error(apply, "badarg");
}

static void leave(struct apply *apply, int status)
{
    struct functions_hooks hooks = apply_functions(apply)->hooks;

    if (hooks.stop == NULL) {
        apply_undef(apply);
        return;
    }
    apply_return_atom(apply, "ok");
    hooks.stop(hooks.context, status);
}

void run_stop(void *context, struct apply *apply, const struct cn_term *arguments)
{
    leave(apply, 0);
}

/* A status, or a text or atom that a BEAM would show while crashing: status 1. */
void run_stop_status(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_reader reader;
    int64_t status = 1;

    cn_reader_init(&reader, arguments[0]);
    (void)cn_read_integer(&reader, &status);
    leave(apply, status >= 0 && status <= 255 ? (int)status : 1);
}
