/*
 * The model of links and monitors: see model.h. Orders within one step do not matter to what it
 * tells, since the dead are not asked what they got.
 */
#include "model.h"

#include <string.h>

void model_init(struct model *model)
{
    memset(model, 0, sizeof(*model));
    for (int i = 0; i < MODEL_NAMES; i++)
        model->name_owner[i] = NOBODY;
    for (int i = 0; i < MODEL_PEERS; i++)
        model->quiet[i] = NOBODY;
}

void model_start(struct model *model, int index)
{
    memset(&model->own[index], 0, sizeof(model->own[index]));
    model->own[index].alive = true;
}

static bool is_own(struct model_pid pid, int index)
{
    return pid.peer == NOBODY && pid.index == index;
}

static void told(struct model *model, int peer, enum control_op op)
{
    if (model->up[peer])
        model->sent[peer][op]++;
}

static void end_names(struct model *model, int index)
{
    for (int i = 0; i < MODEL_NAMES; i++) {
        if (model->name_owner[i] == index)
            model->name_owner[i] = NOBODY;
    }
}

static void end_links(struct model *model, int index, enum model_reason reason)
{
    struct model_process *process = &model->own[index];

    for (int i = 0; i < MODEL_OWN; i++) {
        bool linked = process->linked[i];

        process->linked[i] = false;
        model->own[i].linked[index] = false;
        if (linked)
            model_signal(model, i, reason, false, true);
    }
    for (int peer = 0; peer < MODEL_PEERS; peer++) {
        for (int i = 0; i < MODEL_FOREIGN; i++) {
            if (process->links[peer][i] == MODEL_LINKED)
                told(model, peer, CONTROL_EXIT);
            process->links[peer][i] = MODEL_UNLINKED;
        }
    }
}

static void end_monitors(struct model *model, int index)
{
    for (int i = 0; i < MODEL_MONITORS; i++) {
        if (model->monitors[i].used && is_own(model->monitors[i].watcher, index))
            model_unwatch(model, i);
    }
    for (int i = 0; i < MODEL_MONITORS; i++) {
        if (model->monitors[i].used && is_own(model->monitors[i].target, index))
            model_fire(model, i);
    }
}

void model_end(struct model *model, int index, enum model_reason reason)
{
    if (!model->own[index].alive)
        return;
    model->own[index].alive = false;
    end_names(model, index);
    end_links(model, index, reason);
    end_monitors(model, index);
}

void model_signal(struct model *model, int index, enum model_reason reason, bool own, bool by_link)
{
    struct model_process *process = &model->own[index];

    if (!process->alive)
        return;
    if (reason == MODEL_KILL && !by_link)
        model_end(model, index, MODEL_BROKEN); /* killed */
    else if (process->traps)
        process->exits++;
    else if (reason != MODEL_NORMAL || (own && !by_link))
        model_end(model, index, reason);
}

static void link_own(struct model *model, int index, int to)
{
    if (index == to)
        return;
    if (!model->own[to].alive) {
        model_signal(model, index, MODEL_BROKEN, false, true);
        return;
    }
    model->own[index].linked[to] = true;
    model->own[to].linked[index] = true;
}

void model_link(struct model *model, int index, struct model_pid to, bool stale)
{
    enum model_link *link = NULL;

    if (to.peer == NOBODY) {
        link_own(model, index, to.index);
        return;
    }
    if (stale || !model->up[to.peer]) {
        model_signal(model, index, MODEL_BROKEN, false, true);
        return;
    }
    link = &model->own[index].links[to.peer][to.index];
    if (*link != MODEL_LINKED)
        told(model, to.peer, CONTROL_LINK);
    *link = MODEL_LINKED;
}

void model_unlink(struct model *model, int index, struct model_pid to, uint64_t unlink_id)
{
    struct model_process *process = &model->own[index];

    if (to.peer == NOBODY) {
        process->linked[to.index] = false;
        model->own[to.index].linked[index] = false;
    } else if (process->links[to.peer][to.index] == MODEL_LINKED) {
        told(model, to.peer, CONTROL_UNLINK);
        process->links[to.peer][to.index] = MODEL_UNLINKING;
        process->unlink_id[to.peer][to.index] = unlink_id;
    }
}

