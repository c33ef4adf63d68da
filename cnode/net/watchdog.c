/*
 * The loop beats by a timer, the thread looks at the beats; both and the list of sockets are under
 * one lock, which nobody holds for long. A descriptor is taken off the list before it is closed, so
 * the thread never shuts down somebody else's.
 */
#include "net/watchdog.h"

#include <errno.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/alloc.h"

/* Looks within the limit: the more of them, the more exact. */
#define LOOKS 5u

struct watchdog {
    struct loop_timer beat;
    uint32_t step_ms;
    void (*barked)(void *context);
    void *context;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t end;
    /* Under the lock: */
    struct list sockets; /* struct watched_socket.link */
    unsigned looks;      /* since the latest beat */
    bool has_barked;     /* and the loop does not know it yet */
    bool ending;
};

static void on_beat(void *context)
{
    struct watchdog *watchdog = context;
    bool barked;

    uv_mutex_lock(&watchdog->lock);
    watchdog->looks = 0;
    barked = watchdog->has_barked;
    watchdog->has_barked = false;
    uv_mutex_unlock(&watchdog->lock);
    loop_timer_start(&watchdog->beat, watchdog->step_ms);
    if (barked)
        watchdog->barked(watchdog->context);
}

static void bark(struct watchdog *watchdog)
{
    list_for_each(item, &watchdog->sockets)
        (void)shutdown(container_of(item, struct watched_socket, link)->fd, SHUT_RDWR);
    watchdog->has_barked = true;
}

static void watch(void *context)
{
    struct watchdog *watchdog = context;
    uint64_t step_ns = (uint64_t)watchdog->step_ms * 1000000;

    uv_mutex_lock(&watchdog->lock);
    while (!watchdog->ending) {
        if (uv_cond_timedwait(&watchdog->end, &watchdog->lock, step_ns) != UV_ETIMEDOUT)
            continue;
        /* The loop beats once in each step: one look more than that may come in between. */
        if (++watchdog->looks == LOOKS + 1)
            bark(watchdog);
    }
    uv_mutex_unlock(&watchdog->lock);
}

int watchdog_new(struct loop *loop, uint32_t limit_ms, void (*barked)(void *context), void *context,
                 struct watchdog **ret_watchdog)
{
    struct watchdog *watchdog = mem_zalloc(sizeof(*watchdog));

    if (watchdog == NULL)
        return -ENOMEM;
    watchdog->step_ms = limit_ms >= LOOKS ? limit_ms / LOOKS : 1;
    watchdog->barked = barked;
    watchdog->context = context;
    list_init(&watchdog->sockets);
    loop_timer_init(&watchdog->beat, loop, on_beat, watchdog);
    uv_mutex_init(&watchdog->lock);
    uv_cond_init(&watchdog->end);
    if (uv_thread_create(&watchdog->thread, watch, watchdog) != 0) {
        uv_cond_destroy(&watchdog->end);
        uv_mutex_destroy(&watchdog->lock);
        mem_free(watchdog);
        return -EAGAIN;
    }
    loop_timer_start(&watchdog->beat, 0);
    *ret_watchdog = watchdog;
    return 0;
}

struct watchdog *watchdog_free(struct watchdog *watchdog)
{
    if (watchdog == NULL)
        return NULL;
    loop_timer_stop(&watchdog->beat);
    uv_mutex_lock(&watchdog->lock);
    watchdog->ending = true;
    uv_cond_signal(&watchdog->end);
    uv_mutex_unlock(&watchdog->lock);
    uv_thread_join(&watchdog->thread);
    uv_cond_destroy(&watchdog->end);
    uv_mutex_destroy(&watchdog->lock);
    mem_free(watchdog);
    return NULL;
}

void watchdog_add(struct watchdog *watchdog, struct watched_socket *socket, int fd)
{
    if (watchdog == NULL)
        return;
    uv_mutex_lock(&watchdog->lock);
    socket->fd = fd;
    list_append(&watchdog->sockets, &socket->link);
    uv_mutex_unlock(&watchdog->lock);
}

void watchdog_remove(struct watchdog *watchdog, struct watched_socket *socket)
{
    if (watchdog == NULL || socket->link.next == NULL)
        return;
    uv_mutex_lock(&watchdog->lock);
    list_remove(&socket->link);
    uv_mutex_unlock(&watchdog->lock);
}
