/*
 * The node as a program on the public API sees it: its neighbours, and the functions it offers.
 *
 * An application's function answers at once, into a writer; what the writer could not hold becomes
 * the error system_limit, as on a BEAM.
 */
#include "node/api.h"

#include <stddef.h>

void api_node_init(struct cn_node *node)
{
    node->timers = NULL;
    list_init(&node->orphans);
}

struct node_list {
    struct cn_writer *writer; /* NULL: only count */
    uint32_t count;
};

static void add_node(void *context, const char *node, bool hidden)
{
    struct node_list *list = context;

    (void)hidden;
    list->count++;
    if (list->writer)
        cn_write_atom(list->writer, node);
}

void cn_write_nodes(const struct cn_node *node, struct cn_writer *writer)
{
    struct node_list list = {0};

    node->each_node(node->context, add_node, &list);
    if (list.count > 0)
        cn_write_list(writer, list.count);
    list.writer = writer;
    node->each_node(node->context, add_node, &list);
    cn_write_nil(writer);
}

static void run_function(void *context, struct apply *apply, const struct cn_term *arguments)
{
    const struct cn_function *function = context;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    enum cn_function_outcome outcome = function->run(arguments, &writer);
    if (outcome == CN_RETURN || cn_writer_error(&writer) != 0) {
        apply_return_writer(apply, &writer);
        return;
    }
    apply_raise(apply, outcome == CN_THROW ? "throw" : "error", cn_writer_term(&writer));
    cn_writer_free(&writer);
}

int api_functions_add(struct cn_node *node, const struct cn_function *functions)
{
    int error = 0;

    for (; functions && functions->name && error == 0; functions++) {
        struct function entry = {
            .module = functions->module,
            .name = functions->name,
            .arity = functions->arity,
            .run = run_function,
            .context = (void *)(uintptr_t)functions,
        };
        error = functions_add(node->functions, &entry, 1);
    }
    return error;
}
