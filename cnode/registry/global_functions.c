/*
 * What :global asks of a node by rpc: who has a name, and who shall keep one that two have
 * (global_resolve.c). Our own table needs no change for the latter unless a process of ours has
 * lost its name and lives: whoever loses one ends, or is told, or is found out by the next audit.
 */
#include "base/error.h"
#include "registry/global_internal.h"

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

/* If we lost the name, audits no longer care for it: who had it has been told, or is killed. */
static void on_chosen(void *context, struct cn_term name, const struct global_choice *choice)
{
    struct global *global = context;
    struct held_name *held = names_find(global, name);

    if (held != NULL &&
        (choice->winner == NULL || !cn_pid_equal(choice->winner, &held->owner->pid)))
        names_release(global, held);
    global_tell_killed(global->procs, &global->hooks, name, &choice->a, &choice->b);
}

static void run_resolve(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct global *global = context;

    global_resolve_it(&global->resolver, apply, arguments);
}

int global_functions_add(struct global *global, struct functions *functions)
{
    struct function table[] = {
        {"global", "whereis_name", 1, run_whereis, global},
        {"global", "resolve_it", 4, run_resolve, global},
    };

    global_resolver_init(&global->resolver, global->procs, &global->hooks, on_chosen, global);
    return functions_add(functions, table, sizeof(table) / sizeof(table[0]));
}
