/*
 * What is asked of a scope by rpc, as on a node where pg's functions read its table.
 */
#include "base/error.h"
#include "registry/pg_internal.h"

/* The scope that the first argument names; the answer is an empty list when there is none. */
static struct pg *scope(struct apply *apply, struct cn_term argument)
{
    struct cn_reader reader;
    struct cn_bytes name;

    cn_reader_init(&reader, argument);
    if (cn_peek(&reader) != CN_TYPE_ATOM || !cn_read_atom(&reader, &name))
        return NULL;
    return pg_find(apply_procs(apply), name);
}

static void return_members(struct apply *apply, const struct cn_term *arguments, bool local_only)
{
    struct pg *pg = scope(apply, arguments[0]);
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (pg != NULL)
        pg_write_members(pg, arguments[1], local_only, &writer);
    else
        cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

static void return_groups(struct apply *apply, const struct cn_term *arguments, bool local_only)
{
    struct pg *pg = scope(apply, arguments[0]);
    struct cn_writer writer;

    if (pg == NULL) {
        apply_error(apply, "badarg");
        return;
    }
    cn_writer_init(&writer, 0);
    pg_write_groups(pg, local_only, &writer);
    apply_return_writer(apply, &writer);
}

static void run_members(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_members(apply, arguments, false);
}

static void run_local_members(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_members(apply, arguments, true);
}

static void run_groups(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_groups(apply, arguments, false);
}

static void run_local_groups(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_groups(apply, arguments, true);
}

int pg_functions_add(struct functions *functions)
{
    static const struct function table[] = {
        {"pg", "get_members", 2, run_members, NULL},
        {"pg", "get_local_members", 2, run_local_members, NULL},
        {"pg", "which_groups", 1, run_groups, NULL},
        {"pg", "which_local_groups", 1, run_local_groups, NULL},
    };

    return functions_add(functions, table, sizeof(table) / sizeof(table[0]));
}
