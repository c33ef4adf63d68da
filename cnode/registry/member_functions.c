/*
 * What :global asks of a member by rpc: who has a name, and who shall keep one that two have.
 *
 * resolve_it (global_resolve.c) is asked of the node of one of the two processes while partitions
 * join; the table changes later, with all others, when the join is done.
 *
 * And what operators ask: which names there are, to wait for nodes, to leave them.
 */
#include "base/error.h"
#include "registry/member_internal.h"
#include "registry/member_sync.h"

static void run_whereis(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct name *name = roster_find(context, arguments[0]);
    struct cn_writer writer;

    if (name == NULL) {
        apply_return_atom(apply, "undefined");
        return;
    }
    cn_writer_init(&writer, 0);
    watched_write(name->watched, &writer);
    apply_return_writer(apply, &writer);
}

static void run_registered_names(void *context, struct apply *apply,
                                 const struct cn_term *arguments)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    roster_write_terms(context, &writer);
    apply_return_writer(apply, &writer);
}

static void on_sync(void *context, bool done)
{
    if (done)
        apply_return_atom(context, "ok");
}

static void sync_with(struct member *member, struct apply *apply, struct cn_term nodes)
{
    int r = sync_start(member, nodes, on_sync, apply);

    if (r != 0)
        apply_error(apply, r == CN_E_INVALID ? "badarg" : "system_limit");
}

static void run_sync(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer nodes;

    cn_writer_init(&nodes, 0);
    known_write_connected(context, &nodes);
    if (cn_writer_error(&nodes) == 0)
        sync_with(context, apply, cn_writer_term(&nodes));
    else
        apply_error(apply, "system_limit");
    cn_writer_free(&nodes);
}

static void run_sync_nodes(void *context, struct apply *apply, const struct cn_term *arguments)
{
    sync_with(context, apply, arguments[0]);
}

static void run_disconnect(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct member *member = context;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (member->server != NULL && leave_start(member, &writer) == 0) {
        apply_return_writer(apply, &writer);
        return;
    }
    cn_writer_free(&writer);
    apply_error(apply, "system_limit");
}

static void on_chosen(void *context, struct cn_term name, const struct global_choice *choice)
{
    struct member *member = context;

    global_tell_killed(member->procs, &member->hooks, name, &choice->a, &choice->b);
}

static void run_resolve(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct member *member = context;

    global_resolve_it(&member->resolver, apply, arguments);
}

int member_functions_add(struct member *member, struct functions *functions)
{
    struct function table[] = {
        {"global", "whereis_name", 1, run_whereis, member},
        {"global", "resolve_it", 4, run_resolve, member},
        {"global", "registered_names", 0, run_registered_names, member},
        {"global", "sync", 0, run_sync, member},
        {"global", "sync", 1, run_sync_nodes, member},
        {"global", "disconnect", 0, run_disconnect, member},
    };

    global_resolver_init(&member->resolver, member->procs, &member->hooks, on_chosen, member);
    return functions_add(functions, table, sizeof(table) / sizeof(table[0]));
}
