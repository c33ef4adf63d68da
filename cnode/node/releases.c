/*
 * Releases.
 *
 * One gen_server without a name makes the calls; the table outlives it, for sys may ask while
 * processes end. An entry lives from peer_up to peer_down, which takes back its call. A failed call
 * is not repeated: the peer then gets the old form, which is what it would have got without us.
 */
#include "node/releases.h"

#include "base/alloc.h"
#include "base/map.h"
#include "otp/call.h"
#include "otp/sys.h"

#include <errno.h>
#include <string.h>

#define ASK_TIMEOUT_MS 5000
#define WRAPPED_SINCE  27
#define RELEASE_MAX    999

struct peer_release {
    char node[CN_NODE_NAME_MAX + 1];
    uint32_t release;
    struct call *call; /* under way; NULL: answered */
    struct map_handle hh;
};

struct releases {
    struct gen_server *server; /* NULL when it has ended */
    struct peer_release *peers;
    struct sys_hook hook;
};

static struct peer_release *find(const struct releases *releases, const char *node)
{
    struct peer_release *peer;

    map_find(releases->peers, node, strlen(node), peer);
    return peer;
}

/* "25" arrives as a list of characters. */
static uint32_t read_release(struct cn_term term)
{
    struct cn_reader reader;
    int64_t digit;
    uint32_t count;
    uint32_t release = 0;

    cn_reader_init(&reader, term);
    if (!cn_read_list(&reader, &count))
        return 0;
    for (; count > 0 && cn_read_integer(&reader, &digit); count--) {
        if (digit < '0' || digit > '9' || release > RELEASE_MAX / 10)
            return 0;
        release = release * 10 + (uint32_t)(digit - '0');
    }
    return release;
}

static void answered(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct peer_release *peer = context;

    (void)self;
    peer->call = NULL;
    if (outcome == CALL_REPLY)
        peer->release = read_release(term);
}

static int ask(struct releases *releases, struct peer_release *peer)
{
    static const uint8_t otp_release[] = {108, 0,   0,   0,   1,   119, 11,  'o', 't', 'p',
                                          '_', 'r', 'e', 'l', 'e', 'a', 's', 'e', 106};
    struct cn_term arguments = {otp_release, sizeof otp_release};

    return call_rpc(releases->server, peer->node, "erlang", "system_info", arguments,
                    ASK_TIMEOUT_MS, answered, peer, &peer->call);
}

static bool wraps_state(void *context, const char *node)
{
    return releases_of(context, node) >= WRAPPED_SINCE;
}

static void server_ends(struct gen_server *self, void *state, struct cn_term reason)
{
    struct releases *releases = state;

    (void)self;
    (void)reason;
    releases->server = NULL;
}

static const struct gen_server_callbacks callbacks = {
    .module = "releases",
    .terminate = server_ends,
};

int releases_new(struct procs *procs, struct releases **ret_releases)
{
    struct releases *releases = mem_zalloc(sizeof *releases);

    if (!releases)
        return -ENOMEM;
    int error = gen_server_start(procs, &callbacks, releases, &releases->server);
    if (error != 0) {
        mem_free(releases);
        return error;
    }
    releases->hook = (struct sys_hook){.context = releases, .wraps_state = wraps_state};
    sys_set_hook(procs, &releases->hook);
    *ret_releases = releases;
    return 0;
}

struct releases *releases_free(struct releases *releases)
{
    struct peer_release *peer, *next;

    if (!releases)
        return NULL;
    map_for_each(releases->peers, peer, next)
    {
        map_remove(releases->peers, peer);
        mem_free(peer);
    }
    mem_free(releases);
    return NULL;
}

static struct peer_release *add(struct releases *releases, const char *node)
{
    struct peer_release *peer = mem_zalloc(sizeof *peer);

    if (!peer)
        return NULL;
    memcpy(peer->node, node, strlen(node) + 1);
    if (map_add(releases->peers, peer->node, strlen(node), peer))
        return peer;
    mem_free(peer);
    return NULL;
}

int releases_peer_up(struct releases *releases, const char *node)
{
    if (!releases->server)
        return 0;
    releases_peer_down(releases, node);
    struct peer_release *peer = add(releases, node);
    if (!peer)
        return -ENOMEM;
    int error = ask(releases, peer);
    if (error != 0)
        releases_peer_down(releases, node);
    return error;
}

/* A call that is under way ends with the server, if that has ended. */
void releases_peer_down(struct releases *releases, const char *node)
{
    struct peer_release *peer = find(releases, node);

    if (!peer)
        return;
    if (peer->call && releases->server)
        call_cancel(peer->call);
    map_remove(releases->peers, peer);
    mem_free(peer);
}

uint32_t releases_of(const struct releases *releases, const char *node)
{
    const struct peer_release *peer = find(releases, node);

    return peer ? peer->release : 0;
}
