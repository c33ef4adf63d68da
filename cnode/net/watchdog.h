/*
 * A watchdog over the loop, in a thread of its own.
 *
 * A member of :global whose loop stands still stops every registration of names in the cluster: the
 * others wait for its answers until their net tick notices. So when the loop has not turned for a
 * set time, the thread shuts down all connections: to the others this node is gone at once. When
 * the loop goes on it finds them closed, says how long it stood, and the node joins again.
 *
 * The thread counts its own steps, not the time, so that a process that was stopped as a whole, or
 * a machine that slept, does not lose its connections by waking up.
 */
#ifndef NET_WATCHDOG_H
#define NET_WATCHDOG_H

#include "base/list.h"
#include "net/loop.h"

struct watchdog;

/** A socket that is shut down when the loop stands still; embedded in what it belongs to. */
struct watched_socket {
    struct list link;
    int fd;
};

/**
 * Watch @loop, which must turn within @limit_ms > 0; @barked(context) is called in the loop, once
 * it turns again after the sockets were shut down. Errors: -ENOMEM, -EAGAIN.
 */
int watchdog_new(struct loop *loop, uint32_t limit_ms, void (*barked)(void *context), void *context,
                 struct watchdog **ret_watchdog);
/** End the thread and release; NULL is fine. Returns NULL. */
struct watchdog *watchdog_free(struct watchdog *watchdog);
/** Watch over @fd too. @watchdog NULL: nothing is done, here and below. */
void watchdog_add(struct watchdog *watchdog, struct watched_socket *socket, int fd);
/** Before its descriptor is closed. One that was never added is fine, when it is zeroed. */
void watchdog_remove(struct watchdog *watchdog, struct watched_socket *socket);

#endif
