/*
 * The node: wiring and life.
 *
 * Everything is made in boot order, lowest layer first, and released in the opposite order.
 * Signals (SIGTERM, SIGINT), the end of standard input when it is the lifeline, `init:stop` by
 * rpc and the host's own drain all lead to the same place: hosts_drain (without a game nothing is
 * to be drained), then the network closes every connection together, then the loop stops. Signals,
 * and nothing else, make it more urgent: the second hurries, the third aborts. All the rest asks
 * for the same again, which changes nothing.
 */
#include "node/node.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/sm.h"
#include "dist/flags.h"
#include "net/network.h"
#include "node/api.h"
#include "node/figures.h"
#include "node/game.h"
#include "node/mesh.h"
#include "node/names.h"
#include "node/pace.h"
#include "node/releases.h"
#include "node/scopes.h"
#include "otp/functions.h"
#include "otp/user.h"
#include "session/hosts.h"

#include <errno.h>
#include <stdarg.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 2000

enum life {
    LIFE_BOOT,
    LIFE_JOINING,
    LIFE_SERVING,
    LIFE_DRAINING,
    LIFE_STOPPED
};

static const struct sm_state life_states[] = {
    [LIFE_BOOT] = {"boot", SM_TO(LIFE_JOINING) | SM_TO(LIFE_STOPPED), .initial = true},
    [LIFE_JOINING] = {"joining", SM_TO(LIFE_SERVING) | SM_TO(LIFE_DRAINING)},
    [LIFE_SERVING] = {"serving", SM_TO(LIFE_DRAINING)},
    [LIFE_DRAINING] = {"draining", SM_TO(LIFE_STOPPED)},
    [LIFE_STOPPED] = {"stopped", 0, .final = true},
};

static const struct sm_table life_table = SM_TABLE("node", life_states);

struct node {
    const struct config *config;
    struct sm life;
    struct loop *loop;
    struct network *network;
    struct procs *procs;
    struct functions *functions;
    struct names *names;
    struct scopes *scopes;
    struct hosts *hosts; /* NULL: no game is hosted */
    struct mesh *mesh;
    struct releases *releases;
    struct figures figures;
    struct cn_node api; /* what the application sees */
    unsigned signals;   /* that asked for the end */
    bool leaving;       /* the end was asked for */
    struct pace pace;
    char blame[CONFIG_ADDRESS_MAX + 64]; /* the option that kept the node from starting */
    int exit_code;
};

/* Towards the processes. */

static void tell_what_it_lacks(struct node *node, const struct peer_info *peer)
{
    if ((peer->flags & FLAG_UNLINK_ID) == 0)
        procs_peer_acks_no_unlinks(node->procs, peer->node);
    if ((peer->flags & FLAG_SPAWN) == 0)
        procs_peer_cannot_spawn(node->procs, peer->node);
}

static int welcome(struct node *node, const struct peer_info *peer)
{
    int error;

    if ((error = procs_peer_up(node->procs, peer->node, peer->creation)) != 0)
        return error;
    tell_what_it_lacks(node, peer);
    if ((error = releases_peer_up(node->releases, peer->node)) != 0 ||
        (error = mesh_peer_up(node->mesh, peer->node, peer->hidden)) != 0 ||
        (error = names_peer_up(node->names, peer)) != 0 ||
        (error = scopes_peer_up(node->scopes, peer)) != 0)
        return error;
    if (node->hosts && !peer->hidden)
        hosts_node_up(node->hosts, peer->node);
    return 0;
}

static void on_peer_up(void *context, const struct peer_info *peer)
{
    struct node *node = context;
    int error = welcome(node, peer);

    if (error == 0)
        return;
    log_eventf(LOG_ERROR, "peer.not_welcome", "%s: %s", peer->node, error_name(error));
    network_disconnect(node->network, peer->node);
}

static void on_peer_down(void *context, const char *peer, const char *reason)
{
    struct node *node = context; /* the reason was logged by net/ */

    procs_peer_down(node->procs, peer);
    names_peer_down(node->names, peer);
    scopes_peer_down(node->scopes, peer);
    mesh_peer_down(node->mesh, peer);
    releases_peer_down(node->releases, peer);
}

static void on_peer_ready(void *context, const char *peer)
{
    struct node *node = context;

    procs_peer_ready(node->procs, peer);
}

static int on_signal_in(void *context, const struct peer_info *peer, const struct control *control,
                        struct cn_term message)
{
    struct node *node = context;
    int error = procs_deliver(node->procs, peer->node, peer->creation, control, message);

    if (error != 0)
        log_eventf(LOG_WARNING, "peer.rule_broken", "%s: operation %d: %s", peer->node,
                   (int)control->op, error_name(error));
    return error;
}

static void on_ready(void *context, uint16_t port)
{
    struct node *node = context;

    if (sm_state(&node->life) != LIFE_JOINING)
        return;
    sm_move(&node->life, LIFE_SERVING);
    printf("ready %s port=%u\n", node->config->name, port);
    fflush(stdout);
}

static void on_network_log(void *context, int level, const char *event, const char *detail)
{
    log_event((enum log_level)level, event, detail);
}