void model_watch(struct model *model, int slot, int index, struct model_pid target, bool absent)
{
    struct model_monitor *monitor = &model->monitors[slot];

    monitor->watcher = (struct model_pid){NOBODY, index};
    monitor->target = target;
    if (absent || (target.peer != NOBODY && !model->up[target.peer])) {
        model->own[index].downs++;
        return;
    }
    monitor->used = true;
    if (target.peer != NOBODY)
        told(model, target.peer, CONTROL_MONITOR);
}

void model_unwatch(struct model *model, int slot)
{
    struct model_monitor *monitor = &model->monitors[slot];

    if (monitor->used && monitor->target.peer != NOBODY)
        told(model, monitor->target.peer, CONTROL_DEMONITOR);
    monitor->used = false;
}

void model_fire(struct model *model, int slot)
{
    struct model_monitor *monitor = &model->monitors[slot];

    monitor->used = false;
    if (monitor->watcher.peer != NOBODY)
        told(model, monitor->watcher.peer, CONTROL_MONITOR_EXIT);
    else if (model->own[monitor->watcher.index].alive)
        model->own[monitor->watcher.index].downs++;
}

void model_peer_down(struct model *model, int peer)
{
    unsigned signals[MODEL_OWN] = {0};

    model->up[peer] = false;
    for (int i = 0; i < MODEL_OWN; i++) {
        for (int k = 0; k < MODEL_FOREIGN; k++) {
            if (model->own[i].links[peer][k] == MODEL_LINKED && k != model->quiet[peer])
                signals[i]++;
            model->own[i].links[peer][k] = MODEL_UNLINKED;
        }
    }
    for (int i = 0; i < MODEL_MONITORS; i++) {
        struct model_monitor *monitor = &model->monitors[i];

        if (monitor->used && monitor->watcher.peer == peer)
            monitor->used = false;
        else if (monitor->used && monitor->target.peer == peer)
            model_fire(model, i);
    }
    model->quiet[peer] = NOBODY;
    for (int i = 0; i < MODEL_OWN; i++) {
        for (; signals[i] > 0; signals[i]--)
            model_signal(model, i, MODEL_BROKEN, false, true);
    }
}

size_t model_watchers(const struct model *model, int index)
{
    size_t count = 0;

    for (int i = 0; i < MODEL_MONITORS; i++)
        count += model->monitors[i].used && is_own(model->monitors[i].target, index);
    return count;
}

int model_free_slot(const struct model *model)
{
    for (int i = 0; i < MODEL_MONITORS; i++) {
        if (!model->monitors[i].used)
            return i;
    }
    return NOBODY;
}

void model_peer_links(struct model *model, struct model_pid from, int index)
{
    enum model_link *link = &model->own[index].links[from.peer][from.index];

    if (!model->own[index].alive)
        told(model, from.peer, CONTROL_EXIT);
    else if (*link == MODEL_UNLINKED)
        *link = MODEL_LINKED;
}

void model_peer_unlinks(struct model *model, struct model_pid from, int index, uint64_t unlink_id)
{
    enum model_link *link = &model->own[index].links[from.peer][from.index];

    if (unlink_id != 0)
        told(model, from.peer, CONTROL_UNLINK_ACK);
    if (*link == MODEL_LINKED)
        *link = MODEL_UNLINKED;
}

void model_peer_acknowledges(struct model *model, struct model_pid from, int index,
                             uint64_t unlink_id)
{
    struct model_process *process = &model->own[index];
    enum model_link *link = &process->links[from.peer][from.index];

    if (*link == MODEL_UNLINKING && process->unlink_id[from.peer][from.index] == unlink_id)
        *link = MODEL_UNLINKED;
}

void model_peer_breaks(struct model *model, struct model_pid from, int index,
                       enum model_reason reason)
{
    enum model_link *link = &model->own[index].links[from.peer][from.index];
    bool felt = *link == MODEL_LINKED && from.index != model->quiet[from.peer];

    *link = MODEL_UNLINKED;
    if (felt)
        model_signal(model, index, reason, false, true);
}
