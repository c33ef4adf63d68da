/*
 * The names that processes of this node have: by name, by process, and in the order of their coming
 * for the audits that go through them.
 *
 * Names are compared by their bytes: a name that comes back from a BEAM in another encoding would
 * be another name, but all peers encode atoms, integers, binaries and tuples alike.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "registry/global_internal.h"

struct held_name *names_find(struct global *global, struct cn_term name)
{
    struct held_name *held = NULL;

    map_find(global->names, name.data, name.size, held);
    return held;
}

struct cn_term names_term(const struct held_name *held)
{
    return (struct cn_term){held->bytes, held->size};
}

static struct owner *owner_find(struct global *global, const struct cn_pid *pid)
{
    uint32_t key[2] = {pid->id, pid->serial};
    struct owner *owner = NULL;

    map_find(global->owners, key, sizeof(key), owner);
    return owner;
}

static void owner_put(struct global *global, struct owner *owner)
{
    if (!list_empty(&owner->names))
        return;
    if (global->server != NULL)
        process_demonitor(gen_server_process(global->server), &owner->ref, true);
    map_remove(global->owners, owner);
    mem_free(owner);
}

/* Find or make, with a monitor. Errors: NULL without memory. */
static struct owner *owner_get(struct global *global, const struct cn_pid *pid)
{
    struct owner *owner = owner_find(global, pid);
    struct dest dest = {.kind = DEST_PID, .pid = *pid};

    if (owner != NULL)
        return owner;
    owner = mem_zalloc(sizeof(*owner));
    if (owner == NULL)
        return NULL;
    owner->pid = *pid;
    owner->key[0] = pid->id;
    owner->key[1] = pid->serial;
    list_init(&owner->names);
    if (process_monitor(gen_server_process(global->server), &dest, &owner->ref) != 0) {
        mem_free(owner);
        return NULL;
    }
    if (!map_add(global->owners, owner->key, sizeof(owner->key), owner)) {
        process_demonitor(gen_server_process(global->server), &owner->ref, true);
        mem_free(owner);
        return NULL;
    }
    return owner;
}

static struct held_name *held_new(struct global *global, struct cn_term name)
{
    struct held_name *held = mem_zalloc(sizeof(*held) + name.size);

    if (held == NULL)
        return NULL;
    held->size = name.size;
    memcpy(held->bytes, name.data, name.size);
    list_init(&held->in_owner);
    list_init(&held->place.list);
    if (!map_add(global->names, held->bytes, held->size, held)) {
        mem_free(held);
        return NULL;
    }
    return held;
}

static void give_to(struct global *global, struct held_name *held, struct owner *owner)
{
    struct owner *before = held->owner;

    list_remove(&held->in_owner);
    held->owner = owner;
    list_append(&owner->names, &held->in_owner);
    if (before != NULL && before != owner)
        owner_put(global, before);
}

int names_hold(struct global *global, struct cn_term name, const struct cn_pid *pid,
               enum global_method method)
{
    struct held_name *held = names_find(global, name);
    struct owner *owner = owner_get(global, pid);

    if (owner == NULL)
        return -ENOMEM;
    if (held == NULL) {
        held = held_new(global, name);
        if (held == NULL) {
            owner_put(global, owner);
            return -ENOMEM;
        }
        list_append(&global->all, &held->place.list);
    }
    held->method = method;
    give_to(global, held, owner);
    return 0;
}

static void held_free(struct global *global, struct held_name *held)
{
    map_remove(global->names, held);
    list_remove(&held->in_owner);
    list_remove(&held->place.list);
    mem_free(held);
}

void names_release(struct global *global, struct held_name *held)
{
    struct owner *owner = held->owner;

    held_free(global, held);
    owner_put(global, owner);
}

void names_owner_down(struct global *global, const struct cn_pid *pid)
{
    struct owner *owner = owner_find(global, pid);
    struct list *item = NULL;

    if (owner == NULL || !cn_pid_equal(&owner->pid, pid))
        return;
    while ((item = list_first(&owner->names)) != NULL)
        held_free(global, container_of(item, struct held_name, in_owner));
    owner_put(global, owner);
}

void names_free_all(struct global *global)
{
    struct owner *owner = NULL;
    struct owner *next = NULL;

    map_for_each(global->owners, owner, next) names_owner_down(global, &owner->pid);
}
