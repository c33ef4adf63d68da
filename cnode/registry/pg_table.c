/*
 * The table of a scope: who is in which group, and by whose word.
 *
 * A member is one record, found by group, owner and pid in one step, however many are in the group:
 * a storm of joins, and the second sync that each pair of nodes exchanges, cost no more than what
 * they tell. It hangs in its group's list and in its owner's, so that the end of an owner needs
 * no search.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "registry/pg_internal.h"

#define KEY_MAX        (12 + CN_NODE_NAME_MAX)
#define NODE_PEERS_MAX 4
/* One peer may have a half of all that there may be. */
#define PEER_PART 2
/* So often one process may join one group. */
#define TIMES_MAX 10000u

struct pg_group *pg_group_find(struct pg *pg, struct cn_term term)
{
    struct pg_group *group = NULL;

    map_find(pg->groups, term.data, term.size, group);
    return group;
}

struct cn_term pg_group_term(const struct pg_group *group)
{
    return (struct cn_term){group->bytes, group->size};
}

static struct pg_group *group_new(struct pg *pg, struct cn_term term)
{
    struct pg_group *group = mem_zalloc(sizeof(*group) + term.size);

    if (group == NULL)
        return NULL;
    list_init(&group->members);
    list_init(&group->watches);
    list_init(&group->in_local);
    list_init(&group->gathered);
    list_init(&group->in_order);
    group->size = term.size;
    memcpy(group->bytes, term.data, term.size);
    if (!map_add(pg->groups, group->bytes, group->size, group)) {
        mem_free(group);
        return NULL;
    }
    return group;
}

int pg_group_get(struct pg *pg, struct cn_term term, struct pg_group **ret_group)
{
    struct pg_group *group = NULL;

    if (term.size > PG_GROUP_BYTES_MAX)
        return CN_E_LIMIT;
    group = pg_group_find(pg, term);
    if (group == NULL)
        group = group_new(pg, term);
    if (group == NULL)
        return -ENOMEM;
    *ret_group = group;
    return 0;
}

int pg_group_hold(struct pg *pg, struct cn_term term, struct pg_group **ret_group)
{
    int r = pg_group_get(pg, term, ret_group);

    if (r == 0)
        (*ret_group)->held = true;
    return r;
}

void pg_group_let_go(struct pg *pg, struct pg_group *group)
{
    group->held = false;
    pg_group_put(pg, group);
}

void pg_group_put(struct pg *pg, struct pg_group *group)
{
    if (group->held || !list_empty(&group->members) || !list_empty(&group->watches))
        return;
    if (pg->news.group == group)
        pg_watches_tell(pg);
    map_remove(pg->groups, group);
    mem_free(group);
}

/* Owners. */

static size_t write_key(const struct cn_pid *pid, uint8_t key[KEY_MAX])
{
    uint32_t numbers[3] = {pid->id, pid->serial, pid->creation};
    size_t size = strlen(pid->node);

    memcpy(key, numbers, sizeof(numbers));
    memcpy(key + sizeof(numbers), pid->node, size);
    return sizeof(numbers) + size;
}

struct pg_owner *pg_owner_find(struct pg *pg, const struct cn_pid *pid, bool local)
{
    struct pg_owner *owner = NULL;
    uint8_t key[KEY_MAX];
    size_t size = write_key(pid, key);

    if (local)
        map_find(pg->locals, key, size, owner);
    else
        map_find(pg->peers, key, size, owner);
    return owner;
}

static bool has_room(struct pg *pg, const char *node)
{
    const struct pg_owner *owner = NULL;
    const struct pg_owner *next = NULL;
    unsigned there = 0;

    if (map_count(pg->peers) >= pg->config.peers_max)
        return false;
    map_for_each(pg->peers, owner, next) there += strcmp(owner->pid.node, node) == 0 ? 1 : 0;
    return there < NODE_PEERS_MAX;
}

static bool enter(struct pg *pg, struct pg_owner *owner)
{
    if (owner->local)
        return map_add(pg->locals, owner->key, owner->key_size, owner);
    return map_add(pg->peers, owner->key, owner->key_size, owner);
}

static int owner_new(struct pg *pg, const struct cn_pid *pid, bool local,
                     struct pg_owner **ret_owner)
{
    struct dest dest = {.kind = DEST_PID, .pid = *pid};
    struct process *self = gen_server_process(pg->server);
    uint8_t key[KEY_MAX];
    size_t size = write_key(pid, key);
    struct pg_owner *owner = mem_zalloc(sizeof(*owner) + size);
    int r = -ENOMEM;