/* Towards the network. */

static int send_out(void *context, const char *to, const struct control *control,
                    struct cn_term message)
{
    struct node *node = context;

    return network_send(node->network, to, control, message);
}

static int send_out_shared(void *context, const char *to, const struct control *control,
                           struct cn_term start, struct etf_body *body)
{
    struct node *node = context;

    return network_send_shared(node->network, to, control, start, body);
}

static int dial(void *context, const char *to)
{
    struct node *node = context;

    return network_connect(node->network, to);
}

static void on_limit(void *context, const char *limit, const char *who)
{
    log_event(LOG_ERROR, limit, who);
}

/* The end. */

static void on_closed(void *context)
{
    struct node *node = context;

    sm_move(&node->life, LIFE_STOPPED);
    loop_stop(node->loop);
}

static void on_drained(void *context, int exit_code, const struct hosts_summary *summary)
{
    struct node *node = context;

    (void)summary; /* session/ has logged it */
    node->exit_code = exit_code;
    mesh_say_leaving(node->mesh);
    network_stop(node->network, FLUSH_MS, on_closed, node);
}

static void on_drain_started(void *context)
{
    struct node *node = context;

    sm_move(&node->life, LIFE_DRAINING);
    mesh_stop(node->mesh);
}

static void leave(struct node *node, const char *why)
{
    bool again = node->leaving;

    log_event(LOG_INFO, "leave", why);
    node->leaving = true;
    if (node->hosts) {
        hosts_drain(node->hosts);
    } else if (!again) {
        on_drain_started(node);
        on_drained(node, EXIT_SUCCESS, NULL);
    }
}

static void on_signal(void *context, int signum)
{
    struct node *node = context;

    if (signum == SIGHUP)
        return;
    leave(node, strsignal(signum));
    node->signals++;
    if (node->hosts && node->signals == 2)
        hosts_drain_hurry(node->hosts);
    else if (node->hosts && node->signals > 2)
        hosts_drain_abort(node->hosts);
}

static void on_stdin_end(void *context)
{
    leave(context, "standard input ended");
}

static void on_stop_asked(void *context, int status)
{
    leave(context, "init:stop"); /* what became of the sessions says more than its status */
}

static void on_leaving(void *context)
{
    struct node *node = context;

    log_event(LOG_INFO, "names.left", "global:disconnect/0");
    mesh_forget_peers(node->mesh);
}

/* As a BEAM node ends without it; this one hands its sessions over first. */
static void on_names_closed(void *context)
{
    struct node *node = context;

    if (sm_state(&node->life) != LIFE_SERVING)
        return;
    log_event(LOG_ERROR, "names.closed", "somebody has killed global_name_server");
    if (node->hosts)
        hosts_names_closed(node->hosts);
    leave(node, "no names any more");
}

/* What the functions of every node ask for. */

struct node_visit {
    void (*visit)(void *context, const char *node, bool hidden);
    void *context;
};

static void visit_peer(void *context, const struct peer_info *peer)
{
    const struct node_visit *visit = context;

    visit->visit(visit->context, peer->node, peer->hidden);
}

static void each_node(void *context,
                      void (*visit)(void *visit_context, const char *node, bool hidden),
                      void *visit_context)
{
    struct node *node = context;
    struct node_visit peers = {.visit = visit, .context = visit_context};

    network_each_peer(node->network, visit_peer, &peers);
}

static void measure(void *context, struct node_figures *ret_figures)
{
    struct node *node = context;

    figures_measure(&node->figures, ret_figures);
}

/* One turn of the loop: run who has messages, then write what they said, at a pace (pace.h). */
static uint64_t on_turn(void *context, uint64_t now_ms)
{
    struct node *node = context;
    uint64_t until_us = pace_turn_begins(&node->pace, loop_clock_us());
    uint64_t next_ms;
    uint32_t pause_us;

    pace_note_left(&node->pace, procs_answers_left(node->procs));
    do
        next_ms = procs_run(node->procs, now_ms);
    while (next_ms == 0 && loop_clock_us() < until_us);
    network_flush(node->network);
    pause_us = pace_pause_us(&node->pace, next_ms == 0, procs_answers_out(node->procs));
    if (pause_us > 0)
        loop_pause(node->loop, pause_us);
    pace_turn_ended(&node->pace, loop_clock_us());
    return next_ms;
}

/* Boot, lowest layer first. What an option is to blame for names it, and its value. */

__attribute__((format(printf, 3, 4))) static int blame(struct node *node, int error,
                                                       const char *format, ...)
{
    va_list arguments;

    if (error == 0 || error == -ENOMEM)
        return error;
    va_start(arguments, format);
    (void)vsnprintf(node->blame, sizeof node->blame, format, arguments);
    va_end(arguments);
    return error;
}

