/*
 * The host process, and the one that waits for it.
 *
 * The host process, which everybody knows, only answers: messages go to the membership, calls to
 * requests.c. Calls to other nodes, timers and monitors belong to a second process without a name,
 * so that nothing is lost when somebody kills the first: it starts again at once, as a
 * supervisor would let it, and tells the other hosts its new pid.
 *
 * Each has a box with a pointer to the hosts as its state, so that a process that ends later than
 * the hosts (a start that failed half-way) finds nothing rather than freed memory.
 */
#include "session/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/drain.h"
#include "session/dropped.h"
#include "session/members.h"
#include "session/requests.h"

#define WAITER_MODULE "Elixir.Minotaur.SessionHost.Waiter"
#define LOG_LINE_MAX  512

struct host_box {
    struct hosts *hosts; /* NULL: gone */
};

static void handle_call(struct gen_server *self, void *state, const struct gen_from *from,
                        struct cn_term request)
{
    struct host_box *box = state;

    if (box->hosts != NULL)
        requests_call(box->hosts, from, request);
}

static void handle_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct host_box *box = state;

    if (box->hosts != NULL && !members_message(box->hosts, message))
        dropped_log(box->hosts, "host process: unknown message dropped");
}

static void handle_cast(struct gen_server *self, void *state, struct cn_term message)
{
    struct host_box *box = state;

    if (box->hosts != NULL)
        dropped_log(box->hosts, "host process: unknown cast dropped");
}

static void handle_timer(struct gen_server *self, void *state, uint64_t id)
{
    struct host_box *box = state;

    if (box->hosts == NULL)
        return;
    list_for_each_safe(link, &box->hosts->timers) {
        struct host_timer *timer = container_of(link, struct host_timer, link);

        if (timer->id == id) {
            list_remove(&timer->link);
            timer->id = 0;
            timer->fire(timer);
            return;
        }
    }
}

static int format_state(void *state, struct cn_writer *writer)
{
    struct host_box *box = state;

    if (box->hosts == NULL)
        cn_write_atom(writer, "nil");
    else
        host_write_info(box->hosts, writer);
    return cn_writer_error(writer);
}

static void forget_timers(struct hosts *hosts)
{
    struct list *link;

    while ((link = list_pop(&hosts->timers)) != NULL)
        container_of(link, struct host_timer, link)->id = 0;
}

/* What waited for it would wait for ever, so the node does not go on. */
static void waiter_ended(struct gen_server *self, void *state, struct cn_term reason)
{
    struct host_box *box = state;
    struct hosts *hosts = box->hosts;

    mem_free(box);
    if (hosts == NULL)
        return;
    hosts->server = NULL;
    hosts->box = NULL;
    forget_timers(hosts);
    if (hosts->closing)
        return;
    host_log(hosts, HOSTS_LOG_ERROR, "the host's waiter has been killed: hosting is over");
    hosts_drain_abort(hosts);
}

static int front_start(struct hosts *hosts);

static void front_ended(struct gen_server *self, void *state, struct cn_term reason)
{
    struct host_box *box = state;
    struct hosts *hosts = box->hosts;

    mem_free(box);
    if (hosts == NULL)
        return;
    hosts->front = NULL;
    hosts->front_box = NULL;
    if (hosts->closing)
        return;
    if (front_start(hosts) == 0) {
        host_log(hosts, HOSTS_LOG_WARNING, "the host process has ended: started again");
        members_tell_all(hosts);
    } else {
        host_log(hosts, HOSTS_LOG_ERROR, "the host process has ended: hosting is over");
        hosts_drain_abort(hosts);
    }
}

static const struct gen_server_callbacks waiter_callbacks = {
    .module = WAITER_MODULE,
    .handle_info = handle_info,
    .handle_timer = handle_timer,
    .terminate = waiter_ended,
};

static const struct gen_server_callbacks front_callbacks = {
    .module = HOSTS_NAME,
    .handle_call = handle_call,
    .handle_cast = handle_cast,
    .handle_info = handle_info,
    .format_state = format_state,
    .terminate = front_ended,
};

/* Start a process whose box is empty. */
static int start(struct hosts *hosts, const struct gen_server_callbacks *callbacks,
                 struct host_box **ret_box, struct gen_server **ret_server)
{
    struct host_box *box = mem_zalloc(sizeof(*box));
    int error;

    if (box == NULL)
        return -ENOMEM;
    error = gen_server_start(hosts->procs, callbacks, box, ret_server);
    if (error != 0) {
        mem_free(box);
        return error;
    }
    *ret_box = box;
    return 0;
}

static int front_start(struct hosts *hosts)
{
    struct host_box *box;
    struct gen_server *server;
    int error = start(hosts, &front_callbacks, &box, &server);

    if (error != 0)
        return error;
    error = process_register(gen_server_process(server), HOSTS_NAME);
    if (error != 0) {
        gen_server_stop_atom(server, "normal");
        return error;
    }
    box->hosts = hosts;
    hosts->front_box = box;
    hosts->front = server;
    return 0;
}

