/*
 * What erlang:process_info tells of a process here: the items that tools ask of any process.
 *
 * Heap sizes and reductions mean nothing here and are left out; asked for by name they are badarg.
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

static const struct {
    const char *name;
    void (*write)(struct process *process, struct cn_writer *writer);
} items[] = {
    {"registered_name", write_name},      {"current_function", write_current_function},
    {"initial_call", write_initial_call}, {"status", write_status},
    {"message_queue_len", write_queue},   {"links", write_links},
    {"dictionary", write_dictionary},     {"trap_exit", write_trap_exit},
    {"group_leader", write_leader},
};

#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

bool process_info_write(struct process *process, struct cn_bytes item, struct cn_writer *writer)
{
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        if (!cn_bytes_equal(item, items[i].name))
            continue;
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, items[i].name);
        items[i].write(process, writer);
        return true;
    }
    return false;
}

void process_info_write_all(struct process *process, struct cn_writer *writer)
{
    size_t first = process_name(process) == NULL ? 1 : 0; /* as OTP: no name, no item */

    cn_write_list(writer, (uint32_t)(ITEM_COUNT - first));
    for (size_t i = first; i < ITEM_COUNT; i++) {
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, items[i].name);
        items[i].write(process, writer);
    }
    cn_write_nil(writer);
}
