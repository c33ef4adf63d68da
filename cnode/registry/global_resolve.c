/*
 * The methods, as OTP carries them out: the process on the node with the smaller name keeps the
 * name, and the other is killed, or told; or both are told and nobody keeps it. The owner's method
 * is a function that BEAM nodes have as well; here the owner is asked, who may answer later.
 */
#include "registry/global_resolve.h"

#include <string.h>

#include "etf/raw.h"
#include "etf/writer.h"

struct cn_term global_method_term(enum global_method method)
{
    static const uint8_t notify_all[] = "\x71\x77\x06global\x77\x0fnotify_all_name\x61\x03";
    static const uint8_t notify_one[] = "\x71\x77\x06global\x77\x12random_notify_name\x61\x03";
    static const uint8_t exit_one[] = "\x71\x77\x06global\x77\x10random_exit_name\x61\x03";

    switch (method) {
    case GLOBAL_NOTIFY_ALL:
        return (struct cn_term){notify_all, sizeof(notify_all) - 1};
    case GLOBAL_NOTIFY_ONE:
        return (struct cn_term){notify_one, sizeof(notify_one) - 1};
    case GLOBAL_EXIT_ONE:
    case GLOBAL_OWNER:
        break;
    }
    return (struct cn_term){exit_one, sizeof(exit_one) - 1};
}

void global_method_write(const struct global_hooks *hooks, enum global_method method,
                         struct cn_writer *writer)
{
    static const uint8_t tag = 113; /* EXPORT_EXT: a module, a function, an arity */

    if (method != GLOBAL_OWNER || hooks->choose == NULL) {
        cn_write_term(writer, global_method_term(method));
        return;
    }
    etf_write_raw(writer, &tag, sizeof(tag));
    cn_write_atom(writer, hooks->owner_module);
    cn_write_atom(writer, hooks->owner_function);
    cn_write_integer(writer, 3);
}

/* Send {global_name_conflict, Name [, Other]}. */
static void notify(struct procs *procs, const struct cn_pid *to, struct cn_term name,
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
        (void)procs_send_pid(procs, NULL, to, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* Carry out @method; gives who keeps the name, NULL: nobody. Returns false for an unknown one. */
static bool carry_out(struct procs *procs, struct cn_bytes method, struct cn_term name,
                      const struct cn_pid *a, const struct cn_pid *b,
                      const struct cn_pid **ret_winner)
{
    bool a_wins = strcmp(a->node, b->node) < 0;
    const struct cn_pid *winner = a_wins ? a : b;
    const struct cn_pid *loser = a_wins ? b : a;
    static const uint8_t kill[] = {0x77, 4, 'k', 'i', 'l', 'l'};

    if (cn_bytes_equal(method, "random_exit_name")) {
        (void)procs_exit_signal(procs, NULL, loser, (struct cn_term){kill, sizeof(kill)});
    } else if (cn_bytes_equal(method, "random_notify_name")) {
        notify(procs, loser, name, NULL);
    } else if (cn_bytes_equal(method, "notify_all_name")) {
        notify(procs, a, name, b);
        notify(procs, b, name, a);
        winner = NULL;
    } else {
        return false;
    }
    *ret_winner = winner;
    return true;
}

static bool is_owners(const struct global_hooks *hooks, const struct etf_fun *fun)
{
    return hooks->choose != NULL && cn_bytes_equal(fun->module, hooks->owner_module) &&
           cn_bytes_equal(fun->function, hooks->owner_function);
}

bool global_resolve(struct procs *procs, const struct global_hooks *hooks, struct cn_term method,
                    struct cn_term name, const struct cn_pid *a, const struct cn_pid *b,
                    global_chosen chosen, void *context)
{
    const struct cn_pid *winner = NULL;
    struct cn_reader reader;
    struct etf_fun fun;

    cn_reader_init(&reader, method);
    if (!etf_read_fun(&reader, &fun) || !fun.external || fun.arity != 3)
        return false;
    if (is_owners(hooks, &fun)) {
        hooks->choose(hooks->context, name, a, b, chosen, context);
        return true;
    }
    if (!cn_bytes_equal(fun.module, "global") ||
        !carry_out(procs, fun.function, name, a, b, &winner))
        return false;
    chosen(context, winner);
    return true;
}