    if (owner == NULL)
        return r;
    owner->pid = *pid;
    owner->local = local;
    list_init(&owner->members);
    owner->key_size = size;
    memcpy(owner->key, key, size);
    r = process_monitor(self, &dest, &owner->monitor);
    if (r == 0 && !enter(pg, owner)) {
        process_demonitor(self, &owner->monitor, true);
        r = -ENOMEM;
    }
    if (r != 0)
        mem_free(owner);
    else
        *ret_owner = owner;
    return r;
}

int pg_owner_get(struct pg *pg, const struct cn_pid *pid, bool local, struct pg_owner **ret_owner)
{
    struct pg_owner *owner = pg_owner_find(pg, pid, local);

    if (owner != NULL) {
        *ret_owner = owner;
        return 0;
    }
    if (pg->server == NULL)
        return CN_E_CLOSED;
    if (!local && !has_room(pg, pid->node))
        return CN_E_LIMIT;
    return owner_new(pg, pid, local, ret_owner);
}

static void owner_free(struct pg *pg, struct pg_owner *owner)
{
    if (pg->server != NULL)
        process_demonitor(gen_server_process(pg->server), &owner->monitor, true);
    if (owner->local)
        map_remove(pg->locals, owner);
    else
        map_remove(pg->peers, owner);
    mem_free(owner);
}

void pg_owner_put(struct pg *pg, struct pg_owner *owner)
{
    if (owner->local && list_empty(&owner->members))
        owner_free(pg, owner);
}

/* Members. */

void pg_member_pid(const struct pg_member *member, struct cn_pid *ret_pid)
{
    *ret_pid = member->key.owner->pid;
    ret_pid->id = member->key.id;
    ret_pid->serial = member->key.serial;
}

static struct pg_member *find(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                              const struct cn_pid *pid)
{
    struct pg_member_key key = {group, owner, pid->id, pid->serial};
    struct pg_member *member = NULL;

    map_find(pg->members, &key, sizeof(key), member);
    return member;
}

bool pg_is_member(struct pg *pg, struct cn_term term, const struct cn_pid *pid)
{
    struct pg_group *group = pg_group_find(pg, term);
    struct pg_owner *owner = pg_owner_find(pg, pid, true);
    struct pg_owner *next = NULL;

    if (group == NULL)
        return false;
    if (owner != NULL)
        return find(pg, owner, group, pid) != NULL;
    map_for_each(pg->peers, owner, next)
    {
        if (!owner->gone && strcmp(owner->pid.node, pid->node) == 0 &&
            owner->pid.creation == pid->creation && find(pg, owner, group, pid) != NULL)
            return true;
    }
    return false;
}

static bool full(const struct pg *pg, const struct pg_owner *owner, size_t size)
{
    return map_count(pg->members) >= pg->config.members_max ||
           owner->count >= pg->config.members_max / PEER_PART ||
           pg->bytes + size > pg->config.bytes_max ||
           owner->bytes + size > pg->config.bytes_max / PEER_PART;
}

static void count(struct pg *pg, struct pg_member *member, int sign)
{
    struct pg_owner *owner = member->key.owner;
    uint64_t bytes = member->key.group->size;

    owner->count += (size_t)sign;
    owner->bytes += sign > 0 ? bytes : -bytes;
    pg->bytes += sign > 0 ? bytes : -bytes;
}

/* A member that has not joined yet. */
static int member_new(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                      const struct cn_pid *pid, struct pg_member **ret_member)
{
    struct pg_member *member = NULL;

    if (full(pg, owner, group->size))
        return CN_E_LIMIT;
    member = mem_zalloc(sizeof(*member));
    if (member == NULL)
        return -ENOMEM;
    member->key = (struct pg_member_key){group, owner, pid->id, pid->serial};
    if (!map_add(pg->members, &member->key, sizeof(member->key), member)) {
        mem_free(member);
        return -ENOMEM;
    }
    if (!owner->local) {
        list_append(&group->members, &member->in_group);
    } else {
        list_prepend(&group->members, &member->in_group);
        list_remove(&group->in_local);
        list_append(&pg->local_groups, &group->in_local);
    }
    list_append(&owner->members, &member->in_owner);
    count(pg, member, 1);
    *ret_member = member;
    return 0;
}

static int member_get(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                      const struct cn_pid *pid, struct pg_member **ret_member)
{
    *ret_member = find(pg, owner, group, pid);
    return *ret_member != NULL ? 0 : member_new(pg, owner, group, pid, ret_member);
}

