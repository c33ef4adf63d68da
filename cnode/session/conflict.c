/*
 * Claims between owners; the order of owners is total, so exactly one of two stays.
 *
 * Sessions that may have another owner are on one list; when a host comes a slice of it asks per
 * turn of the loop, so that many of them stall nobody.
 */
#include "session/conflict.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "session/arrivals.h"
#include "session/carried_out.h"
#include "session/events.h"
#include "session/forward.h"
#include "session/host.h"
#include "session/locate.h"
#include "session/move.h"
#include "session/naming.h"
#include "session/words.h"

#define SLICE     64
#define CONTEST_S 3600

/* What an owner says of itself. */
struct claim {
    uint64_t epoch;
    uint64_t version;
    struct cn_pid pid;
    struct cn_bytes done; /* of one that yields: what it carried out */
};

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Compare two owners: whose is less ends. */
static int compare(const struct claim *a, const struct claim *b)
{
    int result = order(a->epoch, b->epoch);

    if (result == 0)
        result = order(a->version, b->version);
    if (result == 0)
        result = strcmp(a->pid.node, b->pid.node);
    if (result == 0)
        result = order(a->pid.serial, b->pid.serial);
    return result != 0 ? result : order(a->pid.id, b->pid.id);
}

static struct claim own_claim(const struct session *session)
{
    return (struct claim){
        .epoch = session->epoch, .version = session->version, .pid = *session_pid(session)};
}

static void write_claim(const struct session *session, const char *word, uint32_t arity,
                        struct cn_writer *writer)
{
    cn_writer_init(writer, 0);
    cn_write_tuple(writer, arity);
    cn_write_atom(writer, word);
    cn_write_binary(writer, session_id(session));
    cn_write_unsigned(writer, session->epoch);
    cn_write_unsigned(writer, session->version);
    cn_write_pid(writer, session_pid(session));
}

static void say(struct session *session, const struct cn_pid *to, struct cn_writer *writer)
{
    if (cn_writer_error(writer) == 0)
        session_send(session, to, cn_writer_term(writer));
    cn_writer_free(writer);
}

static void say_claim(struct session *session, const struct cn_pid *to)
{
    struct cn_writer writer;

    write_claim(session, "session_claim", 5, &writer);
    say(session, to, &writer);
}

static void say_yield(struct session *session, const struct cn_pid *to)
{
    uint8_t done[CARRIED_OUT_BYTES_MAX];
    struct cn_bytes bytes = {.data = done};
    struct cn_writer writer;

    bytes.size = carried_out_write(session->done, procs_now_ms(session->hosts->procs), done);
    write_claim(session, "session_yield", 6, &writer);
    cn_write_binary(&writer, bytes);
    say(session, to, &writer);
}

/* Read a claim or a yield; that of another session counts as nonsense. */
static bool read_claim(const struct session *session, struct cn_term message, const char *word,
                       uint32_t arity, struct claim *ret_claim)
{
    struct cn_reader reader;
    struct cn_bytes id;

    *ret_claim = (struct claim){.epoch = 0};
    cn_reader_init(&reader, message);
    return cn_read_this_tuple(&reader, arity) && cn_read_this_atom(&reader, word) &&
           cn_read_binary(&reader, &id) && words_same(id, session_id(session)) &&
           words_read_unsigned(&reader, &ret_claim->epoch) &&
           words_read_unsigned(&reader, &ret_claim->version) &&
           cn_read_pid(&reader, &ret_claim->pid) &&
           (arity < 6 || cn_read_binary(&reader, &ret_claim->done));
}

static struct forward *forward_to(struct session *session, const struct cn_pid *winner)
{
    struct forward *forward = mem_zalloc(sizeof(*forward));
    struct dest dest = words_to_pid(winner);

    if (forward == NULL)
        return NULL;
    forward->target = *winner;
    forward->conflict = true;
    forward->since_ms = procs_now_ms(session->hosts->procs);
    if (process_monitor(gen_server_process(session->server), &dest, &forward->monitor) != 0) {
        mem_free(forward);
        return NULL;
    }
    return forward;
}

/* Whoever waits to move the session need not any more. */
static void let_go(struct session *session)
{
    list_remove(&session->waiting);
    if (session->move != NULL)
        move_session_ends(session);
}

