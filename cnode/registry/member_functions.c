/*
 * What :global asks of a member by rpc: who has a name, and who shall keep one that two have.
 *
 * resolve_it is asked of the node of one of the two processes while partitions join; the table
 * changes later, with all others, when the join is done. A method that is not known here is an
 * error, upon which the other side's process keeps the name.
 */
#include "base/error.h"
#include "registry/global_resolve.h"
#include "registry/member_internal.h"

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

static void run_resolve(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct member *member = context;
    struct cn_pid a;
    struct cn_pid b;
    const struct cn_pid *winner = NULL;

    if (!as_pid(arguments[2], &a) || !as_pid(arguments[3], &b) ||
        !global_resolve(member->procs, arguments[0], arguments[1], &a, &b, &winner)) {
        apply_error(apply, "badarg");
        return;
    }
    member_tell_killed(member, arguments[1], &a, &b);
    return_pid(apply, winner, "none");
}

int member_functions_add(struct member *member, struct functions *functions)
{
    struct function table[] = {
        {"global", "whereis_name", 1, run_whereis, member},
        {"global", "resolve_it", 4, run_resolve, member},
    };

    return functions_add(functions, table, sizeof(table) / sizeof(table[0]));
}
