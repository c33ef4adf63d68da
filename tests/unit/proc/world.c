/*
 * The world of tests: see world.h. Signals are copied deeply when sent, since a transport must not
 * keep views beyond the call.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "unit/proc/world.h"

struct signal {
    struct list list;
    struct control control;
    struct cn_term message;
    uint8_t *memory[6];
};

static struct cn_bytes keep(struct signal *signal, int index, const uint8_t *data, size_t size)
{
    signal->memory[index] = malloc(size + 1);
    if (size > 0)
        memcpy(signal->memory[index], data, size);
    return (struct cn_bytes){signal->memory[index], size};
}

static struct cn_term keep_term(struct signal *signal, int index, struct cn_term term)
{
    struct cn_bytes bytes = keep(signal, index, term.data, term.size);

    return (struct cn_term){bytes.data, bytes.size};
}

static struct signal *signal_new(const struct control *control, struct cn_term message)
{
    struct signal *signal = calloc(1, sizeof(*signal));
    struct control *copy = &signal->control;

    *copy = *control;
    copy->to_name = keep(signal, 0, copy->to_name.data, copy->to_name.size);
    copy->from_name = keep(signal, 1, copy->from_name.data, copy->from_name.size);
    signal->message = keep_term(signal, 2, message);
    if (copy->op == CONTROL_SPAWN_REQUEST) {
        copy->module = keep(signal, 3, copy->module.data, copy->module.size);
        copy->function = keep(signal, 4, copy->function.data, copy->function.size);
        copy->options = keep_term(signal, 5, copy->options);
    } else if (copy->op == CONTROL_SPAWN_REPLY) {
        copy->result = keep_term(signal, 3, copy->result);
    }
    return signal;
}

static void signal_free(struct signal *signal)
{
    for (size_t i = 0; i < 6; i++)
        free(signal->memory[i]);
    free(signal);
}

static int node_index(const struct world *world, const char *name)
{
    for (int i = 0; i < WORLD_NODES; i++) {
        if (strcmp(world->nodes[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* What tests of spawn requests look at. */
static void note_answer(struct world_node *from, const struct control *control,
                        struct cn_term message)
{
    if (control->op == CONTROL_SPAWN_REPLY)
        (void)snprintf(from->spawn_reply, sizeof(from->spawn_reply), "%u %s", control->flags,
                       show(control->result));
    if (control->op == CONTROL_MONITOR_EXIT)
        (void)snprintf(from->monitor_exit, sizeof(from->monitor_exit), "%s", show(message));
}

static int world_send(void *context, const char *node, const struct control *control,
                      struct cn_term message)
{
    struct world_node *from = context;
    struct world *world = from->world;
    int to = node_index(world, node);

    if (from->send_result != 0)
        return from->send_result;
    if (from->no_alias && control->op == CONTROL_ALIAS_SEND)
        return -ENOTSUP;
    if (to < 0)
        return CN_E_UNKNOWN;
    from->sent[control->op]++;
    note_answer(from, control, message);
    list_append(&world->wires[from - world->nodes][to], &signal_new(control, message)->list);
    return from->busy[to] ? CN_E_BUSY : 0;
}

static int world_send_shared(void *context, const char *node, const struct control *control,
                             struct cn_term start, struct etf_body *body)
{
    struct world_node *from = context;
    struct cn_writer whole;
    int r = 0;

    cn_writer_init(&whole, 0);
    cn_assert(etf_body_join(&whole, start, body) == 0);
    from->shared[control->op] = body;
    r = world_send(context, node, control, cn_writer_term(&whole));
    cn_writer_free(&whole);
    return r;
}

void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    for (int i = 0; i < WORLD_NODES; i++) {
        struct world_node *node = &world->nodes[i];
        struct transport transport = {node, world_send, world_send_shared};

        node->world = world;
        node->creation = (uint32_t)(100 + i);
        (void)snprintf(node->name, sizeof(node->name), "%c@world", 'a' + i);
        for (int k = 0; k < WORLD_NODES; k++)
            list_init(&world->wires[i][k]);
        cn_assert(procs_new(node->name, node->creation, &transport, NULL, &node->procs) == 0);
    }
    world->now_ms = 1000000;
    world_connect(world, 0, 1);
}

static void wire_clear(struct list *wire)
{
    struct list *item = NULL;

    while ((item = list_pop(wire)) != NULL)
        signal_free(container_of(item, struct signal, list));
}

