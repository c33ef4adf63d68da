/*
 * What is asked about names, until it is answered.
 *
 * Requests of one name stand in a lane and go one after the other; lanes whose first request may
 * start stand in a queue, in the order of asking. A question needs no lock and is answered as soon
 * as it is first in its lane: such lanes have a queue of their own, for thousands of changes may
 * wait.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "registry/member_internal.h"

static struct request *lane_first(const struct lane *lane)
{
    return container_of(list_first(&lane->requests), struct request, in_lane);
}

/* Its first request may start. */
static void stand(struct registrar *registrar, struct lane *lane)
{
    bool question = lane_first(lane)->kind == REQUEST_WHEREIS;

    list_append(question ? &registrar->asked : &registrar->ready, &lane->ready);
}

int lanes_add(struct member *member, enum request_kind kind, struct cn_term name,
              const struct cn_pid *pid, enum global_method method, global_done done, void *context)
{
    struct registrar *registrar = &member->registrar;
    struct request *request = mem_zalloc(sizeof(*request));
    struct lane *lane = request != NULL ? lane_get(&registrar->lanes, name) : NULL;
    int r = lane != NULL ? registrar_wake(member) : -ENOMEM;

    if (r != 0) {
        if (lane != NULL)
            lane_put(&registrar->lanes, lane);
        mem_free(request);
        return r;
    }
    /* Nothing can fail below. */
    *request = (struct request){.member = member,
                                .lane = lane,
                                .kind = kind,
                                .method = method,
                                .done = done,
                                .context = context};
    list_init(&request->in_bundle);
    if (pid != NULL)
        request->pid = *pid;
    list_append(&lane->requests, &request->in_lane);
    if (lane_first(lane) == request)
        stand(registrar, lane);
    return 0;
}

struct cn_term request_name(const struct request *request)
{
    return (struct cn_term){request->lane->bytes, request->lane->size};
}

const struct cn_pid *request_holder(const struct request *request, struct cn_pid *room)
{
    struct name *name = roster_find(request->member, request_name(request));

    if (name == NULL)
        return NULL;
    *room = watched_pid(name->watched);
    return room;
}

bool request_fits(const struct request *request, const struct cn_pid *holder)
{
    return holder != NULL && cn_pid_equal(holder, &request->pid);
}

void request_finish(struct request *request, enum global_outcome outcome,
                    const struct cn_pid *holder)
{
    struct registrar *registrar = &request->member->registrar;
    struct lane *lane = request->lane;

    list_remove(&request->in_lane);
    list_remove(&request->in_bundle);
    list_remove(&lane->ready);
    if (!list_empty(&lane->requests))
        stand(registrar, lane);
    lane_put(&registrar->lanes, lane);
    if (request->done != NULL)
        request->done(request->context, outcome, holder);
    mem_free(request);
}

void lanes_answer_whereis(struct member *member)
{
    struct list *item = NULL;

    while ((item = list_pop(&member->registrar.asked)) != NULL) {
        struct request *request = lane_first(container_of(item, struct lane, ready));
        struct cn_pid room;
        const struct cn_pid *holder = request_holder(request, &room);

        request_finish(request, holder != NULL ? GLOBAL_YES : GLOBAL_NO, holder);
    }
}

bool lanes_waiting(const struct member *member)
{
    return !list_empty(&member->registrar.ready) || !list_empty(&member->registrar.asked);
}

struct request *lanes_take(struct member *member)
{
    struct list *item = list_pop(&member->registrar.ready);

    return item != NULL ? lane_first(container_of(item, struct lane, ready)) : NULL;
}

void lanes_free_all(struct member *member)
{
    struct lane *lane = NULL;
    struct lane *next = NULL;

    map_for_each(member->registrar.lanes, lane, next)
    {
        struct list *item = NULL;

        while ((item = list_pop(&lane->requests)) != NULL)
            mem_free(container_of(item, struct request, in_lane));
        lane_put(&member->registrar.lanes, lane);
    }
}
