/*
 * Members of :global for tests: see members.h. Each member is a node of the test world; a scripted
 * peer replaces its global_name_server, answers every call with true and writes down what it hears.
 */
#include "unit/registry/members.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/trace.h"

struct one ones[WORLD_NODES];
char told[1 << 16];

static void on_conflict(void *context, struct cn_term name, const struct cn_pid *ours,
                        const struct cn_pid *other)
{
    struct one *one = context;

    (void)snprintf(one->conflict, sizeof(one->conflict), "%s %s %s", show(name),
                   show(pid_term(ours)), show(pid_term(other)));
}

static void on_disconnect(void *context, const char *node)
{
    struct one *one = context;

    (void)snprintf(one->parted, sizeof(one->parted), "%s", node);
}

static void on_leaving(void *context)
{
    struct one *one = context;

    one->left++;
}

static void on_closed(void *context)
{
    struct one *one = context;

    one->closed++;
}

/* The test chooses. */
static void choose(void *context, struct cn_term name, const struct cn_pid *a,
                   const struct cn_pid *b, global_chosen chosen, void *chosen_context)
{
    struct one *one = context;

    (void)snprintf(one->asked, sizeof(one->asked), "%s %s %s", show(name), show(pid_term(a)),
                   show(pid_term(b)));
    one->chosen = chosen;
    one->chosen_context = chosen_context;
}

static void start(int index)
{
    struct one *one = &ones[index];
    struct global_hooks hooks = {.context = one,
                                 .on_conflict = on_conflict,
                                 .owner_module = "owner",
                                 .owner_function = "choose",
                                 .choose = choose,
                                 .disconnect = on_disconnect,
                                 .leaving = on_leaving,
                                 .closed = on_closed};

    ck_assert_int_eq(functions_new(world_procs(&world, index), &one->functions), 0);
    ck_assert_int_eq(member_new(world_procs(&world, index), one->functions, &hooks, &one->member),
                     0);
    one->member->random = (uint64_t)index;
    member_registry(one->member, &one->names);
    for (int i = 0; i < 4; i++)
        one->pids[i] = *process_pid(probe_start(world_procs(&world, index), &one->probes[i]));
}

void members_setup(void)
{
    memset(ones, 0, sizeof(ones));
    memset(answers, 0, sizeof(answers));
    told[0] = '\0';
    world_init(&world);
    world_cut(&world, 0, 1);
    for (int i = 0; i < WORLD_NODES; i++)
        start(i);
    world_settle(&world);
}

static void stop(int index)
{
    struct one *one = &ones[index];

    one->functions = functions_free(one->functions);
    one->member = member_free(one->member);
    for (int i = 0; i < 4; i++)
        probe_deinit(&one->probes[i]);
}

void members_teardown(void)
{
    trace_set_hook(NULL, NULL, TRACE_OFF);
    world_deinit(&world);
    for (int i = 0; i < WORLD_NODES; i++)
        stop(i);
}

/* The scripted peer. */

static void note(struct one *one, const char *what, struct cn_term term)
{
    cn_assert(one->heard_count < 64);
    (void)snprintf(one->heard[one->heard_count++], sizeof(one->heard[0]), "%s%s", what, show(term));
}

static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    note(state, "", message);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    note(state, "info ", message);
}

/* Every lock is free, every change is welcome. */
static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    note(state, "call ", request);
    cn_assert(gen_reply(gen_server_procs(self), from, atom("true")) == 0);
}

static void on_end(struct gen_server *self, void *state, struct cn_term reason)
{
}

static const struct gen_server_callbacks script_callbacks = {
    .module = "global",
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .terminate = on_end,
};

void script(int index)
{
    struct one *one = &ones[index];
    struct procs *procs = world_procs(&world, index);
    struct process *server = procs_whereis(procs, view("global_name_server"));

    ck_assert_int_eq(procs_exit_signal(procs, NULL, process_pid(server), atom("kill")), 0);
    world_settle(&world);
    ck_assert_int_eq(gen_server_start(procs, &script_callbacks, one, &one->script), 0);
    ck_assert_int_eq(process_register(gen_server_process(one->script), "global_name_server"), 0);
}

