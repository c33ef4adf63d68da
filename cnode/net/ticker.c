/*
 * Signs of life: ours to the peers, theirs to us.
 *
 * A peer cannot tell us its net_ticktime, so a connection on which nothing was sent for a while
 * gets a tick at least every second, never as an echo. A peer without a byte for our net_ticktime
 * is dead. If this process itself stood still (stopped, or a host without time for it), that time
 * says nothing about anybody: it is forgiven, since what peers sent meanwhile is still unread.
 *
 * The same beat gives back large memory that was kept for messages which did not come.
 */
#include "base/spare.h"
#include "net/peer.h"

#define TICK_MS 1000

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void look_after(struct peer *peer, uint64_t now_ms, uint64_t gap_ms)
{
    struct peers *peers = peer->peers;
    struct connection *connection = peer->connection;
    uint64_t silence_ms;

    if (gap_ms > 0)
        connection_forgive(connection, gap_ms);
    silence_ms = now_ms - connection_received_ms(connection);
    if (silence_ms >= (uint64_t)peers->config.net_ticktime_s * 1000)
        peer_close(peer, "net_tick_timeout");
    else if (now_ms - connection_sent_ms(connection) >= peers->ticker_ms)
        connection_tick(connection);
}

static void on_ticker(void *context)
{
    struct peers *peers = context;
    uint64_t now_ms = loop_now_ms(peers->connections->loop);
    uint64_t since_ms = now_ms - peers->ticked_ms;
    uint64_t gap_ms = since_ms > 3 * (uint64_t)peers->ticker_ms ? since_ms - peers->ticker_ms : 0;
    struct peer *peer;
    struct peer *next;

    peers->ticked_ms = now_ms;
    spare_age(now_ms);
    map_for_each(peers->by_name, peer, next)
    {
        if (sm_state(&peer->sm) == PEER_UP && !connection_is_closing(peer->connection))
            look_after(peer, now_ms, gap_ms);
    }
    loop_timer_start(&peers->ticker, peers->ticker_ms);
}

/* Looking twice per interval keeps the time between two ticks below it. */
void ticker_start(struct peers *peers)
{
    uint32_t interval_ms = min(TICK_MS, peers->config.net_ticktime_s * 250);

    peers->ticker_ms = interval_ms / 2 > 0 ? interval_ms / 2 : 1;
    peers->ticked_ms = loop_now_ms(peers->connections->loop);
    loop_timer_init(&peers->ticker, peers->connections->loop, on_ticker, peers);
    loop_timer_start(&peers->ticker, peers->ticker_ms);
}
