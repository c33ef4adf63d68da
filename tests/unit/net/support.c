/*
 * What the tests of net/ share.
 *
 * A child process gets PR_SET_PDEATHSIG, so that nothing outlives a test that is killed; EPMD runs
 * in the foreground as such a child, never as a daemon.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "dist/node_name.h"

#define NODES (sizeof(((struct world *)NULL)->nodes) / sizeof(struct node *))

uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

void program_start(struct program *program, const char *const *arguments,
                   const char *const *environment)
{
    int in[2];
    int out[2];

    *program = (struct program){.pid = -1};
    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    program->pid = fork();
    ck_assert_int_ge(program->pid, 0);
    if (program->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        for (; environment != NULL && *environment != NULL; environment += 2)
            setenv(environment[0], environment[1], 1);
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    program->in = in[1];
    program->out = out[0];
    fcntl(program->out, F_SETFL, O_NONBLOCK);
}

void program_tell(struct program *program, const char *text)
{
    ck_assert_int_eq(write(program->in, text, strlen(text)), (ssize_t)strlen(text));
}

void program_stop(struct program *program)
{
    if (program->pid <= 0)
        return;
    close(program->in);
    close(program->out);
    kill(program->pid, SIGKILL);
    waitpid(program->pid, NULL, 0);
    program->pid = -1;
}

static void program_read(struct program *program)
{
    size_t room = sizeof(program->said) - 1 - program->said_size;
    ssize_t size = read(program->out, program->said + program->said_size, room);

    if (size > 0)
        program->said_size += (size_t)size;
    program->said[program->said_size] = '\0';
}

bool program_said(const struct program *program, const char *text)
{
    return strstr(program->said, text) != NULL;
}

static bool epmd_answers(const struct world *world)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(world->epmd_port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return good;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void world_start_epmd(struct world *world)
{
    uint64_t deadline = now_ms() + WORLD_DEADLINE_MS;
    char port[16];

    text_format(port, sizeof(port), "%u", world->epmd_port);
    program_start(&world->epmd, (const char *[]){"epmd", "-port", port, NULL}, NULL);
    while (!epmd_answers(world) && now_ms() < deadline)
        sched_yield();
    ck_assert(epmd_answers(world));
}

void world_stop_epmd(struct world *world)
{
    program_stop(&world->epmd);
}

void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->epmd.pid = -1;
    ck_assert_int_ge(sodium_init(), 0);
    ck_assert_int_eq(loop_new(&world->loop), 0);
    world->epmd_port = free_port();
    world_start_epmd(world);
}

void world_deinit(struct world *world)
{
    world->loop = loop_free(world->loop);
    world_stop_epmd(world);
}

static uint64_t on_turn(void *context, uint64_t now)
{
    struct world *world = context;

    for (size_t i = 0; i < sizeof(world->watched) / sizeof(world->watched[0]); i++) {
        if (world->watched[i] != NULL && world->watched[i]->pid > 0)
            program_read(world->watched[i]);
    }
    for (size_t i = 0; i < NODES; i++) {
        if (world->nodes[i] != NULL && world->nodes[i]->network != NULL)
            network_flush(world->nodes[i]->network);
    }
    world->came_true = world->condition(world->context);
    if (world->came_true || now_ms() > world->deadline_ms)
        loop_stop(world->loop);
    return now + 5;
}

bool world_until(struct world *world, bool (*condition)(void *context), void *context)
{
    world->condition = condition;
    world->context = context;
    world->deadline_ms = now_ms() + WORLD_DEADLINE_MS;
    loop_set_turn(world->loop, on_turn, world);
    loop_run(world->loop);
    loop_set_turn(world->loop, NULL, NULL);
    return world->came_true;
}

static void hear(struct node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void hear(struct node *node, const char *format, ...)
{
    va_list arguments;

    if (node->heard_count == HEARD_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(node->heard[node->heard_count++], sizeof(node->heard[0]), format, arguments);
    va_end(arguments);
}

static void on_peer_up(void *context, const struct peer_info *peer)
{
    struct node *node = context;

    node->peer_creation = peer->creation;
    hear(node, "up %s%s%s", peer->node, peer->hidden ? " hidden" : "",
         peer->initiated ? " initiated" : "");
}

static void on_peer_down(void *context, const char *name, const char *reason)
{
    hear(context, "down %s %s", name, reason);
}

static void on_peer_ready(void *context, const char *name)
{
    struct node *node = context;

    node->ready_bytes = network_queued_bytes(node->network, name);
    hear(node, "reads %s", name);
}

static int on_deliver(void *context, const struct peer_info *peer, const struct control *control,
                      struct cn_term message)
{
    struct node *node = context;

    /* What every BEAM sends unasked to a visible node that came up. */
    if (cn_bytes_equal(control->to_name, "global_name_server") ||
        cn_bytes_equal(control->to_name, "rex"))
        return 0;
    node->delivered++;
    node->delivered_bytes += message.size;
    node->last = *control;
    text_copy_bytes(node->last_name, sizeof(node->last_name), control->to_name.data,
                    control->to_name.size);
    node->last_message_size = message.size;
    if (message.size > 0 && message.size <= sizeof(node->last_message))
        memcpy(node->last_message, message.data, message.size);
    hear(node, "deliver %d from %s to %s", control->op, peer->node, node->last_name);
    return node->deliver_answer;
}

static void on_published(void *context, uint32_t creation)
{
    struct node *node = context;

    node->creation = creation;
    hear(node, "published");
}

