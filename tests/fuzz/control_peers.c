/*
 * Steps of peers: they come, go, and send control messages about processes of ours that live or
 * have ended. A message that breaks a rule must be refused, and ends the connection, as it does in
 * the network.
 */
#include <string.h>

#include "control_world.h"

#include "base/assert.h"
#include "base/error.h"

static void peer_down(int peer)
{
    procs_peer_down(world.procs, peer_names[peer]);
    model_peer_down(&world.model, peer);
}

/* Come, come back as a new incarnation, or go. */
static void step_peer(int peer, uint8_t how)
{
    if (how % 3 == 0) {
        peer_down(peer);
        return;
    }
    if (how % 3 == 1 && world.model.up[peer]) {
        world.creation[peer]++;
        model_peer_down(&world.model, peer); /* the real one is not told that it went */
    } else if (how % 3 == 1) {
        world.creation[peer]++;
    }
    world.model.up[peer] = true;
    cn_assert(procs_peer_up(world.procs, peer_names[peer], world.creation[peer]) == 0);
}

/* A signal of the peer, as the network hands it over. A broken rule ends the connection. */
static int deliver(int peer, const struct control *control, const char *message)
{
    struct cn_writer writer;
    int r;

    write_atom_term(&writer, message);
    if (control->op <= CONTROL_ALIAS_SEND) {
        cn_writer_reset(&writer);
        cn_write_tuple(&writer, 1);
        cn_write_atom(&writer, message);
    }
    r = procs_deliver(world.procs, peer_names[peer], world.creation[peer], control,
                      cn_writer_term(&writer));
    cn_writer_free(&writer);
    return r;
}

static void step_links(struct model_pid from, int index, uint8_t kind, uint8_t how)
{
    static const enum control_op ops[] = {CONTROL_LINK, CONTROL_UNLINK, CONTROL_UNLINK_ACK,
                                          CONTROL_EXIT, CONTROL_EXIT2};
    struct model *model = &world.model;
    uint64_t right = model->own[index].unlink_id[from.peer][from.index];
    struct control control = {.op = ops[kind % 5],
                              .has_from = true,
                              .from = real_pid(from, false),
                              .to = world.own[index].pid,
                              .id = how % 4 == 0 ? right : how / 4};

    cn_assert(deliver(from.peer, &control, reason_names[how % 3]) == 0);
    switch (control.op) {
    case CONTROL_LINK:
        model_peer_links(model, from, index);
        break;
    case CONTROL_UNLINK:
        model_peer_unlinks(model, from, index, control.id);
        break;
    case CONTROL_UNLINK_ACK:
        model_peer_acknowledges(model, from, index, control.id);
        break;
    case CONTROL_EXIT:
        model_peer_breaks(model, from, index, (enum model_reason)(how % 3));
        break;
    default:
        model_signal(model, index, (enum model_reason)(how % 3), false, false);
    }
}

/* The slot of the peer's monitor with reference @number; NOBODY when it has none. */
static int peer_monitor(int peer, uint32_t number)
{
    for (int i = 0; i < MODEL_MONITORS; i++) {
        const struct model_monitor *monitor = &world.model.monitors[i];

        if (monitor->used && monitor->watcher.peer == peer && monitor->ref.words[0] == number)
            return i;
    }
    return NOBODY;
}

static void step_peer_watches(struct model_pid from, int index, uint8_t how)
{
    struct model *model = &world.model;
    bool by_name = how / 8 % 2 != 0;
    int name = how / 16 % MODEL_NAMES;
    int slot = model_free_slot(model);
    struct control control = {.op = CONTROL_MONITOR,
                              .has_from = true,
                              .from = real_pid(from, false),
                              .to = world.own[index].pid,
                              .ref = {.words = {how % 8}, .count = 3}};
    int target = by_name ? model->name_owner[name] : index;
    bool absent = target == NOBODY || !model->own[target].alive;
    bool again = peer_monitor(from.peer, how % 8) != NOBODY;

    if (slot == NOBODY)
        return;
    if (by_name)
        control.to_name = (struct cn_bytes){(const uint8_t *)own_names[name],
                                            strlen(own_names[name])};
    control.ref.creation = world.creation[from.peer];
    memcpy(control.ref.node, control.from.node, sizeof(control.ref.node));
    cn_assert(deliver(from.peer, &control, "x") == (again && !absent ? CN_E_INVALID : 0));
    if (absent) {
        model->sent[from.peer][CONTROL_MONITOR_EXIT]++;
    } else if (again) {
        peer_down(from.peer);
    } else {
        model->monitors[slot] = (struct model_monitor){
            .used = true, .watcher = from, .target = {NOBODY, target}, .ref = control.ref};
    }
}

