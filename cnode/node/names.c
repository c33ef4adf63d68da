/*
 * Names: registry/'s outcomes as session/'s conditions.
 *
 * Each request carries its caller's callback in a small record that lives until the answer, or
 * until the node ends. An answer that never came (no neighbour could be reached in time) is
 * CN_E_TIMEOUT for a move and a search. A name of ours that turns out to be somebody else's, after
 * both were registered apart, is logged, and its session is told.
 */
#include "node/names.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/list.h"
#include "etf/print.h"
#include "node/log.h"

#include <errno.h>
#include <string.h>

/* The rule for names that two have, as an external fun: names.h. */
#define RULE_MODULE   "Elixir.Minotaur.GameEngine.Names"
#define RULE_FUNCTION "resolve"

struct names {
    struct names_config config;
    struct procs *procs;
    struct global *global; /* of a hidden node */
    struct member *member; /* of a visible one */
    struct registry registry;
    struct batches batches;
    struct list questions; /* not yet answered */
    struct session_names table;
};

/* What is asked, until it is answered. */
struct question {
    struct list link;
    session_names_done done;
    void *context;
    int no; /* what GLOBAL_NO means here */
};

static void forget(struct question *question)
{
    list_remove(&question->link);
    mem_free(question);
}

static void answer(void *context, enum global_outcome outcome, const struct cn_pid *holder)
{
    struct question *question = context;
    int result = outcome == GLOBAL_YES ? 0 : outcome == GLOBAL_NO ? question->no : CN_E_TIMEOUT;

    if (question->done)
        question->done(question->context, result, holder);
    forget(question);
}

static struct question *ask(struct names *names, session_names_done done, void *context, int no)
{
    struct question *question = mem_alloc(sizeof *question);

    if (!question)
        return NULL;
    *question = (struct question){.done = done, .context = context, .no = no};
    list_append(&names->questions, &question->link);
    return question;
}

static int asked(struct question *question, int error)
{
    if (error != 0)
        forget(question);
    return error;
}

static int register_name(void *context, struct cn_term name, const struct cn_pid *pid,
                         session_names_done done, void *done_context)
{
    struct names *names = context;
    struct question *question = ask(names, done, done_context, CN_E_TAKEN);

    if (!question)
        return -ENOMEM;
    return asked(question, names->registry.register_name(names->registry.context, name, pid,
                                                         GLOBAL_OWNER, answer, question));
}

static void answer_batch(void *context, const struct change_result *results, size_t count)
{
    enum global_outcome worst = GLOBAL_YES;

    for (size_t i = 0; i < count; i++) {
        if (results[i].outcome != GLOBAL_YES)
            worst = results[i].outcome;
    }
    answer(context, worst, NULL);
}

static int move_names(void *context, const struct session_move *moves, size_t count,
                      session_names_done done, void *done_context)
{
    struct names *names = context;
    struct change *changes = mem_zalloc_array(count, sizeof *changes);
    struct question *question = changes ? ask(names, done, done_context, CN_E_TIMEOUT) : NULL;
    int error = -ENOMEM;

    if (question) {
        for (size_t i = 0; i < count; i++)
            changes[i] = (struct change){CHANGE_MOVE, moves[i].name, moves[i].pid, GLOBAL_OWNER};
        error = asked(question,
                      batch_start(&names->registry, changes, count, answer_batch, question));
    }
    mem_free(changes);
    return error;
}

static int whereis_name(void *context, struct cn_term name, session_names_done done,
                        void *done_context)
{
    struct names *names = context;
    struct question *question = ask(names, done, done_context, 0);

    if (!question)
        return -ENOMEM;
    return asked(question,
                 names->registry.whereis_name(names->registry.context, name, answer, question));
}

static void unregister_name(void *context, struct cn_term name, const struct cn_pid *pid)
{
    struct names *names = context;

    if (names->registry.unregister_name(names->registry.context, name, pid, NULL, NULL) != 0)
        log_event(LOG_WARNING, "name.kept", "no memory to unregister it; it goes with its process");
}

