/*
 * The drain, driven by what happens: each end of a move, of a session or of the time pumps it once.
 *
 * How it fails: sessions that find no host, and those not moved when the time is over, are counted
 * as lost and say so in the exit code. A move that is under way at the end of the time may still
 * succeed: its target takes over when it sees this node go. It is counted as lost, for this node
 * cannot know.
 */
#include "session/drain.h"

#include <errno.h>
#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/conductor.h"
#include "session/forward.h"
#include "session/members.h"
#include "session/move.h"
#include "session/window.h"
#include "session/words.h"

#define HURRY_MS      1000
#define LAST_WORDS_MS 100
#define PROGRESS_MS   1000

enum drain_state {
    DRAIN_MOVING,
    DRAIN_FORWARDING,
    DRAIN_FINISHED,
};

static const struct sm_state states[] = {
    [DRAIN_MOVING] = {"moving", SM_TO(DRAIN_FORWARDING) | SM_TO(DRAIN_FINISHED), .initial = true},
    [DRAIN_FORWARDING] = {"forwarding", SM_TO(DRAIN_FINISHED)},
    [DRAIN_FINISHED] = {"finished", 0, .final = true},
};
static const struct sm_table table = SM_TABLE("drain", states);

struct drain {
    struct sm sm;
    struct hosts *hosts;
    struct hosts_summary summary;
    struct host_timer timer;    /* the deadline, then the wait for the forwarders' last words */
    struct host_timer progress; /* the next line about how far it is */
    uint64_t started_ms;
    uint64_t deadline_ms;
    struct list waiting; /* sessions to be moved */
    struct window window;
    struct list callers;
    bool going; /* everybody was told */
    bool pumping;
    bool expired; /* the time is over */
};

/* Somebody who called `:drain`. */
struct drain_caller {
    struct list link;
    struct gen_from *from;
};

static void pump(struct drain *drain);

static void write_figure(struct cn_writer *writer, const char *key, uint64_t value)
{
    cn_write_atom(writer, key);
    cn_write_unsigned(writer, value);
}

static void write_summary(const struct hosts_summary *summary, struct cn_writer *writer)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "ok");
    cn_write_map(writer, 6);
    write_figure(writer, "sessions", summary->sessions);
    write_figure(writer, "moved", summary->moved);
    write_figure(writer, "lost", summary->lost);
    write_figure(writer, "ms", summary->ms);
    write_figure(writer, "bytes", summary->bytes);
    cn_write_atom(writer, "stall_ms");
    cn_write_map(writer, 3);
    write_figure(writer, "p50", summary->stall_p50_ms);
    write_figure(writer, "p99", summary->stall_p99_ms);
    write_figure(writer, "max", summary->stall_max_ms);
}

static void answer_callers(struct drain *drain)
{
    struct cn_writer writer;
    struct list *link;

    cn_writer_init(&writer, 0);
    write_summary(&drain->summary, &writer);
    while ((link = list_pop(&drain->callers)) != NULL) {
        struct drain_caller *caller = container_of(link, struct drain_caller, link);

        if (cn_writer_error(&writer) == 0)
            gen_reply(drain->hosts->procs, caller->from, cn_writer_term(&writer));
        gen_from_free(caller->from);
        mem_free(caller);
    }
    cn_writer_free(&writer);
}

/* What is not moved by now is lost. */
static void count_lost(struct drain *drain)
{
    struct hosts_summary *summary = &drain->summary;

    summary->lost += list_count(&drain->waiting) + drain->window.moving;
    summary->lost += drain->hosts->table.unsettled;
    summary->sessions += drain->hosts->table.unsettled;
    summary->ms = procs_now_ms(drain->hosts->procs) - drain->started_ms;
}

