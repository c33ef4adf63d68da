/*
 * Who is told of changes: {Ref, join | leave, Group, Pids}, as pg:monitor/2 and monitor_scope/1.
 *
 * One message tells what one change does to a group, as in OTP: the pids that join or leave at
 * once, or all of a node that is lost. They are noted one by one, while somebody watches; what is
 * of another group or kind sends what was noted before, and so does the end of the change. Unlike
 * OTP we name nobody as leaving who had not joined, and are told once of a process that ends,
 * however often it had joined.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "etf/writer.h"
#include "registry/pg_internal.h"

/* The most watches of a scope; who asks for more gets an error. */
#define WATCHES_MAX 65536

static void tell(struct pg *pg, const struct pg_watch *watch, const struct pg_news *news)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 4);
    cn_write_ref(&writer, &watch->ref);
    cn_write_atom(&writer, news->what);
    cn_write_term(&writer, pg_group_term(news->group));
    cn_write_list(&writer, news->count);
    etf_write_raw(&writer, news->pids.data, news->pids.size);
    cn_write_nil(&writer);
    if (cn_writer_error(&news->pids) != 0)
        writer.error = cn_writer_error(&news->pids);
    pg_send(pg, &watch->pid, &writer);
}

void pg_watches_tell(struct pg *pg)
{
    struct pg_news news = pg->news;

    if (news.group == NULL)
        return;
    pg->news.group = NULL;
    list_for_each(link, &pg->watches_all)
        tell(pg, container_of(link, struct pg_watch, link), &news);
    list_for_each(link, &news.group->watches)
        tell(pg, container_of(link, struct pg_watch, link), &news);
    cn_writer_free(&news.pids);
}

void pg_watches_note(struct pg *pg, const struct pg_member *member, const char *what,
                     uint32_t times)
{
    struct pg_group *group = member->key.group;
    struct pg_news *news = &pg->news;
    struct cn_pid pid;

    if (pg->server == NULL || (list_empty(&pg->watches_all) && list_empty(&group->watches)))
        return;
    if (news->group != group || strcmp(news->what, what) != 0) {
        pg_watches_tell(pg);
        *news = (struct pg_news){.group = group, .what = what};
        cn_writer_init(&news->pids, 0);
    }
    pg_member_pid(member, &pid);
    for (uint32_t i = 0; i < times; i++)
        cn_write_pid(&news->pids, &pid);
    news->count += times;
}

static void release(struct pg *pg, struct pg_watch *watch)
{
    struct pg_group *group = watch->group;

    list_remove(&watch->link);
    map_remove(pg->watches, watch);
    mem_free(watch);
    if (group == NULL)
        return;
    pg->watched_bytes -= group->size;
    pg_group_put(pg, group);
}

/* Hang a watch into its group. Each watch counts the name, though those of one group share it. */
static int attach(struct pg *pg, struct pg_watch *watch, const struct cn_term *group)
{
    int r = 0;

    if (group == NULL) {
        list_append(&pg->watches_all, &watch->link);
        return 0;
    }
    if (pg->watched_bytes + group->size > pg->config.bytes_max)
        return CN_E_LIMIT;
    r = pg_group_get(pg, *group, &watch->group);
    if (r != 0)
        return r;
    pg->watched_bytes += group->size;
    list_append(&watch->group->watches, &watch->link);
    return 0;
}

/* A watch of @pid, not yet of any group. */
static int watch_new(struct pg *pg, const struct cn_pid *pid, struct pg_watch **ret_watch)
{
    struct process *self = gen_server_process(pg->server);
    struct dest dest = {.kind = DEST_PID, .pid = *pid};
    struct pg_watch *watch = mem_zalloc(sizeof(*watch));
    int r = watch != NULL ? process_monitor(self, &dest, &watch->ref) : -ENOMEM;

    if (r != 0) {
        mem_free(watch);
        return r;
    }
    watch->pid = *pid;
    list_init(&watch->link);
    if (!map_add(pg->watches, watch->ref.words, sizeof(watch->ref.words), watch)) {
        process_demonitor(self, &watch->ref, true);
        mem_free(watch);
        return -ENOMEM;
    }
    *ret_watch = watch;
    return 0;
}

int pg_monitor(struct pg *pg, const struct cn_pid *pid, const struct cn_term *group,
               struct cn_ref *ret_ref)
{
    struct pg_watch *watch = NULL;
    int r = 0;

    if (pg->server == NULL)
        return CN_E_CLOSED;
    if (map_count(pg->watches) >= WATCHES_MAX)
        return CN_E_LIMIT;
    r = watch_new(pg, pid, &watch);
    if (r != 0)
        return r;
    *ret_ref = watch->ref;
    r = attach(pg, watch, group);
    if (r != 0)
        (void)pg_demonitor(pg, ret_ref);
    return r;
}

bool pg_demonitor(struct pg *pg, const struct cn_ref *ref)
{
    struct pg_watch *watch = NULL;

    map_find(pg->watches, ref->words, sizeof(ref->words), watch);
    if (watch == NULL || !cn_ref_equal(&watch->ref, ref))
        return false;
    process_demonitor(gen_server_process(pg->server), ref, true);
    release(pg, watch);
    return true;
}

void pg_watches_free(struct pg *pg)
{
    struct pg_watch *watch = NULL;
    struct pg_watch *next = NULL;

    map_for_each(pg->watches, watch, next) release(pg, watch);
}
