/*
 * The functions that every node has: what tools, Horde and Elixir's Node and Process modules ask of
 * a node by rpc.
 *
 * They answer as the BEAM's functions of that name do, badarg included. Leaving by init:stop or
 * erlang:halt is the operator's usual way, so both are there; they answer ok first and leave what
 * "leaving" means to node/.
 */
#include <string.h>

#include "base/error.h"
#include "otp/internal.h"

static void write_text(struct cn_writer *writer, const char *text)
{
    size_t size = strlen(text);

    cn_write_list(writer, (uint32_t)size);
    for (size_t i = 0; i < size; i++)
        cn_write_integer(writer, (uint8_t)text[i]);
    cn_write_nil(writer);
}

static bool as_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_pid(&reader, ret_pid);
}

static bool as_atom(struct cn_term term, struct cn_bytes *ret_text)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_atom(&reader, ret_text);
}

static void run_node(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_return_atom(apply, procs_node(apply_procs(apply)));
}

/* Which nodes are asked for, and the list of them under construction. */
struct node_list {
    struct cn_writer *writer;
    bool visible;
    bool hidden;
    uint32_t count;
    bool writing;
};

static void visit_node(void *context, const char *node, bool hidden)
{
    struct node_list *list = context;

    if (hidden ? !list->hidden : !list->visible)
        return;
    if (list->writing)
        cn_write_atom(list->writer, node);
    else
        list->count++;
}

static void each_node(struct apply *apply, struct node_list *list)
{
    const struct functions_hooks *hooks = &apply_functions(apply)->hooks;

    if (hooks->each_node != NULL)
        hooks->each_node(hooks->context, visit_node, list);
}

