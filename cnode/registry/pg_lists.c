/*
 * What is in a scope, as lists: for sync, for who asks, and member by member.
 *
 * The members of this node come first in each group, and the groups that have any are on a list, so
 * that what a new peer is told costs what it is, not what all others have told.
 */
#include "registry/pg_internal.h"

/* Groups that are not only watched. */
static uint32_t count_groups(struct pg *pg)
{
    const struct pg_group *group = NULL;
    const struct pg_group *next = NULL;
    uint32_t groups = 0;

    map_for_each(pg->groups, group, next) groups += list_empty(&group->members) ? 0 : 1;
    return groups;
}

/* Joinings of a group. */
static uint64_t count_joinings(const struct pg_group *group, bool local_only)
{
    uint64_t joinings = 0;

    list_for_each(link, &group->members) {
        const struct pg_member *member = container_of(link, struct pg_member, in_group);

        if (local_only && !member->key.owner->local)
            break;
        joinings += member->times;
    }
    return joinings;
}

/* A list that is too long for its count is too long for any writer. */
static void write_members(const struct pg_group *group, bool local_only, struct cn_writer *writer)
{
    struct cn_pid pid;

    cn_write_list(writer, (uint32_t)count_joinings(group, local_only));
    list_for_each(link, &group->members) {
        const struct pg_member *member = container_of(link, struct pg_member, in_group);

        if (cn_writer_error(writer) != 0 || (local_only && !member->key.owner->local))
            break;
        pg_member_pid(member, &pid);
        for (uint32_t i = 0; i < member->times; i++)
            cn_write_pid(writer, &pid);
    }
    cn_write_nil(writer);
}

void pg_write_members(struct pg *pg, struct cn_term term, bool local_only, struct cn_writer *writer)
{
    const struct pg_group *group = pg_group_find(pg, term);

    if (group != NULL)
        write_members(group, local_only, writer);
    else
        cn_write_nil(writer);
}

void pg_write_all(struct pg *pg, struct cn_writer *writer)
{
    const struct pg_group *group = NULL;
    const struct pg_group *next = NULL;

    cn_write_map(writer, count_groups(pg));
    map_for_each(pg->groups, group, next)
    {
        if (list_empty(&group->members))
            continue;
        cn_write_term(writer, pg_group_term(group));
        write_members(group, false, writer);
    }
}

void pg_write_local(struct pg *pg, struct cn_writer *writer)
{
    cn_write_list(writer, (uint32_t)list_count(&pg->local_groups));
    list_for_each(link, &pg->local_groups) {
        const struct pg_group *group = container_of(link, struct pg_group, in_local);

        cn_write_tuple(writer, 2);
        cn_write_term(writer, pg_group_term(group));
        write_members(group, true, writer);
    }
    cn_write_nil(writer);
}

static void write_local_groups(struct pg *pg, struct cn_writer *writer)
{
    cn_write_list(writer, (uint32_t)list_count(&pg->local_groups));
    list_for_each(link, &pg->local_groups)
        cn_write_term(writer, pg_group_term(container_of(link, struct pg_group, in_local)));
    cn_write_nil(writer);
}

void pg_write_groups(struct pg *pg, bool local_only, struct cn_writer *writer)
{
    const struct pg_group *group = NULL;
    const struct pg_group *next = NULL;

    if (local_only) {
        write_local_groups(pg, writer);
        return;
    }
    cn_write_list(writer, count_groups(pg));
    map_for_each(pg->groups, group, next)
    {
        if (!list_empty(&group->members))
            cn_write_term(writer, pg_group_term(group));
    }
    cn_write_nil(writer);
}

void pg_each_member(struct pg *pg, struct cn_term term,
                    void (*visit)(void *context, const struct cn_pid *pid), void *context)
{
    const struct pg_group *group = pg_group_find(pg, term);
    struct cn_pid pid;

    if (group == NULL)
        return;
    list_for_each(link, &group->members) {
        const struct pg_member *member = container_of(link, struct pg_member, in_group);

        if (member->key.owner->gone)
            continue;
        pg_member_pid(member, &pid);
        visit(context, &pid);
    }
}