void world_deinit(struct world *world)
{
    for (int i = 0; i < WORLD_NODES; i++)
        world->nodes[i].procs = procs_free(world->nodes[i].procs);
    for (int i = 0; i < WORLD_NODES; i++) {
        for (int k = 0; k < WORLD_NODES; k++)
            wire_clear(&world->wires[i][k]);
    }
}

void world_connect(struct world *world, int a, int b)
{
    world->up[a][b] = true;
    world->up[b][a] = true;
    cn_assert(
        procs_peer_up(world->nodes[a].procs, world->nodes[b].name, world->nodes[b].creation) == 0);
    cn_assert(
        procs_peer_up(world->nodes[b].procs, world->nodes[a].name, world->nodes[a].creation) == 0);
}

void world_cut(struct world *world, int a, int b)
{
    world->up[a][b] = false;
    world->up[b][a] = false;
    wire_clear(&world->wires[a][b]);
    wire_clear(&world->wires[b][a]);
    procs_peer_down(world->nodes[a].procs, world->nodes[b].name);
    procs_peer_down(world->nodes[b].procs, world->nodes[a].name);
}

int world_inject(struct world *world, int from, int to, const struct control *control,
                 struct cn_term message)
{
    return procs_deliver(world->nodes[to].procs, world->nodes[from].name,
                         world->nodes[from].creation, control, message);
}

bool world_deliver_one(struct world *world, int from, int to)
{
    struct list *item = world->up[from][to] ? list_pop(&world->wires[from][to]) : NULL;
    struct signal *signal = NULL;
    int r = 0;

    if (item == NULL)
        return false;
    signal = container_of(item, struct signal, list);
    r = world_inject(world, from, to, &signal->control, signal->message);
    if (r != 0)
        world->refused = r;
    signal_free(signal);
    return true;
}

size_t world_waiting(const struct world *world, int from, int to)
{
    return list_count(&world->wires[from][to]);
}

static bool world_step(struct world *world)
{
    bool moved = false;

    for (int i = 0; i < WORLD_NODES; i++) {
        while (procs_run(world->nodes[i].procs, world->now_ms) <= world->now_ms)
            moved = true;
    }
    for (int i = 0; i < WORLD_NODES; i++) {
        for (int k = 0; k < WORLD_NODES; k++) {
            while (world_deliver_one(world, i, k))
                moved = true;
        }
    }
    return moved;
}

void world_settle(struct world *world)
{
    while (world_step(world))
        ;
}

void world_pass(struct world *world, uint64_t ms)
{
    world->now_ms += ms;
    world_settle(world);
}

struct procs *world_procs(struct world *world, int index)
{
    return world->nodes[index].procs;
}

/* Showing terms. */

struct out {
    char text[1024];
    size_t size;
};

static void out_add(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void out_add(struct out *out, const char *format, ...)
{
    va_list arguments;
    int size = 0;

    va_start(arguments, format);
    size = vsnprintf(out->text + out->size, sizeof(out->text) - out->size, format, arguments);
    va_end(arguments);
    if (size > 0 && out->size + (size_t)size < sizeof(out->text))
        out->size += (size_t)size;
}

static void show_next(struct out *out, struct cn_reader *reader);

static void show_many(struct out *out, struct cn_reader *reader, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            out_add(out, ",");
        show_next(out, reader);
    }
}

static void show_list(struct out *out, struct cn_reader *reader)
{
    uint32_t count = 0;

    cn_assert(cn_read_list(reader, &count));
    out_add(out, "[");
    show_many(out, reader, count);
    if (count > 0 && !cn_read_nil(reader)) {
        reader->failed = false;
        out_add(out, "|");
        show_next(out, reader);
    }
    out_add(out, "]");
}

static void show_map(struct out *out, struct cn_reader *reader)
{
    uint32_t count = 0;

    cn_assert(cn_read_map(reader, &count));
    out_add(out, "#{");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            out_add(out, ",");
        show_next(out, reader);
        out_add(out, "=>");
        show_next(out, reader);
    }
    out_add(out, "}");
}

static void show_identity(struct out *out, struct cn_reader *reader)
{
    struct cn_pid pid;
    struct cn_ref ref;

    if (cn_peek(reader) == CN_TYPE_PID) {
        cn_assert(cn_read_pid(reader, &pid));
        out_add(out, "<%.1s.%u.%u>", pid.node, pid.id, pid.serial);
    } else {
        cn_assert(cn_read_ref(reader, &ref));
        out_add(out, "#Ref<%.1s.%u>", ref.node, ref.words[0]);
    }
}

