/*
 * The table of names, and the pids behind names and locks.
 *
 * A pid is monitored once, however many names and locks it has, and for as long as it has any. A
 * name changes hands in one step: nobody ever sees it missing. Names are compared by their bytes:
 * all peers encode atoms, integers, binaries, lists and tuples alike.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "registry/member_internal.h"

#define NUMBERS_SIZE (3 * sizeof(uint32_t))
#define KEY_MAX      (NUMBERS_SIZE + CN_NODE_NAME_MAX + 1)

static size_t write_key(const struct cn_pid *pid, uint8_t key[KEY_MAX])
{
    uint32_t numbers[3] = {pid->id, pid->serial, pid->creation};
    size_t size = strlen(pid->node) + 1;

    memcpy(key, numbers, NUMBERS_SIZE);
    memcpy(key + NUMBERS_SIZE, pid->node, size);
    return NUMBERS_SIZE + size;
}

static const char *watched_node(const struct watched *watched)
{
    return (const char *)watched->key + NUMBERS_SIZE;
}

struct cn_pid watched_pid(const struct watched *watched)
{
    struct cn_pid pid;
    uint32_t numbers[3];

    memcpy(numbers, watched->key, NUMBERS_SIZE);
    pid.id = numbers[0];
    pid.serial = numbers[1];
    pid.creation = numbers[2];
    memcpy(pid.node, watched_node(watched), strlen(watched_node(watched)) + 1);
    return pid;
}

bool watched_is(const struct watched *watched, const struct cn_pid *pid)
{
    struct cn_pid has = watched_pid(watched);

    return cn_pid_equal(&has, pid);
}

void watched_write(const struct watched *watched, struct cn_writer *writer)
{
    struct cn_pid pid = watched_pid(watched);

    cn_write_pid(writer, &pid);
}

/* The reference of our monitor: of this node, so its words are all that is kept. */
static struct cn_ref watched_ref(const struct member *member, const struct watched *watched)
{
    const struct cn_pid *self = gen_server_pid(member->server);
    struct cn_ref ref = {.count = watched->ref_count, .creation = self->creation};

    memcpy(ref.words, watched->ref_words, sizeof(ref.words));
    memcpy(ref.node, self->node, sizeof(ref.node));
    return ref;
}

static struct watched *watched_find(struct member *member, const struct cn_pid *pid)
{
    uint8_t key[KEY_MAX];
    size_t size = write_key(pid, key);
    struct watched *watched = NULL;

    map_find(member->watched, key, size, watched);
    return watched;
}

static void watched_free(struct member *member, struct watched *watched)
{
    if (member->server != NULL) {
        struct cn_ref ref = watched_ref(member, watched);

        process_demonitor(gen_server_process(member->server), &ref, true);
    }
    mem_free(watched);
}

/* Make one that is not there yet. @key_size bytes of @key, with @hash, find it. */
static struct watched *watched_new(struct member *member, const struct cn_pid *pid,
                                   const uint8_t *key, size_t key_size, unsigned hash)
{
    struct watched *watched = mem_zalloc(sizeof(*watched) + key_size);
    struct dest dest = {.kind = DEST_PID, .pid = *pid};
    struct cn_ref ref;

    if (watched == NULL)
        return NULL;
    memcpy(watched->key, key, key_size);
    list_init(&watched->names);
    list_init(&watched->holders);
    if (process_monitor(gen_server_process(member->server), &dest, &ref) != 0) {
        mem_free(watched);
        return NULL;
    }
    memcpy(watched->ref_words, ref.words, sizeof(ref.words));
    watched->ref_count = ref.count;
    if (!map_add_hashed(member->watched, watched->key, key_size, hash, watched)) {
        watched_free(member, watched);
        return NULL;
    }
    return watched;
}

struct watched *watched_get(struct member *member, const struct cn_pid *pid)
{
    uint8_t key[KEY_MAX];
    size_t size = write_key(pid, key);
    unsigned hash = map_hash(key, size);
    struct watched *watched = NULL;

    map_find_hashed(member->watched, key, size, hash, watched);
    return watched != NULL ? watched : watched_new(member, pid, key, size, hash);
}

void watched_put(struct member *member, struct watched *watched)
{
    if (!list_empty(&watched->names) || !list_empty(&watched->holders))
        return;
    map_remove(member->watched, watched);
    watched_free(member, watched);
}

struct name *roster_find(struct member *member, struct cn_term name)
{
    struct name *found = NULL;

    map_find(member->names, name.data, name.size, found);
    return found;
}

struct cn_term roster_term(const struct name *name)
{
    return (struct cn_term){name->bytes, name->size};
}

struct cn_term roster_method(const struct name *name)
{
    return (struct cn_term){name->bytes + name->size, name->method_size};
}

static struct name *name_free(struct name *name)
{
    if (name != NULL)
        mem_free(name->registered_by);
    mem_free(name);
    return NULL;
}

