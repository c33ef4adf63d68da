/*
 * Two lists: those that have arrived, and those of them whose names are yet to be looked up. A
 * slice of the second is worked off per turn of the loop, so that a million of them stall nobody.
 */
#include "session/arrivals.h"

#include "session/host.h"
#include "session/naming.h"

#define SLICE   64
#define SOON_MS 1000

static void looked(struct session *session, const struct naming_result *result)
{
    if (result->error != 0 || session_state(session) != SESSION_RUNNING)
        return;
    if (result->held == result->names)
        naming_adopt(session);
    else if (naming_wish(session, NAMING_MOVE, session_pid(session), NULL) != 0)
        host_log(session->hosts, HOSTS_LOG_ERROR, "session %.*s: no memory to take its names",
                 (int)session->id_size, (const char *)session->text);
}

static void slice(struct host_timer *timer)
{
    struct hosts *hosts = container_of(timer, struct hosts, arrivals_timer);
    struct list *link;

    for (int i = 0; i < SLICE && (link = list_pop(&hosts->unsure)) != NULL; i++) {
        struct session *session = container_of(link, struct session, arrived);

        list_append(&hosts->arrived, link);
        if (session_state(session) == SESSION_RUNNING && session->naming == NULL)
            naming_wish(session, NAMING_LOOK, session_pid(session), looked);
    }
    if (!list_empty(&hosts->unsure))
        host_timer_start(hosts, timer, 0, slice);
}

void arrivals_add(struct session *session)
{
    if (list_empty(&session->arrived)) /* what it held may have had it looked at already */
        list_append(&session->hosts->arrived, &session->arrived);
}

void arrivals_look_soon(struct session *session)
{
    struct hosts *hosts = session->hosts;

    list_remove(&session->arrived);
    list_append(&hosts->unsure, &session->arrived);
    if (hosts->arrivals_timer.id == 0)
        host_timer_start(hosts, &hosts->arrivals_timer, SOON_MS, slice);
}

void arrivals_host_gone(struct hosts *hosts)
{
    list_splice(&hosts->unsure, &hosts->arrived);
    if (!hosts->closing && !list_empty(&hosts->unsure) && hosts->arrivals_timer.id == 0)
        host_timer_start(hosts, &hosts->arrivals_timer, 0, slice);
}