static void show_plain(struct out *out, struct cn_reader *reader)
{
    struct cn_bytes bytes = {0};
    int64_t number = 0;

    switch (cn_peek(reader)) {
    case CN_TYPE_ATOM:
        cn_assert(cn_read_atom(reader, &bytes));
        out_add(out, "%.*s", (int)bytes.size, bytes.data);
        break;
    case CN_TYPE_INTEGER:
        cn_assert(cn_read_integer(reader, &number));
        out_add(out, "%lld", (long long)number);
        break;
    case CN_TYPE_BINARY:
        cn_assert(cn_read_binary(reader, &bytes));
        out_add(out, "<<%.*s>>", (int)bytes.size, bytes.data);
        break;
    default:
        cn_assert(cn_skip(reader));
        out_add(out, "?");
    }
}

static void show_next(struct out *out, struct cn_reader *reader)
{
    uint32_t arity = 0;

    switch (cn_peek(reader)) {
    case CN_TYPE_TUPLE:
        cn_assert(cn_read_tuple(reader, &arity));
        out_add(out, "{");
        show_many(out, reader, arity);
        out_add(out, "}");
        break;
    case CN_TYPE_LIST:
        show_list(out, reader);
        break;
    case CN_TYPE_MAP:
        show_map(out, reader);
        break;
    case CN_TYPE_PID:
    case CN_TYPE_REF:
        show_identity(out, reader);
        break;
    default:
        show_plain(out, reader);
    }
}

const char *show(struct cn_term term)
{
    static struct out outs[8];
    static size_t next;
    struct out *out = &outs[next++ % 8];
    struct cn_reader reader;

    out->size = 0;
    out->text[0] = '\0';
    cn_reader_init(&reader, term);
    show_next(out, &reader);
    return out->text;
}

/* Small terms. */

static struct cn_writer *small_writer(void)
{
    static struct cn_writer writers[8];
    static size_t next;
    struct cn_writer *writer = &writers[next++ % 8];

    if (writer->data == NULL)
        cn_writer_init(writer, 0);
    cn_writer_reset(writer);
    return writer;
}

struct cn_term atom(const char *text)
{
    struct cn_writer *writer = small_writer();

    cn_write_atom(writer, text);
    cn_assert(cn_writer_error(writer) == 0);
    return cn_writer_term(writer);
}

struct cn_term pid_term(const struct cn_pid *pid)
{
    struct cn_writer *writer = small_writer();

    cn_write_pid(writer, pid);
    cn_assert(cn_writer_error(writer) == 0);
    return cn_writer_term(writer);
}

struct dest to_pid(const struct cn_pid *pid)
{
    return (struct dest){.kind = DEST_PID, .pid = *pid};
}

struct dest to_name(const char *name, const char *node)
{
    return (struct dest){.kind = DEST_NAME, .name = name, .node = node};
}

struct cn_bytes view(const char *text)
{
    return (struct cn_bytes){(const uint8_t *)text, strlen(text)};
}

/* Probes. */

static void probe_message(struct process *self, void *state, struct cn_term message)
{
    struct probe *probe = state;

    cn_assert(probe->count < 64);
    probe->log[probe->count++] = strdup(show(message));
    if (probe->on_message != NULL)
        probe->on_message(self, probe, message);
}

static void probe_timer(struct process *self, void *state, uint64_t timer)
{
    struct probe *probe = state;

    cn_assert(probe->timer_count < 16);
    probe->timers[probe->timer_count++] = timer;
}

static void probe_ended(struct process *self, void *state, struct cn_term reason)
{
    struct probe *probe = state;

    (void)snprintf(probe->ended, sizeof(probe->ended), "%s", show(reason));
    if (probe->on_ended != NULL)
        probe->on_ended(self, probe);
}

const struct process_behaviour probe_behaviour = {
    .module = "probe",
    .message = probe_message,
    .timer = probe_timer,
    .ended = probe_ended,
};

struct process *probe_start(struct procs *procs, struct probe *probe)
{
    struct process *process = NULL;

    memset(probe, 0, sizeof(*probe));
    cn_assert(process_start(procs, &probe_behaviour, probe, &process) == 0);
    return process;
}

void probe_deinit(struct probe *probe)
{
    for (size_t i = 0; i < probe->count; i++)
        free(probe->log[i]);
    probe->count = 0;
}

int run_tests(const char *name, void (*add)(TCase *tcase), void (*setup)(void),
              void (*teardown)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    add(tcase);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
