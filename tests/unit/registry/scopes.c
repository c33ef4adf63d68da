/*
 * Scopes for tests: see scopes.h. Each is a node of the test world.
 */
#include "unit/registry/scopes.h"

#include <stdio.h>
#include <string.h>

struct scope scopes[WORLD_NODES];
struct pg_config scopes_config;

static void on_log(void *context, const char *line)
{
    struct scope *scope = context;
    size_t size = strlen(scope->lines);

    (void)snprintf(scope->lines + size, sizeof(scope->lines) - size, "%s\n", line);
    scope->line_count++;
}

static void on_disconnect(void *context, const char *node)
{
    struct scope *scope = context;

    (void)snprintf(scope->parted, sizeof(scope->parted), "%s", node);
}

static void start(int index)
{
    struct scope *scope = &scopes[index];
    struct procs *procs = world_procs(&world, index);
    struct pg_config config = scopes_config;

    config.scope = "scope";
    config.context = scope;
    config.log = on_log;
    config.disconnect = on_disconnect;
    ck_assert_int_eq(functions_new(procs, &scope->functions), 0);
    ck_assert_int_eq(pg_functions_add(scope->functions), 0);
    ck_assert_int_eq(pg_new(procs, &config, &scope->pg), 0);
    scope->pid = *gen_server_pid(scope->pg->server);
    for (int i = 0; i < 3; i++)
        scope->pids[i] = *process_pid(probe_start(procs, &scope->probes[i]));
}

void scopes_setup(void)
{
    memset(scopes, 0, sizeof(scopes));
    world_init(&world);
    world_cut(&world, 0, 1);
    for (int i = 0; i < WORLD_NODES; i++)
        start(i);
    world_settle(&world);
    scopes_config = (struct pg_config){0};
}

void scopes_teardown(void)
{
    world_deinit(&world);
    for (int i = 0; i < WORLD_NODES; i++) {
        scopes[i].functions = functions_free(scopes[i].functions);
        scopes[i].pg = pg_free(scopes[i].pg);
        probe_deinit(&scopes[i].script);
        for (int j = 0; j < 3; j++)
            probe_deinit(&scopes[i].probes[j]);
    }
}

/* The scope goes for good: its name is taken by a probe in the same turn. */
void scope_script(int index)
{
    struct scope *scope = &scopes[index];
    struct procs *procs = world_procs(&world, index);
    struct process *script = probe_start(procs, &scope->script);
    struct process *server = gen_server_process(scope->pg->server);

    process_unregister(server, "scope");
    ck_assert_int_eq(process_register(script, "scope"), 0);
    scope->pid = *process_pid(script);
    scope->scripted = true;
}

void scopes_join(int a, int b)
{
    world_connect(&world, a, b);
    if (!scopes[a].scripted)
        ck_assert_int_eq(pg_peer_up(scopes[a].pg, world.nodes[b].name), 0);
    if (!scopes[b].scripted)
        ck_assert_int_eq(pg_peer_up(scopes[b].pg, world.nodes[a].name), 0);
    world_settle(&world);
}

void scopes_part(int a, int b)
{
    world_cut(&world, a, b);
    pg_peer_down(scopes[a].pg, world.nodes[b].name);
    pg_peer_down(scopes[b].pg, world.nodes[a].name);
    world_settle(&world);
}

const char *scope_heard(int index)
{
    const struct probe *script = &scopes[index].script;

    return script->count > 0 ? script->log[script->count - 1] : "";
}

void scope_say(int from, int to, struct cn_term message)
{
    struct procs *procs = world_procs(&world, from);
    struct dest dest = to_name("scope", world.nodes[to].name);

    ck_assert_int_eq(procs_send(procs, procs_find(procs, &scopes[from].pid), &dest, message), 0);
    world_settle(&world);
}

void scope_cast(int from, int to, struct cn_term message)
{
    scope_say(from, to, parse_with("{$gen_cast,%t}", &message));
}

const char *members_text(int index, struct cn_term group)
{
    struct cn_writer writer;
    const char *text;

    cn_writer_init(&writer, 0);
    pg_write_members(scopes[index].pg, group, false, &writer);
    ck_assert_int_eq(cn_writer_error(&writer), 0);
    text = show(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return text;
}
