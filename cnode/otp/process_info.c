/*
 * What erlang:process_info tells of a process here: the items that tools ask of any process.
 *
 * Process_info/1 gives the items that a BEAM gives, in its order; process_info/2 a few more. A
 * process has no heap here and counts no reductions: those are 0, `memory` is that of its mailbox,
 * and it is its own group leader. Other items are badarg, as those that a BEAM does not know.
 */
#include "otp/internal.h"

static const char *module_of(struct process *process)
{
    struct gen_server *server = gen_server_of(process, NULL);

    return server != NULL ? gen_server_module(server) : process_behaviour(process)->module;
}

static void write_mfa(struct process *process, const char *function, int64_t arity,
                      struct cn_writer *writer)
{
    cn_write_tuple(writer, 3);
    cn_write_atom(writer, module_of(process));
    cn_write_atom(writer, function);
    cn_write_integer(writer, arity);
}

static void write_initial_call(struct process *process, struct cn_writer *writer)
{
    write_mfa(process, "init", 1, writer);
}

static void write_current_function(struct process *process, struct cn_writer *writer)
{
    write_mfa(process, "loop", 1, writer);
}

static void write_name(struct process *process, struct cn_writer *writer)
{
    const char *name = process_name(process);

    if (name != NULL)
        cn_write_atom(writer, name);
    else
        cn_write_nil(writer);
}

static void write_queue(struct process *process, struct cn_writer *writer)
{
    cn_write_unsigned(writer, process_mailbox_length(process));
}

static void write_trap_exit(struct process *process, struct cn_writer *writer)
{
    cn_write_bool(writer, process_traps_exit(process));
}

static void write_status(struct process *process, struct cn_writer *writer)
{
    const char *status = process_mailbox_length(process) > 0 ? "runnable" : "waiting";

    cn_write_atom(writer, process_stalled(process) ? "suspended" : status);
}

static void count_link(void *context, const struct cn_pid *pid)
{
    (*(uint32_t *)context)++;
}

static void write_link(void *context, const struct cn_pid *pid)
{
    cn_write_pid(context, pid);
}

static void write_links(struct process *process, struct cn_writer *writer)
{
    uint32_t count = 0;

    process_each_link(process, count_link, &count);
    if (count > 0) {
        cn_write_list(writer, count);
        process_each_link(process, write_link, writer);
    }
    cn_write_nil(writer);
}

static void write_dictionary(struct process *process, struct cn_writer *writer)
{
    cn_write_list(writer, 1);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "$initial_call");
    write_initial_call(process, writer);
    cn_write_nil(writer);
}

static void write_leader(struct process *process, struct cn_writer *writer)
{
    cn_write_pid(writer, process_pid(process));
}

static void write_handler(struct process *process, struct cn_writer *writer)
{
    cn_write_atom(writer, "error_handler");
}

static void write_priority(struct process *process, struct cn_writer *writer)
{
    cn_write_atom(writer, "normal");
}

static void write_zero(struct process *process, struct cn_writer *writer)
{
    cn_write_integer(writer, 0);
}

static void write_empty(struct process *process, struct cn_writer *writer)
{
    cn_write_nil(writer);
}

static void write_stacktrace(struct process *process, struct cn_writer *writer)
{
    cn_write_list(writer, 1);
    cn_write_tuple(writer, 4);
    cn_write_atom(writer, module_of(process));
    cn_write_atom(writer, "loop");
    cn_write_integer(writer, 1);
    cn_write_nil(writer);
    cn_write_nil(writer);
}

static void count_message(void *context, struct cn_term message)
{
    *(uint64_t *)context += message.size;
}

static void write_memory(struct process *process, struct cn_writer *writer)
{
    uint64_t bytes = 0;

    process_each_message(process, count_message, &bytes);
    cn_write_unsigned(writer, bytes);
}

static void write_message(void *context, struct cn_term message)
{
    cn_write_term(context, message);
}

static void write_messages(struct process *process, struct cn_writer *writer)
{
    uint32_t count = (uint32_t)process_mailbox_length(process);

    if (count > 0)
        cn_write_list(writer, count);
    process_each_message(process, write_message, writer);
    cn_write_nil(writer);
}

static void count_monitor(void *context, const struct cn_pid *pid, const char *name)
{
    (*(uint32_t *)context)++;
}

static void write_monitor(void *context, const struct cn_pid *pid, const char *name)
{
    cn_write_tuple(context, 2);
    cn_write_atom(context, "process");
    if (name == NULL) {
        cn_write_pid(context, pid);
        return;
    }
    cn_write_tuple(context, 2);
    cn_write_atom(context, name);
    cn_write_atom(context, pid->node);
}