static struct name *name_new(struct cn_term term, struct cn_term method, const char *registered_by)
{
    struct name *name = mem_zalloc(sizeof(*name) + term.size + method.size);

    if (name == NULL)
        return NULL;
    list_init(&name->in_watched);
    name->size = term.size;
    name->method_size = method.size;
    memcpy(name->bytes, term.data, term.size);
    memcpy(name->bytes + term.size, method.data, method.size);
    if (registered_by != NULL) {
        name->registered_by = mem_dup_text(registered_by);
        if (name->registered_by == NULL)
            return name_free(name);
    }
    return name;
}

int roster_registered_by(struct name *name, const char *node)
{
    char *copy = mem_dup_text(node);

    if (copy == NULL)
        return -ENOMEM;
    mem_free(name->registered_by);
    name->registered_by = copy;
    return 0;
}

void roster_delete(struct member *member, struct name *name)
{
    struct watched *watched = name->watched;

    map_remove(member->names, name);
    list_remove(&name->in_watched);
    name_free(name);
    watched_put(member, watched);
}

/* Take a name that is no longer in the map out of its holder's hands. */
static void release(struct member *member, struct name *name)
{
    list_remove(&name->in_watched);
    watched_put(member, name->watched);
    name_free(name);
}

int roster_insert(struct member *member, struct cn_term name, const struct cn_pid *pid,
                  struct cn_term method, const char *registered_by)
{
    unsigned hash = map_hash(name.data, name.size);
    struct name *before = NULL;
    struct name *entry = name_new(name, method, registered_by);
    struct watched *watched = entry != NULL ? watched_get(member, pid) : NULL;
    bool added;

    map_find_hashed(member->names, name.data, name.size, hash, before);
    if (watched == NULL) {
        name_free(entry);
        return -ENOMEM;
    }
    entry->watched = watched;
    list_append(&watched->names, &entry->in_watched);
    if (before != NULL)
        map_remove(member->names, before);
    added = map_add_hashed(member->names, entry->bytes, entry->size, hash, entry);
    if (before != NULL)
        release(member, before);
    if (!added)
        release(member, entry);
    return added ? 0 : -ENOMEM;
}

void roster_write_names(struct member *member, struct cn_writer *writer)
{
    struct name *name = NULL;
    struct name *next = NULL;

    if (map_count(member->names) > 0)
        cn_write_list(writer, (uint32_t)map_count(member->names));
    map_for_each(member->names, name, next)
    {
        cn_write_tuple(writer, 3);
        cn_write_term(writer, roster_term(name));
        watched_write(name->watched, writer);
        cn_write_term(writer, roster_method(name));
    }
    cn_write_nil(writer);
}

void roster_write_terms(struct member *member, struct cn_writer *writer)
{
    struct name *name = NULL;
    struct name *next = NULL;

    if (map_count(member->names) > 0)
        cn_write_list(writer, (uint32_t)map_count(member->names));
    map_for_each(member->names, name, next) cn_write_term(writer, roster_term(name));
    cn_write_nil(writer);
}

static uint32_t count_external(const struct member *member)
{
    uint32_t count = 0;

    for (const struct name *name = member->names; name != NULL; name = name->hh.next)
        count += name->registered_by != NULL ? 1 : 0;
    return count;
}

void roster_write_external(struct member *member, struct cn_writer *writer)
{
    struct name *name = NULL;
    struct name *next = NULL;

    cn_write_list(writer, count_external(member));
    map_for_each(member->names, name, next)
    {
        if (name->registered_by == NULL)
            continue;
        cn_write_tuple(writer, 3);
        cn_write_term(writer, roster_term(name));
        watched_write(name->watched, writer);
        cn_write_atom(writer, name->registered_by);
    }
    cn_write_nil(writer);
}

/* Drop what a process has that is gone; the last of it takes @watched along. */
static void drop(struct member *member, struct watched *watched)
{
    struct list mark; /* keeps @watched from going with the last of them */

    list_init(&mark);
    list_append(&watched->names, &mark);
    while (!list_empty(&watched->holders))
        locks_holder_down(member, container_of(list_first(&watched->holders), struct lock_holder,
                                               in_watched));
    while (list_first(&watched->names) != &mark)
        roster_delete(member, container_of(list_first(&watched->names), struct name, in_watched));
    list_remove(&mark);
    watched_put(member, watched);
}

void watched_down(struct member *member, const struct cn_pid *pid)
{
    struct watched *watched = watched_find(member, pid);

    if (watched != NULL)
        drop(member, watched);
}

void watched_node_down(struct member *member, const char *node)
{
    struct watched *watched = NULL;
    struct watched *next = NULL;

    map_for_each(member->watched, watched, next)
    {
        if (strcmp(watched_node(watched), node) == 0)
            drop(member, watched);
    }
}

void roster_free_all(struct member *member)
{
    struct watched *watched = NULL;
    struct watched *next = NULL;

    map_for_each(member->watched, watched, next) drop(member, watched);
}