int host_start(struct hosts *hosts)
{
    int error = start(hosts, &waiter_callbacks, &hosts->box, &hosts->server);

    if (error != 0)
        return error;
    hosts->box->hosts = hosts;
    error = front_start(hosts);
    if (error != 0)
        host_forget(hosts);
    return error;
}

static void forget(struct host_box **box, struct gen_server **server)
{
    if (*box == NULL)
        return;
    (*box)->hosts = NULL;
    *box = NULL;
    gen_server_stop_atom(*server, "normal");
    *server = NULL;
}

void host_forget(struct hosts *hosts)
{
    if (hosts->box != NULL)
        forget_timers(hosts);
    forget(&hosts->box, &hosts->server);
    forget(&hosts->front_box, &hosts->front);
}

const struct cn_pid *host_pid(const struct hosts *hosts)
{
    return hosts->front == NULL ? NULL : gen_server_pid(hosts->front);
}

int host_call(struct hosts *hosts, const struct dest *dest, struct cn_term request,
              uint32_t timeout_ms, call_done done, void *context, struct call **ret_call)
{
    if (hosts->server == NULL)
        return CN_E_CLOSED;
    return call_start(hosts->server, dest, request, timeout_ms, done, context, ret_call);
}

int host_send(struct hosts *hosts, const struct dest *dest, struct cn_term message)
{
    const struct process *self = hosts->server == NULL ? NULL : gen_server_process(hosts->server);

    return procs_send(hosts->procs, self, dest, message);
}

int host_timer_start(struct hosts *hosts, struct host_timer *timer, uint64_t delay_ms,
                     void (*fire)(struct host_timer *timer))
{
    int error;

    if (hosts->server == NULL)
        return CN_E_CLOSED;
    host_timer_stop(hosts, timer);
    error = process_start_timer(gen_server_process(hosts->server), delay_ms, &timer->id);
    if (error != 0) {
        timer->id = 0;
        return error;
    }
    timer->fire = fire;
    list_init(&timer->link);
    list_append(&hosts->timers, &timer->link);
    return 0;
}

void host_timer_stop(struct hosts *hosts, struct host_timer *timer)
{
    if (timer->id == 0)
        return;
    if (hosts->server != NULL)
        process_cancel_timer(gen_server_process(hosts->server), timer->id);
    timer->id = 0;
    list_remove(&timer->link);
}

void operation_begin(struct hosts *hosts, struct operation *operation,
                     void (*release)(struct operation *operation))
{
    operation->release = release;
    list_init(&operation->link);
    list_append(&hosts->operations, &operation->link);
}

void operation_end(struct operation *operation)
{
    list_remove(&operation->link);
}

static void write_versions(const struct hosts *hosts, struct cn_writer *writer)
{
    const uint32_t *versions = hosts->game->state_versions;
    uint32_t count = 0;

    while (versions[count] != 0)
        count++;
    if (count > 0)
        cn_write_list(writer, count);
    for (uint32_t i = 0; i < count; i++)
        cn_write_unsigned(writer, versions[i]);
    cn_write_nil(writer);
}

void host_write_info(const struct hosts *hosts, struct cn_writer *writer)
{
    const struct cn_pid *pid = host_pid(hosts);

    if (pid == NULL) {
        cn_write_atom(writer, "nil");
        return;
    }
    cn_write_map(writer, 9);
    cn_write_atom(writer, "node");
    cn_write_atom(writer, procs_node(hosts->procs));
    cn_write_atom(writer, "pid");
    cn_write_pid(writer, pid);
    cn_write_atom(writer, "incarnation");
    cn_write_unsigned(writer, pid->creation);
    cn_write_atom(writer, "protocol");
    cn_write_integer(writer, HOSTS_PROTOCOL);
    cn_write_atom(writer, "app_version");
    cn_write_string(writer, hosts->config.app_version);
    cn_write_atom(writer, "state_versions");
    write_versions(hosts, writer);
    cn_write_atom(writer, "draining");
    cn_write_bool(writer, host_draining(hosts));
    cn_write_atom(writer, "sessions");
    cn_write_unsigned(writer, session_table_owned(&hosts->table));
    cn_write_atom(writer, "capacity");
    cn_write_unsigned(writer, hosts->config.capacity);
}

bool host_draining(const struct hosts *hosts)
{
    return hosts->drain != NULL || hosts->cordoned;
}

bool host_full(const struct hosts *hosts)
{
    return session_table_owned(&hosts->table) >= hosts->config.capacity;
}

struct cn_game_env host_env(const struct hosts *hosts)
{
    int64_t wall_ms = hosts->config.wall_ms(hosts->config.context);

    return (struct cn_game_env){
        .now_s = wall_ms / 1000,
        .round_seconds = hosts->config.round_seconds,
        .random_context = hosts->config.context,
        .random = hosts->config.random,
    };
}

void host_log(const struct hosts *hosts, enum hosts_log level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;

    if (hosts->config.log == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    hosts->config.log(hosts->config.context, level, line);
}
