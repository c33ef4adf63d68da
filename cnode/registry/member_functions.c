/*
 * What :global asks of a member by rpc: who has a name, and who shall keep one that two have.
 *
 * resolve_it is asked of the node of one of the two processes while partitions join; the table
 * changes later, with all others, when the join is done. A method that is not known here is an
 * error, upon which the other side's process keeps the name; so is no memory to remember who asks.
 *
 * And what operators ask: which names there are, to wait for nodes, to leave them.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "registry/global_resolve.h"
#include "registry/member_internal.h"
#include "registry/member_sync.h"

static bool as_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_pid(&reader, ret_pid);
}

static void return_pid(struct apply *apply, const struct cn_pid *pid, const char *otherwise)
{
    struct cn_writer writer;

    if (pid == NULL) {
        apply_return_atom(apply, otherwise);
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_pid(&writer, pid);
    apply_return_writer(apply, &writer);
}

static void run_whereis(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct name *name = roster_find(context, arguments[0]);

    return_pid(apply, name != NULL ? &name->watched->pid : NULL, "undefined");
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

/* Somebody asks, while the choice is made. */
struct resolution {
    struct question question;
    struct member *member;
    struct apply *apply;
    struct kept name;
    struct cn_pid a;
    struct cn_pid b;
};

static void resolution_free(struct resolution *resolution)
{
    list_remove(&resolution->question.link);
    kept_clear(&resolution->name);
    mem_free(resolution);
}

static void resolution_release(struct question *question)
{
    resolution_free(container_of(question, struct resolution, question));
}

static void on_chosen(void *context, const struct cn_pid *winner)
{
    struct resolution *resolution = context;

    member_tell_killed(resolution->member, kept_term(&resolution->name), &resolution->a,
                       &resolution->b);
    return_pid(resolution->apply, winner, "none");
    resolution_free(resolution);
}

static struct resolution *resolution_new(struct member *member, struct apply *apply,
                                         struct cn_term name)
{
    struct resolution *resolution = mem_zalloc(sizeof(*resolution));

    if (resolution == NULL)
        return NULL;
    resolution->question.release = resolution_release;
    list_append(&member->questions, &resolution->question.link);
    resolution->member = member;
    resolution->apply = apply;
    if (kept_set(&resolution->name, name) == 0)
        return resolution;
    resolution_free(resolution);
    return NULL;
}

static void run_resolve(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct member *member = context;
    struct resolution *resolution = resolution_new(member, apply, arguments[1]);

    if (resolution == NULL) {
        apply_error(apply, "system_limit");
        return;
    }
    if (!as_pid(arguments[2], &resolution->a) || !as_pid(arguments[3], &resolution->b) ||
        !global_resolve(member->procs, &member->hooks, arguments[0], arguments[1], &resolution->a,
                        &resolution->b, on_chosen, resolution)) {
        resolution_free(resolution);
        apply_error(apply, "badarg");
    }
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

    return functions_add(functions, table, sizeof(table) / sizeof(table[0]));
}