/* Tell whether the first member of a group, and so any, is a process of this node. */
static bool has_local(const struct pg_group *group)
{
    const struct list *first = list_first(&group->members);

    return first != NULL && container_of(first, struct pg_member, in_group)->key.owner->local;
}

static void member_free(struct pg *pg, struct pg_member *member)
{
    struct pg_group *group = member->key.group;

    count(pg, member, -1);
    list_remove(&member->in_group);
    if (!has_local(group))
        list_remove(&group->in_local);
    list_remove(&member->in_owner);
    map_remove(pg->members, member);
    mem_free(member);
    pg_group_put(pg, group);
}

/* From now on it has joined so often. */
static void set_times(struct pg *pg, struct pg_member *member, uint32_t times)
{
    if (times > member->times)
        pg_watches_note(pg, member, "join", times - member->times);
    else if (times < member->times)
        pg_watches_note(pg, member, "leave", member->times - times);
    member->times = times;
    if (times == 0)
        member_free(pg, member);
}

int pg_member_add(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                  const struct cn_pid *pid)
{
    struct pg_member *member = NULL;
    int r = member_get(pg, owner, group, pid, &member);

    if (r == 0 && member->times == TIMES_MAX)
        return CN_E_LIMIT;
    if (r == 0)
        set_times(pg, member, member->times + 1);
    return r;
}

bool pg_member_drop(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                    const struct cn_pid *pid)
{
    struct pg_member *member = find(pg, owner, group, pid);

    if (member == NULL)
        return false;
    set_times(pg, member, member->times - 1);
    return true;
}

void pg_sync_begin(struct pg_owner *owner)
{
    list_for_each(link, &owner->members)
        container_of(link, struct pg_member, in_owner)->synced = 0;
}

int pg_sync_see(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                const struct cn_pid *pid)
{
    struct pg_member *member = NULL;
    int r = member_get(pg, owner, group, pid, &member);

    if (r == 0 && member->synced == TIMES_MAX)
        return CN_E_LIMIT;
    if (r == 0)
        member->synced++;
    return r;
}

/* Sort the members of @owner by their groups, so that who watches is told group by group. */
static void gather(struct pg *pg, struct pg_owner *owner)
{
    struct list order;
    struct list *link = NULL;

    if (map_count(pg->watches) == 0)
        return;
    list_init(&order);
    while ((link = list_pop(&owner->members)) != NULL) {
        struct pg_group *group = container_of(link, struct pg_member, in_owner)->key.group;

        if (list_empty(&group->gathered))
            list_append(&order, &group->in_order);
        list_append(&group->gathered, link);
    }
    while ((link = list_pop(&order)) != NULL)
        list_splice(&owner->members, &container_of(link, struct pg_group, in_order)->gathered);
}

void pg_sync_end(struct pg *pg, struct pg_owner *owner)
{
    gather(pg, owner);
    list_for_each_safe(link, &owner->members) {
        struct pg_member *member = container_of(link, struct pg_member, in_owner);

        if (member->synced < member->times)
            set_times(pg, member, member->synced);
    }
    list_for_each_safe(link, &owner->members) {
        struct pg_member *member = container_of(link, struct pg_member, in_owner);

        set_times(pg, member, member->synced);
    }
    pg_watches_tell(pg);
}

/* A process of ours has ended. */
static void tell_end(struct pg *pg, const struct pg_owner *owner)
{
    struct cn_writer pid;

    cn_writer_init(&pid, 0);
    cn_write_pid(&pid, &owner->pid);
    list_for_each(link, &owner->members) {
        const struct pg_member *member = container_of(link, struct pg_member, in_owner);

        if (cn_writer_error(&pid) == 0)
            pg_tell_leave(pg, cn_writer_term(&pid), pg_group_term(member->key.group),
                          member->times);
    }
    cn_writer_free(&pid);
}

void pg_owner_end(struct pg *pg, struct pg_owner *owner)
{
    if (owner->local)
        tell_end(pg, owner);
    gather(pg, owner);
    list_for_each_safe(link, &owner->members)
        set_times(pg, container_of(link, struct pg_member, in_owner), 0);
    pg_watches_tell(pg);
    owner_free(pg, owner);
}

static void forget(struct pg *pg, struct pg_owner *owner)
{
    list_for_each_safe(link, &owner->members)
        member_free(pg, container_of(link, struct pg_member, in_owner));
    owner_free(pg, owner);
}

void pg_table_free(struct pg *pg)
{
    struct pg_owner *owner = NULL;
    struct pg_owner *next = NULL;

    pg_watches_free(pg);
    map_for_each(pg->peers, owner, next) forget(pg, owner);
    map_for_each(pg->locals, owner, next) forget(pg, owner);
}
