/*
 * The methods, as OTP carries them out: the process on the node with the smaller name keeps the
 * name, and the other is killed, or told; or both are told and nobody keeps it. The owner's method
 * is a function that BEAM nodes have as well; here the owner is asked, who may answer later.
 *
 * resolve_it: two partitions that join have both registered a name, one of them to a process here;
 * the node of that process applies the method (a fun that the name was registered with) and says
 * who keeps the name. A method that is not known here is an error, upon which the other side's
 * process keeps the name; so is no memory to remember who asks.
 */
#include "registry/global_resolve.h"

#include <string.h>

#include "base/alloc.h"
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

static bool is_dying(struct procs *procs, const struct cn_pid *pid)
{
    struct process *process = procs_find(procs, pid);

    return strcmp(pid->node, procs_node(procs)) == 0 &&
           (process == NULL || process_exiting(process));
}

void global_tell_killed(struct procs *procs, const struct global_hooks *hooks, struct cn_term name,
                        const struct cn_pid *a, const struct cn_pid *b)
{
    if (hooks->on_conflict == NULL)
        return;
    if (is_dying(procs, a))
        hooks->on_conflict(hooks->context, name, a, b);
    else if (is_dying(procs, b))
        hooks->on_conflict(hooks->context, name, b, a);
}

static bool read_method(struct cn_term method, struct etf_fun *ret_fun)
{
    struct cn_reader reader;

    cn_reader_init(&reader, method);
    return etf_read_fun(&reader, ret_fun) && ret_fun->external && ret_fun->arity == 3;
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
    struct etf_fun fun;

    if (!read_method(method, &fun))
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

/* Somebody asks by rpc, while the choice is made. */
struct resolution {
    struct list link; /* in resolver.waiting */
    struct global_resolver *resolver;
    struct apply *apply;
    struct global_choice choice;
    size_t size;
    uint8_t name[];
};

void global_resolver_init(struct global_resolver *resolver, struct procs *procs,
                          const struct global_hooks *hooks, global_choice_made chosen,
                          void *context)
{
    *resolver = (struct global_resolver){
        .procs = procs, .hooks = hooks, .chosen = chosen, .context = context};
    list_init(&resolver->waiting);
}

static void resolution_free(struct resolution *resolution)
{
    list_remove(&resolution->link);
    mem_free(resolution);
}

void global_resolver_deinit(struct global_resolver *resolver)
{
    while (!list_empty(&resolver->waiting))
        resolution_free(container_of(list_first(&resolver->waiting), struct resolution, link));
}

static void on_chosen(void *context, const struct cn_pid *winner)
{
    struct resolution *resolution = context;
    struct global_resolver *resolver = resolution->resolver;
    struct cn_writer writer;

    resolution->choice.winner = winner;
    resolver->chosen(resolver->context, (struct cn_term){resolution->name, resolution->size},
                     &resolution->choice);
    cn_writer_init(&writer, 0);
    if (winner != NULL)
        cn_write_pid(&writer, winner);
    else
        cn_write_atom(&writer, "none");
    apply_return_writer(resolution->apply, &writer);
    resolution_free(resolution);
}

static bool as_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_pid(&reader, ret_pid);
}

void global_resolve_it(struct global_resolver *resolver, struct apply *apply,
                       const struct cn_term *arguments)
{
    struct resolution *resolution = mem_zalloc(sizeof(*resolution) + arguments[1].size);
    struct global_choice *choice = NULL;

    if (resolution == NULL) {
        apply_error(apply, "system_limit");
        return;
    }
    resolution->resolver = resolver;
    resolution->apply = apply;
    resolution->size = arguments[1].size;
    memcpy(resolution->name, arguments[1].data, arguments[1].size);
    list_append(&resolver->waiting, &resolution->link);
    choice = &resolution->choice;
    if (!as_pid(arguments[2], &choice->a) || !as_pid(arguments[3], &choice->b) ||
        !global_resolve(resolver->procs, resolver->hooks, arguments[0], arguments[1], &choice->a,
                        &choice->b, on_chosen, resolution)) {
        resolution_free(resolution);
        apply_error(apply, "badarg");
    }
}