/* The owner of @claim stays: this one says what it had, and passes on from now on. */
static void yield(struct session *session, const struct claim *claim)
{
    struct forward *forward = forward_to(session, &claim->pid);

    host_log(session->hosts, HOSTS_LOG_ERROR,
             "session %.*s: ends at epoch %" PRIu64 ", version %" PRIu64
             ": its owner is on %s, at epoch %" PRIu64 ", version %" PRIu64,
             (int)session->id_size, (const char *)session->text, session->epoch, session->version,
             claim->pid.node, claim->epoch, claim->version);
    say_yield(session, &claim->pid);
    events_moved_to(session, &claim->pid);
    session->owns_names = false;
    if (forward == NULL) {
        let_go(session);
        session_stop_atom(session, "shutdown");
        return;
    }
    session->epoch = claim->epoch; /* should it have to go on after all: above it */
    session_freeze(session);
    forward_names(session, forward, &(struct naming_result){.error = 0});
    forward_start(session, forward);
    let_go(session); /* last: a drain may end with it, and waits for forwarders */
}

void conflict_give_back(struct session *session, const struct cn_pid *source)
{
    yield(session, &(struct claim){.epoch = session->epoch, .pid = *source});
}

static void take_names(struct session *session)
{
    if (naming_wish(session, NAMING_MOVE, session_pid(session), NULL) != 0)
        host_log(session->hosts, HOSTS_LOG_ERROR, "session %.*s: no memory to take its names",
                 (int)session->id_size, (const char *)session->text);
}

static void take_claim(struct session *session, const struct claim *claim)
{
    struct claim own = own_claim(session);

    if (cn_pid_equal(&claim->pid, &own.pid)) /* it came back: the other only passes on to this */
        take_names(session);
    else if (compare(claim, &own) > 0)
        yield(session, claim);
    else
        say_claim(session, &claim->pid);
}

static void take_yield(struct session *session, const struct claim *claim)
{
    host_log(session->hosts, HOSTS_LOG_ERROR,
             "session %.*s: another owner on %s has ended, at epoch %" PRIu64 ", version %" PRIu64
             "; updates that only it had carried out: %zu",
             (int)session->id_size, (const char *)session->text, claim->pid.node, claim->epoch,
             claim->version, carried_out_unknown(session->done, claim->done));
    take_names(session);
}

/* {global_name_conflict, Name, Other}: nobody has the name now. */
static bool take_name_conflict(struct session *session, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_pid other;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "global_name_conflict") ||
        !cn_skip(&reader) || !cn_read_pid(&reader, &other))
        return false;
    if (cn_pid_equal(&other, session_pid(session))) {
        take_names(session);
        return true;
    }
    say_claim(session, &other);
    arrivals_look_soon(session);
    return true;
}

bool conflict_message(struct session *session, struct cn_term message)
{
    struct claim claim;

    if (read_claim(session, message, "session_claim", 5, &claim))
        take_claim(session, &claim);
    else if (read_claim(session, message, "session_yield", 6, &claim))
        take_yield(session, &claim);
    else
        return take_name_conflict(session, message);
    return true;
}

static void found(struct session *session, const struct cn_pid *other, bool ended)
{
    if (other != NULL && session_state(session) == SESSION_RUNNING)
        say_claim(session, other);
}

static uint32_t now_s(const struct hosts *hosts)
{
    return (uint32_t)(procs_now_ms(hosts->procs) / 1000);
}

/* Ask all hosts, unless it has been without a rival for long. */
static void look(struct session *session)
{
    struct hosts *hosts = session->hosts;

    list_remove(&session->contested);
    if (session_state(session) != SESSION_RUNNING || now_s(hosts) >= session->contested_s)
        return; /* the first: it has given way meanwhile */
    list_append(&hosts->contested, &session->contested);
    locate_other(session, &(struct locate_question){0}, found);
}

void conflict_expect(struct session *session)
{
    session->contested_s = now_s(session->hosts) + CONTEST_S;
    look(session);
}

static void slice(struct host_timer *timer)
{
    struct hosts *hosts = container_of(timer, struct hosts, contest_timer);
    struct list *link;

    for (int i = 0; i < SLICE && (link = list_pop(&hosts->asking)) != NULL; i++)
        look(container_of(link, struct session, contested));
    if (!list_empty(&hosts->asking))
        host_timer_start(hosts, timer, 0, slice);
}

void conflict_host_met(struct hosts *hosts)
{
    list_splice(&hosts->asking, &hosts->contested);
    if (!hosts->closing && !list_empty(&hosts->asking) && hosts->contest_timer.id == 0)
        host_timer_start(hosts, &hosts->contest_timer, 0, slice);
}