static void return_nodes(struct apply *apply, bool this_node, bool visible, bool hidden)
{
    struct cn_writer writer;
    struct node_list list = {.writer = &writer, .visible = visible, .hidden = hidden};

    cn_writer_init(&writer, 0);
    each_node(apply, &list);
    list.count += this_node ? 1 : 0;
    if (list.count > 0)
        cn_write_list(&writer, list.count);
    if (this_node)
        cn_write_atom(&writer, procs_node(apply_procs(apply)));
    list.writing = true;
    each_node(apply, &list);
    cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

static void run_nodes(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_nodes(apply, false, true, false);
}

static void run_nodes_of(void *context, struct apply *apply, const struct cn_term *arguments)
{
    if (cn_term_is_atom(arguments[0], "visible"))
        return_nodes(apply, false, true, false);
    else if (cn_term_is_atom(arguments[0], "hidden"))
        return_nodes(apply, false, false, true);
    else if (cn_term_is_atom(arguments[0], "connected"))
        return_nodes(apply, false, true, true);
    else if (cn_term_is_atom(arguments[0], "known"))
        return_nodes(apply, true, true, true);
    else if (cn_term_is_atom(arguments[0], "this"))
        return_nodes(apply, true, false, false);
    else
        apply_error(apply, "badarg");
}

/* A pid of an older incarnation of this node is dead; one of another node is a bad argument. */
static void run_alive(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct procs *procs = apply_procs(apply);
    struct cn_pid pid;

    if (!as_pid(arguments[0], &pid) || strcmp(pid.node, procs_node(procs)) != 0)
        apply_error(apply, "badarg");
    else
        apply_return_atom(apply, procs_find(procs, &pid) != NULL ? "true" : "false");
}

/* erlang:whereis/1 says undefined, Elixir's Process.whereis/1 nil. */
static void run_whereis(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_bytes name;
    struct process *process = NULL;
    struct cn_writer writer;

    if (!as_atom(arguments[0], &name)) {
        apply_error(apply, "badarg");
        return;
    }
    process = procs_whereis(apply_procs(apply), name);
    if (process == NULL) {
        apply_return_atom(apply, context);
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_pid(&writer, process_pid(process));
    apply_return_writer(apply, &writer);
}

static void count_name(void *context, const char *name, struct process *process)
{
    (*(uint32_t *)context)++;
}

static void write_name(void *context, const char *name, struct process *process)
{
    cn_write_atom(context, name);
}

static void run_registered(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct procs *procs = apply_procs(apply);
    struct cn_writer writer;
    uint32_t count = 0;

    cn_writer_init(&writer, 0);
    procs_each_name(procs, count_name, &count);
    if (count > 0)
        cn_write_list(&writer, count);
    procs_each_name(procs, write_name, &writer);
    cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

/* The process behind a pid argument. Returns false when the apply has ended with badarg. */
static bool info_process(struct apply *apply, struct cn_term argument, struct process **ret_process)
{
    struct cn_pid pid;

    if (!as_pid(argument, &pid) || strcmp(pid.node, procs_node(apply_procs(apply))) != 0) {
        apply_error(apply, "badarg");
        return false;
    }
    *ret_process = procs_find(apply_procs(apply), &pid);
    return true;
}

static void run_process_info(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct process *process = NULL;
    struct cn_writer writer;

    if (!info_process(apply, arguments[0], &process))
        return;
    if (process == NULL) {
        apply_return_atom(apply, context);
        return;
    }
    cn_writer_init(&writer, 0);
    process_info_write_all(process, &writer);
    apply_return_writer(apply, &writer);
}

/* [Item] -> [{Item, Value}]; false when one is unknown. */
static bool write_items(struct process *process, struct cn_term items, struct cn_writer *writer)
{
    struct cn_reader reader;
    struct cn_bytes item;
    uint32_t count = 0;

    cn_reader_init(&reader, items);
    if (!cn_read_list(&reader, &count))
        return false;
    if (count > 0)
        cn_write_list(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_atom(&reader, &item) || !process_info_write(process, item, writer))
            return false;
    }
    cn_write_nil(writer);
    return count == 0 || cn_read_nil(&reader);
}

static void run_process_info_item(void *context, struct apply *apply,
                                  const struct cn_term *arguments)
{
    struct process *process = NULL;
    struct cn_bytes item;
    struct cn_writer writer;
    bool done = false;

    if (!info_process(apply, arguments[0], &process))
        return;
    if (process == NULL) {
        apply_return_atom(apply, context);
        return;
    }
    cn_writer_init(&writer, 0);
    if (cn_term_is_atom(arguments[1], "registered_name") && process_name(process) == NULL) {
        cn_write_nil(&writer); /* as OTP: no tuple */
        done = true;
    } else if (as_atom(arguments[1], &item)) {
        done = process_info_write(process, item, &writer);
    } else {
        done = write_items(process, arguments[1], &writer);
    }
    if (done) {
        apply_return_writer(apply, &writer);
        return;
    }
    cn_writer_free(&writer);
    apply_error(apply, "badarg");
}

/* What tools ask to learn what they talk to. `machine` says that this is no BEAM. */
static void run_system_info(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct procs *procs = apply_procs(apply);
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (cn_term_is_atom(arguments[0], "otp_release"))
        write_text(&writer, "25");
    else if (cn_term_is_atom(arguments[0], "version"))
        write_text(&writer, "0.1.0");
    else if (cn_term_is_atom(arguments[0], "machine"))
        write_text(&writer, "CNODE");
    else if (cn_term_is_atom(arguments[0], "system_version"))
        write_text(&writer, "C node\n");
    else if (cn_term_is_atom(arguments[0], "process_count"))
        cn_write_unsigned(&writer, procs_count(procs));
    else if (cn_term_is_atom(arguments[0], "creation"))
        cn_write_unsigned(&writer, procs_creation(procs));
    else if (cn_term_is_atom(arguments[0], "wordsize"))
        cn_write_unsigned(&writer, sizeof(void *));
    if (writer.size > 0) {
        apply_return_writer(apply, &writer);
        return;
    }
    cn_writer_free(&writer);
    apply_error(apply, "badarg");
}

static void leave(struct apply *apply, int status)
{
    struct functions_hooks hooks = apply_functions(apply)->hooks;

    if (hooks.stop == NULL) {
        apply_error(apply, "undef");
        return;
    }
    apply_return_atom(apply, "ok");
    hooks.stop(hooks.context, status);
}

static void run_stop(void *context, struct apply *apply, const struct cn_term *arguments)
{
    leave(apply, 0);
}

/* A status, or a text or atom that a BEAM would show while crashing: status 1. */
static void run_stop_status(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_reader reader;
    int64_t status = 1;

    cn_reader_init(&reader, arguments[0]);
    (void)cn_read_integer(&reader, &status);
    leave(apply, status >= 0 && status <= 255 ? (int)status : 1);
}

static char text_undefined[] = "undefined";
static char text_nil[] = "nil";

static const struct function builtins[] = {
    {"erlang", "node", 0, run_node, NULL},
    {"Elixir.Node", "self", 0, run_node, NULL},
    {"erlang", "nodes", 0, run_nodes, NULL},
    {"erlang", "nodes", 1, run_nodes_of, NULL},
    {"Elixir.Node", "list", 0, run_nodes, NULL},
    {"Elixir.Node", "list", 1, run_nodes_of, NULL},
    {"erlang", "is_process_alive", 1, run_alive, NULL},
    {"Elixir.Process", "alive?", 1, run_alive, NULL},
    {"erlang", "whereis", 1, run_whereis, text_undefined},
    {"Elixir.Process", "whereis", 1, run_whereis, text_nil},
    {"erlang", "registered", 0, run_registered, NULL},
    {"Elixir.Process", "registered", 0, run_registered, NULL},
    {"erlang", "process_info", 1, run_process_info, text_undefined},
    {"erlang", "process_info", 2, run_process_info_item, text_undefined},
    {"Elixir.Process", "info", 1, run_process_info, text_nil},
    {"Elixir.Process", "info", 2, run_process_info_item, text_nil},
    {"erlang", "system_info", 1, run_system_info, NULL},
    {"init", "stop", 0, run_stop, NULL},
    {"init", "stop", 1, run_stop_status, NULL},
    {"erlang", "halt", 0, run_stop, NULL},
    {"erlang", "halt", 1, run_stop_status, NULL},
    {"Elixir.System", "stop", 0, run_stop, NULL},
    {"Elixir.System", "stop", 1, run_stop_status, NULL},
    {"Elixir.System", "halt", 0, run_stop, NULL},
    {"Elixir.System", "halt", 1, run_stop_status, NULL},
};

int builtins_add(struct functions *functions)
{
    return functions_add(functions, builtins, sizeof(builtins) / sizeof(builtins[0]));
}
