/*
 * The event loop on libuv.
 *
 * The node's turn runs in a prepare handle: libuv calls it after all input of the last poll was
 * delivered and just before it sleeps again, and computes its sleep afterwards, so what the turn
 * asks for counts at once. Work left is an idle handle (no sleep at all), a wanted moment is one
 * timer. All other timers of the layer live in one heap behind one libuv timer, so that setting
 * one cannot fail and nothing must be closed when its owner goes.
 *
 * How it fails: only in loop_new and when a watch is set up; libuv aborts when the kernel refuses
 * an epoll operation that cannot fail.
 */
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"
#include "net/lookout.h"

#define SIGNALS 3

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    struct lookout lookout;
    bool paused;           /* in this turn: then input is there, or was not awaited */
    uv_idle_t busy;        /* runs while the turn has work left */
    uv_timer_t turn_timer; /* the next wanted turn */
    uv_timer_t heap_timer; /* the next of `timers` */
    struct heap timers;
    bool expiring; /* in on_heap_timer, which aims anew at its end */
    loop_turn turn;
    void *turn_context;
    uv_signal_t signals[SIGNALS];
    void (*on_signal)(void *context, int signum);
    void *signal_context;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
        uv_tcp_t tcp;
    } standard_input;
    void (*on_end)(void *context);
    void *end_context;
};

static void on_nothing(uv_timer_t *timer)
{
}

static void on_busy(uv_idle_t *idle)
{
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    uint64_t now = uv_now(&loop->uv);
    uint64_t wanted;

    loop->paused = false;
    if (loop->turn == NULL)
        return;
    wanted = loop->turn(loop->turn_context, now);
    if (wanted <= now) {
        uv_idle_start(&loop->busy, on_busy);
        return;
    }
    uv_idle_stop(&loop->busy);
    if (wanted == UINT64_MAX)
        uv_timer_stop(&loop->turn_timer);
    else
        uv_timer_start(&loop->turn_timer, on_nothing, wanted - now, 0);
    if (!loop->paused)
        lookout_begin(&loop->lookout, uv_backend_fd(&loop->uv));
}

static void on_check(uv_check_t *check)
{
    struct loop *loop = check->data;

    lookout_end(&loop->lookout);
}

static void on_heap_timer(uv_timer_t *timer);

/* Aim the one libuv timer at the first of ours, @delay_min_ms from now at the earliest. */
static void rearm(struct loop *loop, uint64_t delay_min_ms)
{
    struct heap_item *first = heap_peek(&loop->timers);
    uint64_t now = uv_now(&loop->uv);
    uint64_t delay_ms = delay_min_ms;

    if (first == NULL) {
        uv_timer_stop(&loop->heap_timer);
        return;
    }
    if (first->key > now + delay_min_ms)
        delay_ms = first->key - now;
    uv_timer_start(&loop->heap_timer, on_heap_timer, delay_ms, 0);
}

/*
 * One round for all that is due. What is started meanwhile waits a millisecond: libuv would call
 * us again at once, and a timer that always starts itself anew would lock out all input.
 */
static void on_heap_timer(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    uint64_t now = uv_now(&loop->uv);
    size_t left = loop->timers.count;
    struct heap_item *item;

    loop->expiring = true;
    while (left-- > 0 && (item = heap_pop_until(&loop->timers, now)) != NULL) {
        struct loop_timer *due = container_of(item, struct loop_timer, item);

        due->expired(due->context);
    }
    loop->expiring = false;
    rearm(loop, 1);
}

int loop_new(struct loop **ret_loop)
{
    struct loop *loop = mem_zalloc(sizeof(*loop));
    int rc;

    if (loop == NULL)
        return -ENOMEM;
    rc = uv_loop_init(&loop->uv);
    if (rc != 0) {
        mem_free(loop);
        return rc;
    }
    heap_init(&loop->timers);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->busy);
    uv_timer_init(&loop->uv, &loop->turn_timer);
    uv_timer_init(&loop->uv, &loop->heap_timer);
    loop->prepare.data = loop;
    loop->heap_timer.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_init(&loop->uv, &loop->check);
    loop->check.data = loop;
    uv_check_start(&loop->check, on_check);
    (void)signal(SIGPIPE, SIG_IGN);
    *ret_loop = loop;
    return 0;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

