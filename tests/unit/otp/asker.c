/*
 * Node a, asked by node b: see asker.h. Requests are injected as signals, so that what a BEAM
 * would send can be sent with any mistake in it.
 */
#include "unit/otp/asker.h"

#include <stdio.h>

struct world world;
struct functions *functions;
struct probe asker;
struct process *asker_process;
struct server client;
struct gen_server *client_server;
struct apply *kept;

static void run_echo(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_return(apply, arguments[0]);
}

static void run_fail(void *context, struct apply *apply, const struct cn_term *arguments)
{
    char class_[16];

    (void)snprintf(class_, sizeof(class_), "%s", show(arguments[0]));
    apply_raise(apply, class_, arguments[1]);
}

static void run_keep(void *context, struct apply *apply, const struct cn_term *arguments)
{
    kept = apply;
}

static const struct function table[] = {
    {"test", "echo", 1, run_echo, NULL},
    {"test", "fail", 2, run_fail, NULL},
    {"test", "keep", 0, run_keep, NULL},
};

void asker_setup(void)
{
    world_init(&world);
    ck_assert_int_eq(functions_new(world_procs(&world, 0), &functions), 0);
    ck_assert_int_eq(functions_add(functions, table, 3), 0);
    asker_process = probe_start(world_procs(&world, 1), &asker);
    client_server = server_start(world_procs(&world, 1), &client, NULL);
    kept = NULL;
}

void asker_teardown(void)
{
    world_deinit(&world);
    functions = functions_free(functions);
    probe_deinit(&asker);
    server_deinit(&client);
}

const char *spawn(const char *module, const char *function, uint32_t arity,
                  struct cn_term arguments)
{
    struct cn_term options = parse("[monitor]");
    struct control request = {.op = CONTROL_SPAWN_REQUEST,
                              .has_from = true,
                              .from = *process_pid(asker_process),
                              .group_leader = *process_pid(asker_process),
                              .module = view(module),
                              .function = view(function),
                              .arity = arity,
                              .options = options};

    procs_make_ref(world_procs(&world, 1), &request.ref);
    ck_assert_int_eq(world_inject(&world, 1, 0, &request, arguments), 0);
    world_settle(&world);
    return world.nodes[0].monitor_exit;
}

const char *erpc(const char *module, const char *function, struct cn_term arguments)
{
    struct cn_term m = atom(module);
    struct cn_term f = atom(function);

    return spawn("erpc", "execute_call", 4, parse_with("[1,%t,%t,%t]", &m, &f, &arguments));
}

const char *rpc(const char *module, const char *function, struct cn_term arguments)
{
    ck_assert_int_eq(call_rpc(client_server, "a@world", module, function, arguments, 1000,
                              server_done, &client, NULL),
                     0);
    world_settle(&world);
    return server_last(&client);
}
