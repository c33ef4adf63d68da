/*
 * Node a between two BEAM nodes: see ours.h. Each BEAM is a node of the test world with the
 * functions and the server of beam.h.
 */
#include "unit/registry/ours.h"

#include <stdio.h>
#include <string.h>

struct world world;
struct beam b, c;
struct functions *functions;
struct global *global;
struct probe owner, second;
struct process *process;
struct cn_pid pid;
size_t answered;
char conflict[256];

static void on_conflict(void *context, struct cn_term name, const struct cn_pid *ours,
                        const struct cn_pid *other)
{
    (void)snprintf(conflict, sizeof(conflict), "%s %s %s", show(name), show(pid_term(ours)),
                   show(pid_term(other)));
}

void done(void *context, enum global_outcome outcome, const struct cn_pid *holder)
{
    static const char *const names[] = {"yes", "no", "unreachable"};

    ck_assert_str_eq(context, "");
    (void)snprintf(context, 64, "%s%s%s", names[outcome], holder != NULL ? " " : "",
                   holder != NULL ? show(pid_term(holder)) : "");
    answered++;
}

void ours_setup(void)
{
    struct global_hooks hooks = {NULL, on_conflict};

    world_init(&world);
    world_cut(&world, 0, 1);
    beam_init(&b, world_procs(&world, 1));
    beam_init(&c, world_procs(&world, 2));
    ck_assert_int_eq(functions_new(world_procs(&world, 0), &functions), 0);
    ck_assert_int_eq(global_new(world_procs(&world, 0), functions, &hooks, &global), 0);
    process = probe_start(world_procs(&world, 0), &owner);
    pid = *process_pid(process);
    second = (struct probe){0};
    memset(answers, 0, sizeof(answers));
    answered = 0;
    conflict[0] = '\0';
}

void ours_teardown(void)
{
    world_deinit(&world);
    beam_deinit(&b);
    beam_deinit(&c);
    functions = functions_free(functions);
    global = global_free(global);
    probe_deinit(&owner);
    probe_deinit(&second);
}

void link_up(int node)
{
    world_connect(&world, 0, node);
    ck_assert_int_eq(global_peer_up(global, world.nodes[node].name), 0);
    world_settle(&world);
}

void link_cut(int node)
{
    world_cut(&world, 0, node);
    global_peer_down(global, world.nodes[node].name);
    world_settle(&world);
}

void ask_register_as(enum global_method method, const char *name, const struct cn_pid *who,
                     size_t index)
{
    ck_assert_int_eq(global_register(global, atom(name), who, method, done, answers[index]), 0);
}

void ask_register(const char *name, const struct cn_pid *who, size_t index)
{
    ask_register_as(GLOBAL_NOTIFY_ALL, name, who, index);
}
