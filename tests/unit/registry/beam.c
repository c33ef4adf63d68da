/*
 * A BEAM's :global for tests: see beam.h. Names are kept as shown text, which is enough here.
 */
#include "unit/registry/beam.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "etf/raw.h"

static int find(struct beam *beam, const char *name)
{
    for (size_t i = 0; i < beam->count; i++) {
        if (strcmp(beam->names[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

static void set(struct beam *beam, const char *name, const struct cn_pid *pid, const char *method)
{
    int found = find(beam, name);

    if (found < 0) {
        cn_assert(beam->count < BEAM_NAMES);
        found = (int)beam->count++;
        (void)snprintf(beam->names[found].name, 64, "%s", name);
    }
    beam->names[found].pid = *pid;
    (void)snprintf(beam->names[found].method, 64, "%s", method);
}

void beam_set(struct beam *beam, const char *name, const struct cn_pid *pid)
{
    int found = find(beam, name);

    if (pid != NULL)
        set(beam, name, pid, "");
    else if (found >= 0)
        beam->names[found] = beam->names[--beam->count];
}

const char *beam_whereis(struct beam *beam, const char *name)
{
    int found = find(beam, name);

    return found >= 0 ? show(pid_term(&beam->names[found].pid)) : "";
}

const char *beam_method(struct beam *beam, const char *name)
{
    int found = find(beam, name);

    return found >= 0 ? beam->names[found].method : "";
}

static struct cn_pid read_pid(struct cn_term term)
{
    struct cn_reader reader;
    struct cn_pid pid;

    cn_reader_init(&reader, term);
    cn_assert(cn_read_pid(&reader, &pid));
    return pid;
}

/* A method as "module:function". */
static const char *show_method(struct cn_term method)
{
    static char text[64];
    struct cn_reader reader;
    struct etf_fun fun;

    cn_reader_init(&reader, method);
    cn_assert(etf_read_fun(&reader, &fun) && fun.external && fun.arity == 3);
    (void)snprintf(text, sizeof(text), "%.*s:%.*s", (int)fun.module.size,
                   (const char *)fun.module.data, (int)fun.function.size,
                   (const char *)fun.function.data);
    return text;
}

static bool failing(struct beam *beam, struct apply *apply)
{
    if (beam->fail)
        apply_error(apply, "badarg");
    return beam->fail;
}

static void watch(struct beam *beam, const struct cn_pid *pid, bool link)
{
    struct process *process = gen_server_process(beam->server);
    struct dest dest = to_pid(pid);
    struct cn_ref ref;

    cn_assert(process_monitor(process, &dest, &ref) == 0);
    if (link)
        cn_assert(process_link(process, pid) == 0);
}

static void carry_out(struct beam *beam, struct apply *apply, const char *name,
                      const struct cn_pid *pid, const char *method)
{
    if (find(beam, name) >= 0 || beam->no_once) {
        beam->no_once = false;
        apply_return_atom(apply, "no");
        return;
    }
    set(beam, name, pid, method);
    beam->registered++;
    watch(beam, pid, true);
    apply_return_atom(apply, "yes");
}

static void run_register(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct beam *beam = context;
    struct cn_pid pid;

    if (failing(beam, apply))
        return;
    pid = read_pid(arguments[1]);
    if (!beam->hold) {
        carry_out(beam, apply, show(arguments[0]), &pid, show_method(arguments[2]));
        return;
    }
    (void)snprintf(beam->held_method[beam->running], 64, "%s", show_method(arguments[2]));
    beam->held[beam->running] = apply;
    beam->held_pid[beam->running] = pid;
    (void)snprintf(beam->held_name[beam->running], 64, "%s", show(arguments[0]));
    beam->running++;
    if (beam->running > beam->running_max)
        beam->running_max = beam->running;
}

void beam_release(struct beam *beam)
{
    size_t count = beam->running;

    beam->running = 0;
    for (size_t i = 0; i < count; i++)
        carry_out(beam, beam->held[i], beam->held_name[i], &beam->held_pid[i],
                  beam->held_method[i]);
}

static void run_unregister(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct beam *beam = context;

    if (failing(beam, apply))
        return;
    beam_set(beam, show(arguments[0]), NULL);
    apply_return_atom(apply, "ok");
}

static void run_move(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct beam *beam = context;
    struct cn_pid pid;

    if (failing(beam, apply))
        return;
    pid = read_pid(arguments[1]);
    set(beam, show(arguments[0]), &pid, show_method(arguments[2]));
    watch(beam, &pid, false);
    apply_return_atom(apply, "yes");
}

static void write_whereis(struct beam *beam, struct cn_term name, struct cn_writer *writer)
{
    int found = find(beam, show(name));

    beam->asked++;
    if (found >= 0)
        cn_write_pid(writer, &beam->names[found].pid);
    else
        cn_write_atom(writer, "undefined");
}

static void run_whereis(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer writer;

    if (failing(context, apply))
        return;
    cn_writer_init(&writer, 0);
    write_whereis(context, arguments[0], &writer);
    apply_return_writer(apply, &writer);
}

/* lists:map(fun global:whereis_name/1, Names) */
static void run_map(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer writer;
    struct cn_reader reader;
    uint32_t count = 0;

    if (failing(context, apply))
        return;
    cn_writer_init(&writer, 0);
    cn_reader_init(&reader, arguments[1]);
    cn_assert(cn_read_list(&reader, &count));
    if (count > 0)
        cn_write_list(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        struct cn_term name;

        cn_assert(cn_read_term(&reader, &name));
        write_whereis(context, name, &writer);
    }
    cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct beam *beam = state;

    if (beam->mute)
        return;
    cn_assert(cn_term_is_atom(request, "get_protocol_version"));
    cn_assert(gen_reply(gen_server_procs(self), from, parse("8")) == 0);
}

static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    struct beam *beam = state;

    if (strncmp(show(message), "{in_sync,a@world,true}", 22) == 0)
        beam->in_sync++;
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct beam *beam = state;
    struct cn_reader reader;
    struct cn_pid pid;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 5) || !cn_skip(&reader) || !cn_skip(&reader) ||
        !cn_skip(&reader) || !cn_read_pid(&reader, &pid))
        return;
    for (size_t i = beam->count; i > 0; i--) {
        if (cn_pid_equal(&beam->names[i - 1].pid, &pid))
            beam_set(beam, beam->names[i - 1].name, NULL);
    }
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
}

static const struct gen_server_callbacks beam_callbacks = {
    .module = "global",
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .terminate = on_terminate,
};

/* erlang:function_exported(Module, Function, Arity) */
static void run_exported(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct beam *beam = context;

    ck_assert(cn_term_is_atom(arguments[0], "global"));
    ck_assert(cn_term_is_atom(arguments[1], "register_name_external"));
    apply_return_atom(apply, beam->member_only ? "false" : "true");
}

void beam_init(struct beam *beam, struct procs *procs)
{
    const struct function table[] = {
        {"global", "register_name_external", 3, run_register, beam},
        {"global", "unregister_name", 1, run_unregister, beam},
        {"global", "re_register_name", 3, run_move, beam},
        {"global", "whereis_name", 1, run_whereis, beam},
        {"lists", "map", 2, run_map, beam},
        {"erlang", "function_exported", 3, run_exported, beam},
    };

    memset(beam, 0, sizeof(*beam));
    beam->procs = procs;
    cn_assert(functions_new(procs, &beam->functions) == 0);
    cn_assert(functions_add(beam->functions, table, 6) == 0);
    cn_assert(gen_server_start(procs, &beam_callbacks, beam, &beam->server) == 0);
    process_trap_exit(gen_server_process(beam->server), true);
    cn_assert(process_register(gen_server_process(beam->server), "global_name_server") == 0);
}

void beam_deinit(struct beam *beam)
{
    beam->functions = functions_free(beam->functions);
}