static int boot_network(struct node *node, const struct cookie *cookie)
{
    const struct config *config = node->config;
    struct network_config network = {
        .name = config->name,
        .cookie = cookie->text,
        .listen_address = config->listen_address,
        .listen_port = config->listen_port,
        .epmd_address = config->epmd_address,
        .epmd_port = config->epmd_port,
        .hidden = config->hidden,
        .net_ticktime_s = config->net_ticktime_s,
        .stall_ms = config->stall_ms,
        .connect = config->connect,
    };
    struct network_events events = {
        .context = node,
        .peer_up = on_peer_up,
        .peer_down = on_peer_down,
        .peer_ready = on_peer_ready,
        .deliver = on_signal_in,
        .ready = on_ready,
        .log = on_network_log,
    };

    return network_new(node->loop, &network, &events, &node->network);
}

static int boot_game(struct node *node, const struct cn_game *game)
{
    struct hosts_config hosts = {
        .context = node, .drain_started = on_drain_started, .drained = on_drained};
    int error = scopes_for_game(node->scopes, node->config, &hosts);

    if (error != 0)
        return error;
    game_settings(node->config, &hosts);
    return hosts_new(node->procs, node->functions, names_table(node->names), game, &hosts,
                     &node->hosts);
}

static int boot_application(struct node *node, const struct cn_application *application)
{
    int error;

    node->api.procs = node->procs;
    node->api.functions = node->functions;
    node->api.registry = names_registry(node->names);
    node->api.scopes = node->scopes;
    node->api.context = node;
    node->api.each_node = each_node;
    if ((error = api_functions_add(&node->api, application->functions)) != 0)
        return error;
    if (application->game && (error = boot_game(node, application->game)) != 0)
        return error;
    error = application->start ? application->start(&node->api) : 0;
    return blame(node, error, "start of %.64s: ", application->name);
}

static int boot_processes(struct node *node)
{
    struct transport transport = {
        .context = node, .send = send_out, .send_shared = send_out_shared};
    struct functions_hooks hooks = {
        .context = node, .each_node = each_node, .stop = on_stop_asked, .figures = measure};
    struct names_config names = {
        .hidden = node->config->hidden,
        .network = node->network,
        .context = node,
        .closed = on_names_closed,
        .leaving = on_leaving,
    };
    struct procs_limits limits = {.reached = on_limit};
    int error;

    if ((error = procs_new(node->config->name, network_creation(node->network), &transport, &limits,
                           &node->procs)) != 0)
        return error;
    if ((error = functions_new(node->procs, &node->functions)) != 0)
        return error;
    functions_set_hooks(node->functions, &hooks);
    if ((error = user_start(node->procs)) != 0)
        return error;
    if ((error = names_new(node->procs, node->functions, &names, &node->names)) != 0)
        return error;
    if ((error = scopes_new(node->procs, node->functions, node->network, &node->scopes)) != 0)
        return error;
    if ((error = releases_new(node->procs, &node->releases)) != 0)
        return error;
    return mesh_new(node->procs, dial, node, &node->mesh);
}

static int boot(struct node *node, const struct cookie *cookie,
                const struct cn_application *application)
{
    const struct config *config = node->config;
    int error;

    if ((error = loop_new(&node->loop)) != 0)
        return error;
    if ((error = boot_network(node, cookie)) != 0)
        return error;
    if ((error = boot_processes(node)) != 0)
        return error;
    if ((error = boot_application(node, application)) != 0)
        return error;
    loop_set_turn(node->loop, on_turn, node);
    if ((error = loop_watch_signals(node->loop, on_signal, node)) != 0)
        return error;
    if (config->stdin_lifeline && (error = loop_watch_stdin(node->loop, on_stdin_end, node)) != 0)
        return blame(node, error, "MINOTAUR_NODE_STDIN=lifeline, no pipe, socket or terminal: ");
    return blame(node, network_start(node->network),
                 "--listen %s, port %u: ", config->listen_address, config->listen_port);
}

static void shut_down(struct node *node)
{
    if (node->hosts)
        hosts_close(node->hosts);
    node->network = network_free(node->network);
    if (node->procs)
        node->procs = procs_free(node->procs);
    node->names = names_free(node->names);
    node->scopes = scopes_free(node->scopes);
    node->releases = releases_free(node->releases);
    node->mesh = mesh_free(node->mesh);
    node->functions = functions_free(node->functions);
    node->hosts = hosts_free(node->hosts);
    api_node_deinit(&node->api);
    node->loop = loop_free(node->loop);
}

int node_run(const struct config *config, const struct cookie *cookie,
             const struct cn_application *application)
{
    struct node node = {.config = config, .exit_code = EXIT_CANNOT_START};

    log_setup(config->log_level, config->log_format);
    sm_init(&node.life, &life_table, 0, LIFE_BOOT);
    figures_start(&node.figures);
    pace_init(&node.pace);
    api_node_init(&node.api);
    int error = boot(&node, cookie, application);
    if (error == 0) {
        sm_move(&node.life, LIFE_JOINING);
        loop_run(node.loop);
    } else {
        log_eventf(LOG_ERROR, "boot.failed", "%s%s", node.blame, error_name(error));
        sm_move(&node.life, LIFE_STOPPED);
    }
    shut_down(&node);
    log_eventf(LOG_INFO, "stopped", "exit code %d", node.exit_code);
    return node.exit_code;
}