void say(int from, int to, struct cn_term message)
{
    struct dest dest = to_name("global_name_server", world.nodes[to].name);

    ck_assert_int_eq(procs_send(world_procs(&world, from), gen_server_process(ones[from].script),
                                &dest, message),
                     0);
    world_settle(&world);
}

void cast(int from, int to, struct cn_term message)
{
    struct dest dest = to_name("global_name_server", world.nodes[to].name);

    ck_assert_int_eq(gen_cast(world_procs(&world, from), gen_server_process(ones[from].script),
                              &dest, message),
                     0);
    world_settle(&world);
}

static void on_reply(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    note(context, outcome == CALL_REPLY ? "reply " : "failed ", term);
}

void ask_server(int from, int to, struct cn_term request)
{
    struct dest dest = to_name("global_name_server", world.nodes[to].name);

    ck_assert_int_eq(
        call_start(ones[from].script, &dest, request, 1000, on_reply, &ones[from], NULL), 0);
    world_settle(&world);
}

const char *heard(int index)
{
    const struct one *one = &ones[index];

    return one->heard_count > 0 ? one->heard[one->heard_count - 1] : "";
}

/* Time and wires. */

void join(int a, int b)
{
    world_connect(&world, a, b);
    if (ones[a].script == NULL)
        ck_assert_int_eq(ones[a].names.peer_up(ones[a].member, world.nodes[b].name), 0);
    if (ones[b].script == NULL)
        ck_assert_int_eq(ones[b].names.peer_up(ones[b].member, world.nodes[a].name), 0);
    world_settle(&world);
}

void acquaint(void)
{
    for (int i = 0; i < WORLD_NODES; i++) {
        for (int k = 0; k < WORLD_NODES; k++)
            (void)known_add(ones[i].member, world.nodes[k].name, GLOBAL_VERSION);
    }
    join(0, 1);
    join(1, 2);
    join(0, 2);
}

size_t locks(void)
{
    return member_locks(ones[0].member) * 100 + member_locks(ones[1].member) * 10 +
           member_locks(ones[2].member);
}

void part(int a, int b)
{
    world_cut(&world, a, b);
    if (ones[a].script == NULL)
        ones[a].names.peer_down(ones[a].member, world.nodes[b].name);
    if (ones[b].script == NULL)
        ones[b].names.peer_down(ones[b].member, world.nodes[a].name);
    world_settle(&world);
}

void pass(uint64_t ms)
{
    for (; ms >= 10; ms -= 10)
        world_pass(&world, 10);
}

/* Names. */

static void done(void *context, enum global_outcome outcome, const struct cn_pid *who)
{
    static const char *const names[] = {"yes", "no", "unreachable"};

    ck_assert_str_eq(context, "");
    (void)snprintf(context, 64, "%s%s%s", names[outcome], who != NULL ? " " : "",
                   who != NULL ? show(pid_term(who)) : "");
}

void ask(int node, const char *name, int probe, size_t index)
{
    struct one *one = &ones[node];

    ck_assert_int_eq(one->names.register_name(one->member, atom(name), &one->pids[probe],
                                              GLOBAL_EXIT_ONE, done, answers[index]),
                     0);
}

void ask_move(int node, const char *name, const struct cn_pid *pid, size_t index)
{
    ck_assert_int_eq(ones[node].names.move_name(ones[node].member, atom(name), pid, GLOBAL_EXIT_ONE,
                                                done, answers[index]),
                     0);
}

void ask_gone(int node, const char *name, int probe, size_t index)
{
    struct one *one = &ones[node];

    ck_assert_int_eq(one->names.unregister_name(one->member, atom(name), &one->pids[probe], done,
                                                answers[index]),
                     0);
}

const char *holder(int node, const char *name)
{
    struct name *found = roster_find(ones[node].member, atom(name));
    struct cn_pid pid;

    if (found == NULL)
        return "";
    pid = watched_pid(found->watched);
    return show(pid_term(&pid));
}

static void on_trace(void *context, enum trace_level level, const char *layer, const char *line)
{
    size_t size = strlen(told);

    if (strcmp(layer, "registry") == 0)
        (void)snprintf(told + size, sizeof(told) - size, "%s\n", line);
}

void golden_begin(void)
{
    trace_set_hook(on_trace, NULL, TRACE_EVENT);
}