struct loop *loop_free(struct loop *loop)
{
    if (loop == NULL)
        return NULL;
    loop->turn = NULL;
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    cn_assert(uv_loop_close(&loop->uv) == 0);
    mem_free(loop);
    return NULL;
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t loop_clock_us(void)
{
    return uv_hrtime() / 1000;
}

void loop_pause(struct loop *loop, uint32_t pause_us)
{
    struct timespec pause = {.tv_nsec = (long)pause_us * 1000};

    cn_assert(pause_us < 1000000);
    (void)nanosleep(&pause, NULL);
    loop->paused = true;
}

int64_t loop_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

void loop_set_turn(struct loop *loop, loop_turn turn, void *context)
{
    loop->turn = turn;
    loop->turn_context = context;
    if (turn == NULL) {
        uv_idle_stop(&loop->busy);
        uv_timer_stop(&loop->turn_timer);
    }
}

static void on_uv_signal(uv_signal_t *handle, int signum)
{
    struct loop *loop = handle->data;

    loop->on_signal(loop->signal_context, signum);
}

int loop_watch_signals(struct loop *loop, void (*on_signal)(void *context, int signum),
                       void *context)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    int rc = 0;

    loop->on_signal = on_signal;
    loop->signal_context = context;
    for (int i = 0; i < SIGNALS && rc == 0; i++) {
        rc = uv_signal_init(&loop->uv, &loop->signals[i]);
        loop->signals[i].data = loop;
        if (rc == 0)
            rc = uv_signal_start(&loop->signals[i], on_uv_signal, numbers[i]);
        uv_unref((uv_handle_t *)&loop->signals[i]);
    }
    return rc;
}

/* Input itself means nothing, only its end does. */
static void on_stdin_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    static char nowhere[4096];

    *ret_buffer = uv_buf_init(nowhere, sizeof(nowhere));
}

static void on_stdin_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct loop *loop = stream->data;

    if (size >= 0)
        return;
    uv_close((uv_handle_t *)stream, NULL);
    loop->on_end(loop->end_context);
}

static int open_stdin(struct loop *loop)
{
    int rc;

    switch (uv_guess_handle(STDIN_FILENO)) {
    case UV_NAMED_PIPE:
        rc = uv_pipe_init(&loop->uv, &loop->standard_input.pipe, 0);
        return rc != 0 ? rc : uv_pipe_open(&loop->standard_input.pipe, STDIN_FILENO);
    case UV_TTY:
        return uv_tty_init(&loop->uv, &loop->standard_input.tty, STDIN_FILENO, 0);
    case UV_TCP:
        rc = uv_tcp_init(&loop->uv, &loop->standard_input.tcp);
        return rc != 0 ? rc : uv_tcp_open(&loop->standard_input.tcp, STDIN_FILENO);
    default:
        return -ENOTSUP;
    }
}

int loop_watch_stdin(struct loop *loop, void (*on_end)(void *context), void *context)
{
    int rc = open_stdin(loop);

    if (rc != 0)
        return rc;
    loop->on_end = on_end;
    loop->end_context = context;
    loop->standard_input.stream.data = loop;
    return uv_read_start(&loop->standard_input.stream, on_stdin_alloc, on_stdin_read);
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*expired)(void *context),
                     void *context)
{
    heap_item_init(&timer->item);
    timer->loop = loop;
    timer->expired = expired;
    timer->context = context;
}

void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms)
{
    struct loop *loop = timer->loop;

    heap_remove(&loop->timers, &timer->item);
    heap_insert(&loop->timers, &timer->item, uv_now(&loop->uv) + delay_ms);
    if (!loop->expiring)
        rearm(loop, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (!heap_holds(&timer->item))
        return;
    heap_remove(&timer->loop->timers, &timer->item);
    if (!timer->loop->expiring)
        rearm(timer->loop, 0);
}

bool loop_timer_running(const struct loop_timer *timer)
{
    return heap_holds(&timer->item);
}