static void adopt_name(void *context, struct cn_term name, const struct cn_pid *pid)
{
    struct names *names = context;

    if (names->registry.adopt_name(names->registry.context, name, pid, GLOBAL_OWNER) != 0)
        log_event(LOG_WARNING, "name.not_adopted", "no memory; a lost neighbour may take it along");
}

/* {global_name_conflict, Name, Other} to @pid. */
static void tell_conflict(struct names *names, struct cn_term name, const struct cn_pid *pid,
                          const struct cn_pid *other)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "global_name_conflict");
    cn_write_term(&writer, name);
    cn_write_pid(&writer, other);
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(names->procs, NULL, pid, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static void on_conflict(void *context, struct cn_term name, const struct cn_pid *ours,
                        const struct cn_pid *other)
{
    char text[200];

    etf_print(name, text, sizeof text);
    log_eventf(LOG_WARNING, "name.conflict", "%s is registered on %s too", text, other->node);
    tell_conflict(context, name, ours, other);
}

static void hang_up(void *context, const char *node)
{
    struct names *names = context;

    (void)network_disconnect(names->config.network, node);
}

/* The sessions settle it; one of them has the name until then. */
static void choose(void *context, struct cn_term name, const struct cn_pid *a,
                   const struct cn_pid *b, global_chosen chosen, void *chosen_context)
{
    tell_conflict(context, name, a, b);
    tell_conflict(context, name, b, a);
    chosen(chosen_context, strcmp(a->node, b->node) < 0 ? a : b);
}

static void on_closed(void *context)
{
    struct names *names = context;

    if (names->config.closed)
        names->config.closed(names->config.context);
}

static void on_leaving(void *context)
{
    struct names *names = context;

    if (names->config.leaving)
        names->config.leaving(names->config.context);
}

/* The registry that fits the node. */
static int start(struct names *names, struct procs *procs, struct functions *functions,
                 const struct names_config *config)
{
    struct global_hooks hooks = {.context = names,
                                 .on_conflict = on_conflict,
                                 .owner_module = RULE_MODULE,
                                 .owner_function = RULE_FUNCTION,
                                 .choose = choose,
                                 .disconnect = hang_up,
                                 .leaving = on_leaving,
                                 .closed = on_closed};
    int error;

    if (config->hidden) {
        error = global_new(procs, functions, &hooks, &names->global);
        if (error == 0)
            global_registry(names->global, &names->registry);
        return error;
    }
    error = member_new(procs, functions, &hooks, &names->member);
    if (error == 0)
        member_registry(names->member, &names->registry);
    return error;
}

int names_new(struct procs *procs, struct functions *functions, const struct names_config *config,
              struct names **ret_names)
{
    struct names *names = mem_zalloc(sizeof *names);

    if (!names)
        return -ENOMEM;
    names->config = *config;
    names->procs = procs;
    list_init(&names->questions);
    batches_init(&names->batches);
    int error = start(names, procs, functions, config);
    if (error != 0) {
        mem_free(names);
        return error;
    }
    names->registry.batches = &names->batches;
    names->table = (struct session_names){
        .context = names,
        .register_name = register_name,
        .move_names = move_names,
        .whereis_name = whereis_name,
        .unregister_name = unregister_name,
        .adopt_name = adopt_name,
    };
    *ret_names = names;
    return 0;
}

struct names *names_free(struct names *names)
{
    if (!names)
        return NULL;
    global_free(names->global);
    member_free(names->member);
    batches_deinit(&names->batches);
    while (!list_empty(&names->questions))
        forget(container_of(list_first(&names->questions), struct question, link));
    mem_free(names);
    return NULL;
}

const struct session_names *names_table(struct names *names)
{
    return &names->table;
}

const struct registry *names_registry(const struct names *names)
{
    return &names->registry;
}

int names_peer_up(struct names *names, const struct peer_info *peer)
{
    /* A hidden node has its names through those who are not. */
    if (!peer->published || (peer->hidden && !names->global))
        return 0;
    return names->registry.peer_up(names->registry.context, peer->node);
}

void names_peer_down(struct names *names, const char *node)
{
    names->registry.peer_down(names->registry.context, node);
}