static void tell_figures(struct drain *drain)
{
    const struct figures *figures = &drain->hosts->figures;
    struct hosts_summary *summary = &drain->summary;

    summary->bytes = figures->bytes;
    summary->stall_p50_ms = figures_stall_ms(figures, 50);
    summary->stall_p99_ms = figures_stall_ms(figures, 99);
    summary->stall_max_ms = figures->longest_ms;
}

static void progress_due(struct host_timer *timer);

static void tell_later(struct drain *drain)
{
    if (host_timer_start(drain->hosts, &drain->progress, PROGRESS_MS, progress_due) != 0)
        host_log(drain->hosts, HOSTS_LOG_WARNING, "the drain tells no progress: no memory");
}

/* A line for who watches: counts, and how long the rest takes at the speed so far. */
static void progress_due(struct host_timer *timer)
{
    struct drain *drain = container_of(timer, struct drain, progress);
    const struct hosts_summary *summary = &drain->summary;
    uint64_t over_ms = procs_now_ms(drain->hosts->procs) - drain->started_ms;
    uint64_t left = list_count(&drain->waiting) + drain->window.moving;
    uint64_t left_ms = summary->moved == 0 ? 0 : left * over_ms / summary->moved;

    host_log(drain->hosts, HOSTS_LOG_INFO,
             "draining: moved=%" PRIu64 " moving=%zu waiting=%" PRIu64 " lost=%" PRIu64
             " forwarders=%zu left_s=%" PRIu64,
             summary->moved, drain->window.moving, left - drain->window.moving, summary->lost,
             drain->hosts->table.forwarders, (left_ms + 999) / 1000);
    tell_later(drain);
}

static void finish(struct drain *drain)
{
    struct hosts *hosts = drain->hosts;
    struct hosts_summary *summary = &drain->summary;
    int exit_code;

    sm_move(&drain->sm, DRAIN_FINISHED);
    host_timer_stop(hosts, &drain->timer);
    host_timer_stop(hosts, &drain->progress);
    count_lost(drain);
    tell_figures(drain);
    exit_code = summary->lost == 0 ? HOSTS_EXIT_MOVED : HOSTS_EXIT_LOST;
    host_log(hosts, summary->lost == 0 ? HOSTS_LOG_INFO : HOSTS_LOG_ERROR,
             "drained: sessions=%" PRIu64 " moved=%" PRIu64 " lost=%" PRIu64 " ms=%" PRIu64
             " stall_p99_ms=%" PRIu64 " stall_max_ms=%" PRIu64,
             summary->sessions, summary->moved, summary->lost, summary->ms, summary->stall_p99_ms,
             summary->stall_max_ms);
    answer_callers(drain);
    members_bye(hosts);
    if (hosts->config.drained != NULL)
        hosts->config.drained(hosts->config.context, exit_code, summary);
}

static void last_words_said(struct host_timer *timer)
{
    finish(container_of(timer, struct drain, timer));
}

/* Who watches one learns where to go; also of those whose session had come back meanwhile. */
static void end_forwarders(struct hosts *hosts)
{
    struct session_key *key, *next;

    map_for_each(hosts->table.by_id, key, next) if (session_state(key->session) ==
                                                    SESSION_FORWARDING) forward_end(key->session);
    list_for_each_safe(link, &hosts->table.displaced)
        forward_end(container_of(link, struct session, contested));
}

/* The time is over: forwarders end, nothing else is waited for. */
static void expire(struct drain *drain)
{
    struct hosts *hosts = drain->hosts;

    if (drain->expired)
        return;
    drain->expired = true;
    host_timer_stop(hosts, &drain->timer);
    drain->pumping = true;
    end_forwarders(hosts);
    drain->pumping = false;
    if (hosts->table.forwarders == 0 ||
        host_timer_start(hosts, &drain->timer, LAST_WORDS_MS, last_words_said) != 0)
        finish(drain);
}

static void deadline(struct host_timer *timer)
{
    expire(container_of(timer, struct drain, timer));
}

