/*
 * Processes of this node and two peers that say what they like, with a model beside them.
 *
 * Each step is a byte that names it and the bytes that it needs: our processes start, end, link,
 * watch, take names; peers come, go, and send control messages, right ones and liars'. After each
 * step everything runs until nothing moves, and must then be as the model says: who lives, links,
 * watchers, names, how many signals each peer was sent, how many messages each process got.
 */
#include <stdio.h>
#include <string.h>

#include "control_world.h"

#include "base/assert.h"
#include "base/error.h"

#define STEPS_MAX 400
#define OUR_NAME  "us@fuzz"
#define CREATION  7

struct world world;

const char *const peer_names[MODEL_PEERS] = {"p@fuzz", "q@fuzz"};
const char *const own_names[MODEL_NAMES] = {"first", "second"};
const char *const reason_names[3] = {"normal", "broken", "kill"};

static int on_send(void *context, const char *node, const struct control *control,
                   struct cn_term message)
{
    int peer = strcmp(node, peer_names[0]) == 0 ? 0 : 1;

    cn_assert(strcmp(node, peer_names[peer]) == 0);
    if (!world.model.up[peer])
        return CN_E_UNKNOWN;
    world.sent[peer][control->op]++;
    if (control->op == CONTROL_UNLINK)
        world.unlink_id = control->id;
    return 0;
}

static void on_message(struct process *self, void *state, struct cn_term message)
{
    struct actual *actual = state;
    struct cn_reader reader;
    struct cn_bytes tag = {0};
    uint32_t arity = 0;

    cn_reader_init(&reader, message);
    cn_assert(cn_read_tuple(&reader, &arity) && cn_read_atom(&reader, &tag));
    if (cn_bytes_equal(tag, "DOWN"))
        actual->downs++;
    else if (cn_bytes_equal(tag, "EXIT"))
        actual->exits++;
    else
        actual->others++;
}

const struct process_behaviour control_behaviour = {.module = "fuzz", .message = on_message};

struct cn_pid real_pid(struct model_pid pid, bool stale)
{
    struct cn_pid real = {.id = 100 + (uint32_t)pid.index, .serial = 1};

    if (pid.peer == NOBODY)
        return world.own[pid.index].pid;
    real.creation = world.creation[pid.peer] - (stale ? 1 : 0);
    (void)snprintf(real.node, sizeof(real.node), "%s", peer_names[pid.peer]);
    return real;
}

void write_atom_term(struct cn_writer *writer, const char *text)
{
    cn_writer_init(writer, 0);
    cn_write_atom(writer, text);
    cn_assert(cn_writer_error(writer) == 0);
}

/* Comparing. */

/* Take the link with @other out of the copy of a model's process. */
static void strike_link(void *context, const struct cn_pid *other)
{
    struct model_process *left = context;

    for (int i = 0; i < MODEL_OWN; i++) {
        if (left->linked[i] && cn_pid_equal(other, &world.own[i].pid)) {
            left->linked[i] = false;
            return;
        }
    }
    for (int peer = 0; peer < MODEL_PEERS; peer++) {
        for (int i = 0; i < MODEL_FOREIGN; i++) {
            struct cn_pid pid = real_pid((struct model_pid){peer, i}, false);

            if (left->links[peer][i] == MODEL_LINKED && cn_pid_equal(other, &pid)) {
                left->links[peer][i] = MODEL_UNLINKED;
                return;
            }
        }
    }
    cn_unreachable(); /* a link that the model does not know */
}

static void check_links(const struct process *process, int index)
{
    struct model_process left = world.model.own[index];

    process_each_link(process, strike_link, &left);
    for (int i = 0; i < MODEL_OWN; i++)
        cn_assert(!left.linked[i]);
    for (int peer = 0; peer < MODEL_PEERS; peer++) {
        for (int i = 0; i < MODEL_FOREIGN; i++)
            cn_assert(left.links[peer][i] != MODEL_LINKED);
    }
}

static void check_process(int index)
{
    const struct model_process *expected = &world.model.own[index];
    const struct actual *actual = &world.own[index];
    struct process *process = procs_find(world.procs, &actual->pid);

    cn_assert((process != NULL) == expected->alive);
    if (process == NULL)
        return;
    cn_assert(actual->downs == expected->downs);
    cn_assert(actual->exits == expected->exits);
    cn_assert(actual->others == expected->others);
    cn_assert(process_watchers(process, NULL) == model_watchers(&world.model, index));
    check_links(process, index);
}

static void check_all(void)
{
    size_t alive = 0;

    while (procs_run(world.procs, 1) == 0)
        ;
    for (int i = 0; i < MODEL_OWN; i++) {
        check_process(i);
        alive += world.model.own[i].alive;
    }
    cn_assert(procs_count(world.procs) == alive);
    for (int i = 0; i < MODEL_NAMES; i++) {
        int owner = world.model.name_owner[i];
        struct cn_bytes name = {(const uint8_t *)own_names[i], strlen(own_names[i])};
        struct process *process = procs_whereis(world.procs, name);

        cn_assert((process != NULL) == (owner != NOBODY));
        cn_assert(process == NULL || cn_pid_equal(process_pid(process), &world.own[owner].pid));
    }
    for (int peer = 0; peer < MODEL_PEERS; peer++) {
        for (int op = 0; op < MODEL_OPS; op++)
            cn_assert(world.sent[peer][op] == world.model.sent[peer][op]);
    }
}

/* Nobody lives; places that were never taken have pids that nobody had. */
static void begin(void)
{
    struct transport transport = {NULL, on_send};

    memset(&world, 0, sizeof(world));
    model_init(&world.model);
    for (int i = 0; i < MODEL_PEERS; i++)
        world.creation[i] = 10;
    for (int i = 0; i < MODEL_OWN; i++)
        world.own[i].pid = (struct cn_pid){1000 + (uint32_t)i, 0, CREATION, OUR_NAME};
    cn_assert(procs_new(OUR_NAME, CREATION, &transport, NULL, &world.procs) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    begin();
    for (int i = 0; i < STEPS_MAX && input.size > 0; i++) {
        uint8_t kind = input_u8(&input);

        if (kind % 2 == 0)
            own_step(kind / 2, &input);
        else
            peer_step(kind / 2, &input);
        check_all();
    }
    procs_free(world.procs);
    return 0;
}
