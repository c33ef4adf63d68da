/*
 * What :global asks of a node by rpc.
 *
 * resolve_it: two partitions that join have both registered a name, one of them to a process here;
 * the node of that process applies the method (a fun that the name was registered with) and says
 * who keeps the name. The three methods of stock OTP are carried out as it does; an unknown one is
 * an error, upon which the other side's process wins. Our own table needs no change here: whoever
 * loses a name ends, or is told, or is found out by the next audit.
 */
#include "base/error.h"
#include "registry/global_internal.h"
#include "registry/global_resolve.h"

static bool as_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_pid(&reader, ret_pid);
}

/* The apply that waits for a whereis. */
static void on_whereis(void *context, enum global_outcome outcome, const struct cn_pid *holder)
{
    struct apply *apply = context;
    struct cn_writer writer;

    if (outcome != GLOBAL_YES || holder == NULL) {
        apply_return_atom(apply, "undefined");
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_pid(&writer, holder);
    apply_return_writer(apply, &writer);
}

static void run_whereis(void *context, struct apply *apply, const struct cn_term *arguments)
{
    if (global_whereis(context, arguments[0], on_whereis, apply) != 0)
        apply_error(apply, "system_limit");
}

/* A name of ours went to somebody else: say so, as an audit would. */
static void tell_conflict(struct global *global, struct cn_term name, const struct cn_pid *winner,
                          const struct cn_pid *a, const struct cn_pid *b)
{
    struct held_name *held = names_find(global, name);
    struct cn_pid ours;

    if (held == NULL || (winner != NULL && cn_pid_equal(winner, &held->owner->pid)))
        return;
    ours = held->owner->pid;
    names_release(global, held);
    if (global->hooks.on_conflict != NULL)
        global->hooks.on_conflict(global->hooks.context, name, &ours,
                                  cn_pid_equal(a, &ours) ? b : a);
}

/* Names of a hidden node never have the owner's method, so the choice comes at once. */
static void on_chosen(void *context, const struct cn_pid *winner)
{
    const struct cn_pid **chosen = context;

    *chosen = winner;
}

static void run_resolve(void *context, struct apply *apply, const struct cn_term *arguments)
{
    static const struct global_hooks none = {0};
    struct global *global = context;
    struct cn_pid a;
    struct cn_pid b;
    const struct cn_pid *winner = NULL;
    struct cn_writer writer;

    if (!as_pid(arguments[2], &a) || !as_pid(arguments[3], &b) ||
        !global_resolve(global->procs, &none, arguments[0], arguments[1], &a, &b, on_chosen,
                        &winner)) {
        apply_error(apply, "badarg");
        return;
    }
    tell_conflict(global, arguments[1], winner, &a, &b);
    cn_writer_init(&writer, 0);
    if (winner != NULL)
        cn_write_pid(&writer, winner);
    else
        cn_write_atom(&writer, "none");
    apply_return_writer(apply, &writer);
}

int global_functions_add(struct global *global, struct functions *functions)
{
    struct function table[] = {
        {"global", "whereis_name", 1, run_whereis, global},
        {"global", "resolve_it", 4, run_resolve, global},
    };

    return functions_add(functions, table, sizeof(table) / sizeof(table[0]));
}