static void set_deadline(struct drain *drain, uint64_t delay_ms)
{
    drain->deadline_ms = procs_now_ms(drain->hosts->procs) + delay_ms;
    if (host_timer_start(drain->hosts, &drain->timer, delay_ms, deadline) != 0)
        host_log(drain->hosts, HOSTS_LOG_ERROR, "the drain has no deadline: no memory");
}

static void moved(void *context, const struct move_outcome *outcome)
{
    struct drain *drain = context;

    if (drain->hosts->closing || sm_done(&drain->sm))
        return;
    drain->window.moving--;
    if (outcome->result == MOVE_MOVED) {
        drain->summary.moved++;
        window_take_stall(&drain->window, drain->hosts->figures.last_ms);
    } else if (outcome->result == MOVE_LOST)
        drain->summary.lost++;
    pump(drain);
}

/* Move @session, the first that waits, now; false: it must wait until others have moved. */
static bool move_one(struct drain *drain, struct session *session)
{
    struct cn_writer state;
    int error;

    if (session->stopping) {
        list_remove(&session->waiting);
        return true;
    }
    if (!move_is_due(drain->hosts))
        return false;
    error = move_export(session, &state);
    if (error == 0 && !move_has_room(drain->hosts, cn_writer_term(&state).size)) {
        cn_writer_free(&state);
        return false;
    }
    list_remove(&session->waiting);
    drain->window.moving++;
    if (error == 0)
        error = move_start(session, &state, moved, drain);
    else
        cn_writer_free(&state);
    if (error == 0)
        return true;
    drain->window.moving--;
    drain->summary.lost++;
    return true;
}

/* Start as many moves as may be, then see whether anything is left to wait for. */
static void pump(struct drain *drain)
{
    struct list *link;

    if (drain->pumping || sm_done(&drain->sm))
        return;
    drain->pumping = true;
    if (!drain->expired)
        move_resume(drain->hosts);
    while (!drain->expired && window_is_open(&drain->window) &&
           (link = list_first(&drain->waiting)) != NULL)
        if (!move_one(drain, container_of(link, struct session, waiting)))
            break;
    drain->pumping = false;
    if (!drain->expired && (!list_empty(&drain->waiting) || drain->window.moving > 0 ||
                            drain->hosts->table.unsettled > 0))
        return;
    if (sm_state(&drain->sm) == DRAIN_MOVING) {
        sm_move(&drain->sm, DRAIN_FORWARDING);
        if (drain->hosts->nameless)
            drain_hurry(drain->hosts);
    }
    if (drain->hosts->table.forwarders == 0)
        finish(drain);
}

/* The newest first: the last names that :global of a BEAM node took are those it gives up fast. */
static void add_session(struct drain *drain, struct session *session)
{
    drain->summary.sessions++;
    list_prepend(&drain->waiting, &session->waiting);
}

/* Refuse new sessions from now on. */
static int drain_begin(struct hosts *hosts)
{
    struct drain *drain = mem_zalloc(sizeof(*drain));

    if (drain == NULL)
        return -ENOMEM;
    hosts->drain = drain;
    drain->hosts = hosts;
    window_init(&drain->window);
    drain->started_ms = procs_now_ms(hosts->procs);
    hosts->figures = (struct figures){.moves = 0};
    list_init(&drain->waiting);
    list_init(&drain->callers);
    sm_init(&drain->sm, &table, ++hosts->sequence, DRAIN_MOVING);
    return 0;
}

/* Tell everybody and begin to move, once. */
static void drain_go(struct drain *drain)
{
    struct hosts *hosts = drain->hosts;
    struct session_key *key, *next;

    if (drain->going)
        return;
    drain->going = true;
    /* What the conductor moves is on its way already. */
    drain->window.moving = conductor_yield(hosts);
    drain->summary.sessions = drain->window.moving;
    map_for_each(hosts->table.by_id, key,
                 next) if (session_state(key->session) == SESSION_RUNNING &&
                           key->session->move == NULL) add_session(drain, key->session);
    host_log(hosts, HOSTS_LOG_INFO, "draining: sessions=%" PRIu64, drain->summary.sessions);
    if (hosts->config.drain_started != NULL)
        hosts->config.drain_started(hosts->config.context);
    members_tell_all(hosts);
    set_deadline(drain, (uint64_t)hosts->config.drain_seconds * 1000);
    tell_later(drain);
    pump(drain);
}