static void on_ready(void *context, uint16_t port)
{
    struct node *node = context;

    node->port = port;
    hear(node, "ready");
}

static void on_log(void *context, int level, const char *event, const char *detail)
{
    hear(context, "log %s: %s", event, detail);
}

struct network_config node_init(struct node *node, struct world *world, const char *prefix,
                                const char *cookie)
{
    memset(node, 0, sizeof(*node));
    node->world = world;
    text_format(node->name, sizeof(node->name), "%s%08x@127.0.0.1", prefix, randombytes_random());
    text_copy(node->cookie, sizeof(node->cookie), cookie);
    return (struct network_config){
        .name = node->name,
        .cookie = node->cookie,
        .listen_address = "127.0.0.1",
        .epmd_port = world->epmd_port,
        .net_ticktime_s = 60,
    };
}

int node_try_start(struct node *node, const struct network_config *config)
{
    const struct network_events events = {
        .context = node,
        .peer_up = on_peer_up,
        .peer_down = on_peer_down,
        .peer_ready = on_peer_ready,
        .deliver = on_deliver,
        .published = on_published,
        .ready = on_ready,
        .log = on_log,
    };

    int rc = network_new(node->world->loop, config, &events, &node->network);

    if (rc == 0)
        rc = network_start(node->network);
    for (size_t i = 0; i < NODES; i++) {
        if (node->world->nodes[i] == NULL) {
            node->world->nodes[i] = node;
            return rc;
        }
    }
    ck_abort_msg("too many nodes");
}

void node_start(struct node *node, const struct network_config *config)
{
    ck_assert_int_eq(node_try_start(node, config), 0);
}

void node_start_ready(struct node *node, const struct network_config *config)
{
    node_start(node, config);
    ck_assert(node_wait(node, "ready"));
}

void node_deinit(struct node *node)
{
    for (size_t i = 0; node->world != NULL && i < NODES; i++) {
        if (node->world->nodes[i] == node)
            node->world->nodes[i] = NULL;
    }
    node->network = network_free(node->network);
}

size_t node_find(const struct node *node, const char *prefix, size_t from)
{
    for (size_t i = from; i < node->heard_count; i++) {
        if (text_begins(node->heard[i], prefix))
            return i;
    }
    return HEARD_MAX;
}

bool node_heard(const struct node *node, const char *prefix)
{
    return node_find(node, prefix, 0) != HEARD_MAX;
}

size_t node_count(const struct node *node, const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < node->heard_count; i++)
        count += text_begins(node->heard[i], prefix) ? 1 : 0;
    return count;
}

struct waiting {
    struct node *node;
    const char *prefix;
};

static bool has_heard(void *context)
{
    const struct waiting *waiting = context;

    return node_heard(waiting->node, waiting->prefix);
}

bool node_wait(struct node *node, const char *prefix)
{
    struct waiting waiting = {node, prefix};

    if (world_until(node->world, has_heard, &waiting))
        return true;
    printf("%s never heard \"%s\"\n", node->name, prefix);
    node_print(node);
    return false;
}

void node_print(const struct node *node)
{
    for (size_t i = 0; i < node->heard_count; i++)
        printf("  %s: %s\n", node->name, node->heard[i]);
    if (node->heard_count == HEARD_MAX)
        printf("  %s: what it heard later was not kept\n", node->name);
    fflush(stdout);
}

struct seeing {
    const char *name;
    bool seen;
};

static void look(void *context, const struct peer_info *peer)
{
    struct seeing *seeing = context;

    seeing->seen = seeing->seen || strcmp(peer->node, seeing->name) == 0;
}

bool node_sees(const struct node *node, const char *other)
{
    struct seeing seeing = {.name = other};

    network_each_peer(node->network, look, &seeing);
    return seeing.seen;
}

int node_send_text(struct node *node, const char *peer, const char *to, const char *text)
{
    struct control control = {.op = CONTROL_REG_SEND,
                              .has_from = true,
                              .from = {.id = 1, .creation = network_creation(node->network)},
                              .to_name = {(const uint8_t *)to, strlen(to)}};
    struct cn_writer writer;
    int rc;

    text_copy(control.from.node, sizeof(control.from.node), node->name);
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_integer(&writer, 1);
    cn_write_string(&writer, text);
    rc = network_send(node->network, peer, &control, cn_writer_term(&writer));
    cn_writer_free(&writer);
    return rc;
}

void beam_start(struct program *program, struct world *world, const char *name, const char *cookie,
                const char *expression)
{
    char port[16];

    text_format(port, sizeof(port), "%u", world->epmd_port);
    program_start(program,
                  (const char *[]){"erl", "-noinput", "-start_epmd", "false", "-name", name,
                                   "-setcookie", cookie, "-eval", expression, NULL},
                  (const char *[]){"ERL_EPMD_PORT", port, "ERL_CRASH_DUMP_SECONDS", "0", NULL});
    for (size_t i = 0; i < sizeof(world->watched) / sizeof(world->watched[0]); i++) {
        if (world->watched[i] == NULL || world->watched[i] == program) {
            world->watched[i] = program;
            return;
        }
    }
    ck_abort_msg("too many programs are watched");
}

struct listening {
    struct program *program;
    const char *text;
};

static bool has_said(void *context)
{
    const struct listening *listening = context;

    return program_said(listening->program, listening->text);
}

bool program_wait(struct world *world, struct program *program, const char *text)
{
    struct listening listening = {program, text};

    if (world_until(world, has_said, &listening))
        return true;
    printf("the program never said \"%s\", only:\n%s\n", text, program->said);
    fflush(stdout);
    return false;
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
