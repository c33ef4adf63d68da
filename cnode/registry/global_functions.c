/*
 * What :global asks of a node by rpc.
 *
 * resolve_it: two partitions that join have both registered a name, one of them to a process here;
 * the node of that process applies the method (a fun that the name was registered with) and says
 * who keeps the name. The three methods of stock OTP are carried out as it does; an unknown one is
 * an error, upon which the other side's process wins. Our own table needs no change here: whoever
 * loses a name ends, or is told, or is found out by the next audit.
 */
#include <string.h>

#include "base/error.h"
#include "etf/raw.h"
#include "registry/global_internal.h"

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

/* Send {global_name_conflict, Name [, Other]}. */
static void notify(struct global *global, const struct cn_pid *to, struct cn_term name,
                   const struct cn_pid *other)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, other != NULL ? 3 : 2);
    cn_write_atom(&writer, "global_name_conflict");
    cn_write_term(&writer, name);
    if (other != NULL)
        cn_write_pid(&writer, other);
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(global->procs, NULL, to, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* Carry out @method; gives who keeps the name, NULL: nobody. Returns false for an unknown one. */
static bool resolve(struct global *global, struct cn_bytes method, struct cn_term name,
                    const struct cn_pid *a, const struct cn_pid *b,
                    const struct cn_pid **ret_winner)
{
    bool a_wins = strcmp(a->node, b->node) < 0;
    const struct cn_pid *winner = a_wins ? a : b;
    const struct cn_pid *loser = a_wins ? b : a;
    static const uint8_t kill[] = {0x77, 4, 'k', 'i', 'l', 'l'};

    if (cn_bytes_equal(method, "random_exit_name")) {
        (void)procs_exit_signal(global->procs, NULL, loser, (struct cn_term){kill, sizeof(kill)});
    } else if (cn_bytes_equal(method, "random_notify_name")) {
        notify(global, loser, name, NULL);
    } else if (cn_bytes_equal(method, "notify_all_name")) {
        notify(global, a, name, b);
        notify(global, b, name, a);
        winner = NULL;
    } else {
        return false;
    }
    *ret_winner = winner;
    return true;
}

static bool read_method(struct cn_term term, struct cn_bytes *ret_function)
{
    struct cn_reader reader;
    struct etf_fun fun;

    cn_reader_init(&reader, term);
    if (!etf_read_fun(&reader, &fun) || !fun.external || !cn_bytes_equal(fun.module, "global"))
        return false;
    *ret_function = fun.function;
    return true;
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

static void run_resolve(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct global *global = context;
    struct cn_bytes method;
    struct cn_pid a;
    struct cn_pid b;
    const struct cn_pid *winner = NULL;
    struct cn_writer writer;

    if (!read_method(arguments[0], &method) || !as_pid(arguments[2], &a) ||
        !as_pid(arguments[3], &b) || !resolve(global, method, arguments[1], &a, &b, &winner)) {
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
