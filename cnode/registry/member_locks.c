/*
 * Locks: a resource, a requester, and the processes that hold it in the requester's name.
 *
 * Any term is a resource; `global` is the one under which names change and partitions join. The
 * same requester may lock through several processes (the two lockers of a join do), each is
 * monitored, and the lock is free when the last of them gave it back or ended. If the last one of
 * `global` ended, changes that were under way under that lock must not take effect any more until
 * somebody has locked and released it properly.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/member_internal.h"

static const uint8_t global_atom[] = {0x77, 6, 'g', 'l', 'o', 'b', 'a', 'l'};

static struct lock *find(struct member *member, struct cn_term resource)
{
    struct lock *lock = NULL;

    map_find(member->locks, resource.data, resource.size, lock);
    return lock;
}

static struct lock *find_global(struct member *member)
{
    return find(member, (struct cn_term){global_atom, sizeof(global_atom)});
}

static bool read_id(struct cn_term id, struct cn_term *ret_resource, struct cn_term *ret_requester)
{
    struct cn_reader reader;

    cn_reader_init(&reader, id);
    return cn_read_this_tuple(&reader, 2) && cn_read_term(&reader, ret_resource) &&
           cn_read_term(&reader, ret_requester);
}

static bool is_requester(const struct lock *lock, struct cn_term requester)
{
    return cn_term_equal((struct cn_term){lock->bytes + lock->size, lock->requester_size},
                         requester);
}

static struct lock_holder *find_holder(struct lock *lock, const struct cn_pid *pid)
{
    list_for_each(item, &lock->holders) {
        struct lock_holder *holder = container_of(item, struct lock_holder, in_lock);

        if (watched_is(holder->watched, pid))
            return holder;
    }
    return NULL;
}

static struct lock *lock_new(struct member *member, struct cn_term resource,
                             struct cn_term requester)
{
    struct lock *lock = mem_zalloc(sizeof(*lock) + resource.size + requester.size);

    if (lock == NULL)
        return NULL;
    list_init(&lock->holders);
    lock->size = resource.size;
    lock->requester_size = requester.size;
    memcpy(lock->bytes, resource.data, resource.size);
    memcpy(lock->bytes + resource.size, requester.data, requester.size);
    if (!map_add(member->locks, lock->bytes, lock->size, lock)) {
        mem_free(lock);
        return NULL;
    }
    return lock;
}

static void lock_put(struct member *member, struct lock *lock, bool died)
{
    if (!list_empty(&lock->holders))
        return;
    if (lock == find_global(member))
        member->lock_died = died;
    map_remove(member->locks, lock);
    mem_free(lock);
}

static int add_holder(struct member *member, struct lock *lock, const struct cn_pid *pid)
{
    struct lock_holder *holder = mem_zalloc(sizeof(*holder));
    struct watched *watched = holder != NULL ? watched_get(member, pid) : NULL;

    if (watched == NULL) {
        mem_free(holder);
        return -ENOMEM;
    }
    holder->lock = lock;
    holder->watched = watched;
    list_append(&lock->holders, &holder->in_lock);
    list_append(&watched->holders, &holder->in_watched);
    return 0;
}

int locks_set(struct member *member, struct cn_term id, const struct cn_pid *pid)
{
    struct cn_term resource;
    struct cn_term requester;
    struct lock *lock = NULL;
    int r = 0;

    if (!read_id(id, &resource, &requester))
        return CN_E_INVALID;
    lock = find(member, resource);
    if (lock != NULL && !is_requester(lock, requester)) {
        if (lock == find_global(member))
            registrar_wanted(member);
        return CN_E_TAKEN;
    }
    if (lock == NULL)
        lock = lock_new(member, resource, requester);
    if (lock == NULL)
        return -ENOMEM;
    if (find_holder(lock, pid) == NULL)
        r = add_holder(member, lock, pid);
    if (r != 0)
        lock_put(member, lock, member->lock_died);
    return r;
}

static void remove_holder(struct member *member, struct lock_holder *holder, bool died)
{
    struct lock *lock = holder->lock;
    struct watched *watched = holder->watched;

    list_remove(&holder->in_lock);
    list_remove(&holder->in_watched);
    mem_free(holder);
    watched_put(member, watched);
    lock_put(member, lock, died);
}

void locks_delete(struct member *member, struct cn_term id, const struct cn_pid *pid)
{
    struct cn_term resource;
    struct cn_term requester;
    struct lock *lock = read_id(id, &resource, &requester) ? find(member, resource) : NULL;
    struct lock_holder *holder = NULL;

    if (lock != NULL && is_requester(lock, requester))
        holder = find_holder(lock, pid);
    if (holder != NULL)
        remove_holder(member, holder, false);
}

void locks_holder_down(struct member *member, struct lock_holder *holder)
{
    trace_detail("registry", "the holder of a lock has ended");
    remove_holder(member, holder, true);
}

bool locks_free_for(struct member *member, struct cn_term id)
{
    struct cn_term resource;
    struct cn_term requester;
    struct lock *lock = read_id(id, &resource, &requester) ? find(member, resource) : NULL;

    return lock == NULL || is_requester(lock, requester);
}

bool locks_global_set(struct member *member)
{
    return find_global(member) != NULL;
}

bool locks_allow_pid(struct member *member, const struct cn_pid *pid)
{
    struct lock *lock = find_global(member);

    return lock != NULL ? find_holder(lock, pid) != NULL : !member->lock_died;
}

bool locks_allow_id(struct member *member, struct cn_term id)
{
    struct lock *lock = find_global(member);
    struct cn_term resource;
    struct cn_term requester;

    if (lock == NULL)
        return !member->lock_died;
    return read_id(id, &resource, &requester) && is_requester(lock, requester);
}
