/*
 * Steps of our own processes: each is taken by the real one and by the model. A process that has
 * ended has no other step than to start anew; pids of the dead are linked to and watched too.
 */
#include "control_world.h"

#include "base/assert.h"
#include "base/error.h"

/* A process of any node; the top bit makes it one of a peer's incarnation before. */
static struct model_pid pid_of(uint8_t byte, bool *ret_stale)
{
    int index = (byte & 0x7f) % (MODEL_OWN + MODEL_PEERS * MODEL_FOREIGN);
    bool own = index < MODEL_OWN;

    *ret_stale = !own && (byte & 0x80) != 0;
    if (own)
        return (struct model_pid){NOBODY, index};
    index -= MODEL_OWN;
    return (struct model_pid){index / MODEL_FOREIGN, index % MODEL_FOREIGN};
}

static struct process *real_own(int index)
{
    return world.model.own[index].alive ? procs_find(world.procs, &world.own[index].pid) : NULL;
}

/* Steps of our own processes. Those of the dead are skipped. */

static void step_start(int index)
{
    struct process *process = NULL;

    if (world.model.own[index].alive)
        return;
    world.own[index] = (struct actual){0};
    cn_assert(process_start(world.procs, &control_behaviour, &world.own[index], &process) == 0);
    world.own[index].pid = *process_pid(process);
    model_start(&world.model, index);
}

static void step_end(struct process *self, int index, uint8_t how)
{
    process_exit_atom(self, reason_names[how % 3]);
    model_end(&world.model, index, (enum model_reason)(how % 3));
}

static void step_exit_signal(struct process *self, int index, struct model_pid to, uint8_t how)
{
    struct cn_pid pid = real_pid(to, false);
    struct cn_writer reason;

    write_atom_term(&reason, reason_names[how % 3]);
    (void)procs_exit_signal(world.procs, self, &pid, cn_writer_term(&reason));
    cn_writer_free(&reason);
    if (to.peer != NOBODY)
        world.model.sent[to.peer][CONTROL_EXIT2] += world.model.up[to.peer];
    else
        model_signal(&world.model, to.index, (enum model_reason)(how % 3), to.index == index,
                     false);
}

static void step_link(struct process *self, int index, struct model_pid to, bool stale)
{
    struct cn_pid pid = real_pid(to, stale);

    cn_assert(process_link(self, &pid) == 0);
    model_link(&world.model, index, to, stale);
}

static void step_unlink(struct process *self, int index, struct model_pid to, bool stale)
{
    struct cn_pid pid = real_pid(to, stale);

    process_unlink(self, &pid);
    if (!stale)
        model_unlink(&world.model, index, to, world.unlink_id);
}

static void step_watch(struct process *self, int index, struct model_pid to, bool stale,
                       uint8_t how)
{
    struct model *model = &world.model;
    int name = how / 2 % (2 * MODEL_NAMES) - MODEL_NAMES; /* by name in half of all cases */
    int slot = model_free_slot(model);
    bool absent = stale;
    struct dest dest = {.kind = name < 0 ? DEST_PID : DEST_NAME, .pid = real_pid(to, stale)};
    struct cn_ref ref;

    if (slot == NOBODY)
        return;
    if (name >= 0) {
        dest.name = own_names[name];
        dest.node = to.peer == NOBODY ? NULL : peer_names[to.peer];
        absent = false;
        if (to.peer == NOBODY)
            to.index = model->name_owner[name];
    }
    if (to.peer == NOBODY)
        absent = to.index == NOBODY || !model->own[to.index].alive;
    if (how % 2 == 0)
        cn_assert(process_monitor(self, &dest, &ref) == 0);
    else
        cn_assert(process_monitor_alias(self, &dest, &ref) == 0);
    model->monitors[slot].ref = ref;
    model->monitors[slot].alias = how % 2 != 0;
    model_watch(model, slot, index, to, absent);
}

static void step_unwatch(struct process *self, int index, uint8_t slot)
{
    struct model_monitor *monitor = &world.model.monitors[slot % MODEL_MONITORS];
    bool own = monitor->watcher.peer == NOBODY;

    if (!own || monitor->ref.count == 0)
        return;
    process_demonitor(self, &monitor->ref, false);
    if (monitor->watcher.index == index)
        model_unwatch(&world.model, slot % MODEL_MONITORS);
}

static void step_name(struct process *self, int index, uint8_t how)
{
    int *owner = &world.model.name_owner[how % MODEL_NAMES];
    const char *name = own_names[how % MODEL_NAMES];

    if (how / MODEL_NAMES % 2 == 0) {
        cn_assert(process_register(self, name) == (*owner == NOBODY ? 0 : CN_E_TAKEN));
        if (*owner == NOBODY)
            *owner = index;
    } else {
        process_unregister(self, name);
        if (*owner == index)
            *owner = NOBODY;
    }
}

void own_step(uint8_t kind, struct input *input)
{
    int index = input_u8(input) % MODEL_OWN;
    struct process *self = real_own(index);
    bool stale = false;
    uint8_t byte = input_u8(input);
    struct model_pid to = pid_of(byte, &stale);

    if (self == NULL) {
        step_start(index);
        return;
    }
    switch (kind % 8) {
    case 0:
        process_trap_exit(self, byte % 2 != 0);
        world.model.own[index].traps = byte % 2 != 0;
        break;
    case 1:
        step_end(self, index, byte);
        break;
    case 2:
        step_exit_signal(self, index, to, input_u8(input));
        break;
    case 3:
        step_link(self, index, to, stale);
        break;
    case 4:
        step_unlink(self, index, to, stale);
        break;
    case 5:
        step_watch(self, index, to, stale, input_u8(input));
        break;
    case 6:
        step_unwatch(self, index, byte);
        break;
    default:
        step_name(self, index, byte);
    }
}
