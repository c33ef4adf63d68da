/*
 * Peers for which much waits: when that is said, and when it is over.
 *
 *                    more than queue_busy_bytes wait
 *   ready ◄──────────────────────────────────────────► busy ──the hard limit──► dropped
 *                    less than half of that                 └──it goes down──► ready
 *
 * A busy peer still takes what is sent, so nobody loses a signal, but each sender is told CN_E_BUSY
 * and should stop. The two marks are apart so that senders do not start and stop for each frame.
 * What waits for a node that is being dialled counts in the same way. Large signals that leave in
 * turns with others wait for their own senders only: nobody else stops for them, but for their
 * first fragments, by which many of them are busy together.
 *
 * The hard limit is for peers that do not read: more than queue_bytes_max may wait while the peer
 * takes some of it at least every STUCK_MS, for a single message may be larger than that, up to
 * PEERS_QUEUE_FACTOR times as much whatever it takes.
 *
 * Ready is found out when the queues have been written, once a turn, and told by a timer: events
 * never come from inside a call. The timer also looks for peers that stay busy long, of which
 * an operator should know.
 */
#include "base/error.h"
#include "base/trace.h"
#include "net/peer.h"

#define LONG_MS  3000
#define STUCK_MS 3000

static uint64_t now_ms(const struct peer *peer)
{
    return loop_now_ms(peer->peers->connections->loop);
}

static uint64_t busy_ms(const struct peer *peer)
{
    return now_ms(peer) - peer->busy_since_ms;
}

static size_t queued_bytes(const struct peer *peer)
{
    return peer->connection != NULL ? connection_queued_bytes(peer->connection)
                                    : outbox_bytes(&peer->waiting);
}

static bool reads_again(const struct peer *peer)
{
    return queued_bytes(peer) < peer->peers->config.queue_busy_bytes / 2;
}

static void become_busy(struct peer *peer)
{
    trace("net", "busy %s", peer->name);
    peer->busy_since_ms = now_ms(peer);
    peer->busy_told = false;
    list_append(&peer->peers->busy, &peer->busy);
    loop_timer_start(&peer->busy_timer, LONG_MS);
}

static void become_ready(struct peer *peer)
{
    const struct network_events *events = peer->peers->config.events;

    if (peer->busy_told)
        peers_log(peer->peers, 1, "peer.ready", "%s reads again, after %u s", peer->name,
                  (unsigned)(busy_ms(peer) / 1000));
    busy_forget(peer);
    if (events->peer_ready != NULL && !peer->peers->stopped)
        events->peer_ready(events->context, peer->name);
}

/* Tell of a peer that is busy long, once. */
static void look_long(struct peer *peer)
{
    if (peer->busy_told)
        return;
    if (busy_ms(peer) < LONG_MS) {
        loop_timer_start(&peer->busy_timer, LONG_MS - busy_ms(peer));
        return;
    }
    peer->busy_told = true;
    peers_log(peer->peers, 2, "peer.busy",
              "%s does not read what is sent to it: %zu bytes wait, and so do their senders",
              peer->name, queued_bytes(peer));
}

static void on_timer(void *context)
{
    struct peer *peer = context;

    if (reads_again(peer))
        become_ready(peer);
    else
        look_long(peer);
}

void busy_init(struct peer *peer)
{
    list_init(&peer->busy);
    loop_timer_init(&peer->busy_timer, peer->peers->connections->loop, on_timer, peer);
}

/* Tell whether more waits than may, of what everybody shares or of @from's own. */
static bool is_crowded(struct peer *peer, const struct cn_pid *from)
{
    uint32_t bytes_max = peer->peers->config.queue_busy_bytes;
    struct outbox *shared = peer->connection != NULL ? connection_outbox(peer->connection)
                                                     : &peer->waiting;

    if (outbox_bytes(shared) > (list_empty(&peer->busy) ? bytes_max : bytes_max / 2))
        return true;
    return peer->connection != NULL &&
           sender_waiting_bytes(connection_sender(peer->connection), from) > bytes_max;
}

int busy_note(struct peer *peer, const struct cn_pid *from)
{
    if (!is_crowded(peer, from))
        return 0;
    if (list_empty(&peer->busy))
        become_busy(peer);
    return CN_E_BUSY;
}

bool busy_is_stuck(const struct peer *peer)
{
    return queued_bytes(peer) > peer->peers->config.queue_bytes_max &&
           now_ms(peer) - connection_sent_ms(peer->connection) >= STUCK_MS;
}

void busy_forget(struct peer *peer)
{
    if (list_empty(&peer->busy))
        return;
    trace("net", "ready %s", peer->name);
    list_remove(&peer->busy);
    loop_timer_stop(&peer->busy_timer);
}

void busy_look(struct peers *peers)
{
    list_for_each(item, &peers->busy) {
        struct peer *peer = container_of(item, struct peer, busy);

        if (reads_again(peer))
            loop_timer_start(&peer->busy_timer, 0);
    }
}