static void step_peer_unwatches(struct model_pid from, uint8_t how)
{
    int slot = peer_monitor(from.peer, how % 8);
    struct control control = {.op = CONTROL_DEMONITOR,
                              .has_from = true,
                              .from = real_pid(from, false),
                              .ref = {.words = {how % 8}, .count = 3}};

    control.ref.creation = world.creation[from.peer];
    memcpy(control.ref.node, control.from.node, sizeof(control.ref.node));
    cn_assert(deliver(from.peer, &control, "x") == 0);
    if (slot != NOBODY)
        world.model.monitors[slot].used = false;
}

/* The peer says that what we watch has ended, or sends to the alias, whoever has made it. */
static void step_answers(struct model_pid from, uint8_t how)
{
    int slot = how / 2 % MODEL_MONITORS;
    struct model_monitor *monitor = &world.model.monitors[slot];
    struct control control = {.op = how % 2 == 0 ? CONTROL_MONITOR_EXIT : CONTROL_ALIAS_SEND,
                              .has_from = true,
                              .from = real_pid(from, false),
                              .ref = monitor->ref};
    bool own = monitor->used && monitor->watcher.peer == NOBODY;

    if (monitor->ref.count == 0)
        return;
    if (own)
        control.to = world.own[monitor->watcher.index].pid;
    cn_assert(deliver(from.peer, &control, "answer") == 0);
    if (own && how % 2 != 0 && monitor->alias)
        world.model.own[monitor->watcher.index].others++;
    else if (own && how % 2 == 0 && monitor->target.peer == from.peer)
        model_fire(&world.model, slot);
}

/* A peer speaks for a process that is not its own, or of another incarnation. */
static void step_lies(struct model_pid from, int index, uint8_t how)
{
    static const enum control_op ops[] = {CONTROL_LINK,  CONTROL_UNLINK,      CONTROL_EXIT,
                                          CONTROL_EXIT2, CONTROL_MONITOR,     CONTROL_DEMONITOR,
                                          CONTROL_SEND,  CONTROL_MONITOR_EXIT};
    struct control control = {.op = ops[how % 8],
                              .has_from = true,
                              .from = real_pid(from, how / 8 % 2 == 0),
                              .to = world.own[index].pid,
                              .id = 1};

    if (how / 8 % 2 != 0)
        control.from = real_pid((struct model_pid){1 - from.peer, from.index}, false);
    cn_assert(deliver(from.peer, &control, "broken") == CN_E_INVALID);
    peer_down(from.peer);
}

static void step_message(struct model_pid from, int index, uint8_t how)
{
    int name = how / 2 % MODEL_NAMES;
    struct control control = {.op = how % 2 == 0 ? CONTROL_SEND : CONTROL_REG_SEND,
                              .has_from = true,
                              .from = real_pid(from, false),
                              .to = world.own[index].pid};
    int target = how % 2 == 0 ? index : world.model.name_owner[name];

    control.to_name = (struct cn_bytes){(const uint8_t *)own_names[name], strlen(own_names[name])};
    cn_assert(deliver(from.peer, &control, "hello") == 0);
    if (target != NOBODY && world.model.own[target].alive)
        world.model.own[target].others++;
}

void peer_step(uint8_t kind, struct input *input)
{
    uint8_t who = input_u8(input);
    struct model_pid from = {who % MODEL_PEERS, who / MODEL_PEERS % MODEL_FOREIGN};
    int index = who / (MODEL_PEERS * MODEL_FOREIGN) % MODEL_OWN;
    uint8_t how = input_u8(input);

    if (!world.model.up[from.peer]) {
        step_peer(from.peer, how);
        return;
    }
    switch (kind % 12) {
    case 0:
        step_peer(from.peer, how);
        break;
    case 1:
        step_peer_watches(from, index, how);
        break;
    case 2:
        step_peer_unwatches(from, how);
        break;
    case 3:
        step_answers(from, how);
        break;
    case 4:
        step_lies(from, index, how);
        break;
    case 5:
        step_message(from, index, how);
        break;
    case 6: {
        struct cn_pid partner = real_pid(from, false);

        cn_assert(procs_quiet_partner(world.procs, &partner) == 0);
        world.model.quiet[from.peer] = from.index;
        break;
    }
    default:
        step_links(from, index, kind % 12 - 7, how);
    }
}