int drain_start(struct hosts *hosts)
{
    int error = hosts->drain == NULL ? drain_begin(hosts) : 0;

    if (error == 0)
        drain_go(hosts->drain);
    return error;
}

/* Keep the caller until the drain is over. */
static int add_caller(struct drain *drain, const struct gen_from *from)
{
    struct drain_caller *caller = mem_zalloc(sizeof(*caller));

    if (caller == NULL)
        return -ENOMEM;
    caller->from = gen_from_copy(from);
    if (caller->from == NULL) {
        mem_free(caller);
        return -ENOMEM;
    }
    list_init(&caller->link);
    list_append(&drain->callers, &caller->link);
    if (sm_done(&drain->sm))
        answer_callers(drain);
    return 0;
}

void drain_call(struct hosts *hosts, const struct gen_from *from)
{
    int error = 0;

    /* The caller is kept first: with nothing to move the drain is over before drain_start returns.
     */
    if (hosts->drain == NULL)
        error = drain_begin(hosts);
    if (error == 0)
        error = add_caller(hosts->drain, from);
    if (error != 0)
        gen_reply(hosts->procs, from, words_no_memory());
    if (hosts->drain != NULL)
        drain_go(hosts->drain);
}

void drain_hurry(struct hosts *hosts)
{
    struct drain *drain = hosts->drain;

    if (drain == NULL || sm_done(&drain->sm) || drain->expired ||
        drain->deadline_ms <= procs_now_ms(hosts->procs) + HURRY_MS)
        return;
    set_deadline(drain, HURRY_MS);
}

void drain_abort(struct hosts *hosts)
{
    if (hosts->drain != NULL && !sm_done(&hosts->drain->sm))
        finish(hosts->drain);
}

/* What a session held is executed as it begins to run, and may end it or make it give way. */
static bool is_owner(const struct session *session)
{
    return !session->stopping && session_state(session) == SESSION_RUNNING;
}

void drain_session_runs(struct hosts *hosts, struct session *session)
{
    struct drain *drain = hosts->drain;

    if (drain == NULL || sm_done(&drain->sm) || !is_owner(session))
        return;
    add_session(drain, session);
    pump(drain);
}

void drain_session_is_back(struct hosts *hosts, struct session *session)
{
    struct drain *drain = hosts->drain;

    if (drain == NULL || sm_done(&drain->sm) || !is_owner(session))
        return;
    if (drain->summary.moved > 0) {
        drain->summary.moved--;
        drain->summary.sessions--;
    }
    drain_session_runs(hosts, session);
}

void drain_conducted(struct hosts *hosts, const struct move_outcome *outcome)
{
    struct drain *drain = hosts->drain;

    if (drain == NULL || !drain->going || sm_done(&drain->sm))
        return;
    if (outcome->result != MOVE_LOST) {
        moved(drain, outcome);
        return;
    }
    drain->window.moving--;
    drain->summary.sessions--;
    drain_session_runs(hosts, outcome->session);
}

void drain_go_on(struct hosts *hosts)
{
    if (hosts->drain != NULL && !hosts->closing)
        pump(hosts->drain);
}

void drain_free(struct hosts *hosts)
{
    struct drain *drain = hosts->drain;
    struct list *link;

    if (drain == NULL)
        return;
    while ((link = list_pop(&drain->callers)) != NULL) {
        struct drain_caller *caller = container_of(link, struct drain_caller, link);

        gen_from_free(caller->from);
        mem_free(caller);
    }
    mem_free(drain);
    hosts->drain = NULL;
}