static void write_monitors(struct process *process, struct cn_writer *writer)
{
    uint32_t count = 0;

    process_each_monitor(process, count_monitor, &count);
    if (count > 0)
        cn_write_list(writer, count);
    process_each_monitor(process, write_monitor, writer);
    cn_write_nil(writer);
}

static void write_watchers(struct process *process, struct cn_writer *writer)
{
    uint32_t count = 0;

    process_each_watcher(process, count_link, &count);
    if (count > 0)
        cn_write_list(writer, count);
    process_each_watcher(process, write_link, writer);
    cn_write_nil(writer);
}

static const struct item {
    const char *name;
    void (*write)(struct process *process, struct cn_writer *writer);
} items[] = {
    /* process_info/1 */
    {"registered_name", write_name},
    {"current_function", write_current_function},
    {"initial_call", write_initial_call},
    {"status", write_status},
    {"message_queue_len", write_queue},
    {"links", write_links},
    {"dictionary", write_dictionary},
    {"trap_exit", write_trap_exit},
    {"error_handler", write_handler},
    {"priority", write_priority},
    {"group_leader", write_leader},
    {"total_heap_size", write_zero},
    {"heap_size", write_zero},
    {"stack_size", write_zero},
    {"reductions", write_zero},
    {"garbage_collection", write_empty},
    {"suspending", write_empty},
    /* only when asked for */
    {"memory", write_memory},
    {"messages", write_messages},
    {"monitors", write_monitors},
    {"monitored_by", write_watchers},
    {"current_stacktrace", write_stacktrace},
    {"binary", write_empty},
};

#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))
#define ITEMS_OF_1 (ITEM_COUNT - 6)

static const struct item *item_find(struct cn_bytes name)
{
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        if (cn_bytes_equal(name, items[i].name))
            return &items[i];
    }
    return NULL;
}

static void write_item(struct process *process, const struct item *item, struct cn_writer *writer)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, item->name);
    item->write(process, writer);
}

/* {dictionary, Key} -> {{dictionary, Key}, Value}, which a crash report of OTP 29 needs. */
static bool write_entry(struct process *process, struct cn_term what, struct cn_writer *writer)
{
    struct cn_reader reader;
    struct cn_term key;

    cn_reader_init(&reader, what);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_this_atom(&reader, "dictionary") ||
        !cn_read_term(&reader, &key))
        return false;
    cn_write_tuple(writer, 2);
    cn_write_term(writer, what);
    if (cn_term_is_atom(key, "$initial_call"))
        write_initial_call(process, writer);
    else
        cn_write_atom(writer, "undefined");
    return true;
}

/* An element of [Item] -> {Item, Value} */
static bool write_element(struct process *process, struct cn_term what, struct cn_writer *writer)
{
    struct cn_bytes name;
    const struct item *item = argument_atom(what, &name) ? item_find(name) : NULL;

    if (item == NULL)
        return write_entry(process, what, writer);
    write_item(process, item, writer);
    return true;
}

static bool write_items(struct process *process, struct cn_term list, struct cn_writer *writer)
{
    struct cn_reader reader;
    struct cn_term element;
    uint32_t count = 0;

    cn_reader_init(&reader, list);
    if (!cn_read_list(&reader, &count))
        return false;
    if (count > 0)
        cn_write_list(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_term(&reader, &element) || !write_element(process, element, writer))
            return false;
    }
    cn_write_nil(writer);
    return count == 0 || cn_read_nil(&reader);
}

bool process_info_write(struct process *process, struct cn_term what, struct cn_writer *writer)
{
    struct cn_bytes name;
    const struct item *item = NULL;

    if (!argument_atom(what, &name))
        return write_entry(process, what, writer) || write_items(process, what, writer);
    item = item_find(name);
    if (item == NULL)
        return false;
    if (item->write == write_name && process_name(process) == NULL)
        cn_write_nil(writer); /* as OTP: no tuple */
    else
        write_item(process, item, writer);
    return true;
}

void process_info_write_all(struct process *process, struct cn_writer *writer)
{
    size_t first = process_name(process) == NULL ? 1 : 0; /* as OTP: no name, no item */

    cn_write_list(writer, (uint32_t)(ITEMS_OF_1 - first));
    for (size_t i = first; i < ITEMS_OF_1; i++)
        write_item(process, &items[i], writer);
    cn_write_nil(writer);
}
