/*
 * The walk of one session around its ranking.
 *
 * The ranking is made once; who takes sessions is looked up at each step. Every attempt has a fresh
 * transfer reference, so that an answer to an older one can do no harm. How it fails: an attempt
 * that finds no memory is passed over like a refusal.
 */
#include "session/move.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "session/conductor.h"
#include "session/drain.h"
#include "session/events.h"
#include "session/failpoint.h"
#include "session/handoff_out.h"
#include "session/host.h"
#include "session/members.h"
#include "session/ranking.h"
#include "session/words.h"

#define OFFER_MS   5000
#define REASON_MAX 63

enum walk_state {
    WALK_OFFERING,
    WALK_HANDING_OFF,
    WALK_DONE,
};

static const struct sm_state states[] = {
    [WALK_OFFERING] = {"offering", SM_TO(WALK_HANDING_OFF) | SM_TO(WALK_DONE), .initial = true},
    [WALK_HANDING_OFF] = {"handing_off", SM_TO(WALK_OFFERING) | SM_TO(WALK_DONE)},
    [WALK_DONE] = {"done", 0, .final = true},
};
static const struct sm_table table = SM_TABLE("move", states);

struct move {
    struct sm sm;
    struct operation operation;
    struct list waiting; /* for room; on hosts->moves_waiting */
    struct session *session;
    struct ranking ranking;
    struct cn_ref transfer; /* of the present attempt */
    struct call *call;      /* the present offer; NULL: none */
    size_t bytes;           /* of the state */
    struct cn_writer state; /* as it was in version `version` */
    uint64_t version;
    uint64_t frozen_ms; /* when the session last stopped */
    bool counted;       /* in hosts->moving_bytes */
    char reason[REASON_MAX + 1];
    move_done done;
    void *context;
};

static void offer_next(struct move *move);

/* The state is, or will soon be, on its way. */
static void count(struct move *move)
{
    struct hosts *hosts = move->session->hosts;

    if (!move->counted) {
        hosts->moving_bytes += move->bytes;
        bandwidth_take(&hosts->bandwidth, hosts->config.bytes_per_second, move->bytes,
                       procs_now_ms(hosts->procs));
    }
    move->counted = true;
}

static void uncount(struct move *move)
{
    if (move->counted)
        move->session->hosts->moving_bytes -= move->bytes;
    move->counted = false;
}

static void move_free(struct move *move)
{
    if (move->session != NULL)
        move->session->move = NULL;
    operation_end(&move->operation);
    list_remove(&move->waiting);
    ranking_deinit(&move->ranking);
    cn_writer_free(&move->state);
    mem_free(move);
}

static void move_release(struct operation *operation)
{
    move_free(container_of(operation, struct move, operation));
}

static void finish(struct move *move, enum move_result result)
{
    struct move ended = *move;
    struct move_outcome outcome = {
        .result = result,
        .session = move->session,
        .reason = ended.reason,
    };

    sm_move(&move->sm, WALK_DONE);
    uncount(move);
    move_free(move);
    ended.done(ended.context, &outcome);
}

static void note_reason(struct move *move, const char *reason)
{
    text_copy(move->reason, sizeof(move->reason), reason);
}

static void handed_off(struct session *session, int result)
{
    struct move *move = session->move;

    if (move == NULL)
        return;
    if (result == 0) {
        figures_add(&session->hosts->figures, move->bytes,
                    procs_now_ms(session->hosts->procs) - move->frozen_ms);
        finish(move, MOVE_MOVED);
        return;
    }
    if (session->stopping) /* what it executed when it thawed ended it */
        return;
    note_reason(move, "handoff_failed");
    sm_move(&move->sm, WALK_OFFERING);
    list_append(&session->hosts->moves_waiting, &move->waiting);
    uncount(move);
    move_resume(session->hosts);
}

static void accepted(struct move *move, const struct cn_pid *target)
{
    int error;

    if (failpoint("out_accept"))
        return;
    sm_move(&move->sm, WALK_HANDING_OFF);
    move->frozen_ms = procs_now_ms(move->session->hosts->procs);
    error = handoff_out_start(move->session, &move->transfer, target, handed_off);
    if (error != 0)
        handed_off(move->session, error);
}

/* Why it was not taken: {refuse, Reason}, or nothing that makes sense. */
static void refused(struct move *move, enum call_outcome outcome, struct cn_term term)
{
    struct cn_reader reader;
    struct cn_bytes reason;

    note_reason(move, "unreachable");
    if (outcome != CALL_REPLY)
        return;
    cn_reader_init(&reader, term);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_this_atom(&reader, "refuse") ||
        !cn_read_atom(&reader, &reason) || reason.size > REASON_MAX)
        return;
    memcpy(move->reason, reason.data, reason.size);
    move->reason[reason.size] = '\0';
}

static void offered(struct gen_server *self, void *context, enum call_outcome outcome,
                    struct cn_term term)
{
    struct move *move = context;
    struct cn_pid target;

    move->call = NULL;
    if (move->session->stopping)
        return;
    if (outcome == CALL_REPLY && words_read_pid(term, "accept", &target))
        accepted(move, &target);
    else {
        refused(move, outcome, term);
        offer_next(move);
    }
}

static void write_offer(const struct move *move, struct cn_writer *writer)
{
    const struct session *session = move->session;

    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "offer");
    cn_write_map(writer, 10);
    cn_write_atom(writer, "protocol");
    cn_write_integer(writer, HOSTS_PROTOCOL);
    cn_write_atom(writer, "transfer");
    cn_write_ref(writer, &move->transfer);
    cn_write_atom(writer, "id");
    cn_write_binary(writer, session_id(session));
    cn_write_atom(writer, "join_code");
    words_code(writer, session_code(session));
    cn_write_atom(writer, "epoch");
    cn_write_unsigned(writer, session->epoch);
    cn_write_atom(writer, "version");
    cn_write_unsigned(writer, session->version);
    cn_write_atom(writer, "state_version");
    cn_write_unsigned(writer, session->hosts->game->state_version);
    cn_write_atom(writer, "bytes");
    cn_write_unsigned(writer, move->bytes);
    cn_write_atom(writer, "source");
    cn_write_pid(writer, session_pid(session));
    cn_write_atom(writer, "subscribers");
    events_write_subscribers(session, writer);
}

/* Offer the session to @node. */
static int offer_to(struct move *move, const char *node)
{
    struct hosts *hosts = move->session->hosts;
    struct dest dest = words_to_pid(&members_find(hosts, node)->pid);
    struct cn_writer request;
    int error;

    procs_make_ref(hosts->procs, &move->transfer);
    cn_writer_init(&request, 0);
    write_offer(move, &request);
    error = cn_writer_error(&request);
    if (error == 0)
        error = host_call(hosts, &dest, cn_writer_term(&request), OFFER_MS, offered, move,
                          &move->call);
    cn_writer_free(&request);
    return error;
}

static void offer_next(struct move *move)
{
    struct hosts *hosts = move->session->hosts;
    const char *node;

    do {
        node = ranking_next(&move->ranking, hosts);
    } while (node != NULL && offer_to(move, node) != 0);
    if (node == NULL)
        finish(move, MOVE_LOST);
}

int move_export(const struct session *session, struct cn_writer *ret_state)
{
    int error;

    cn_writer_init(ret_state, 0);
    error = session->hosts->game->export(session->game, ret_state);
    return error == 0 ? cn_writer_error(ret_state) : error;
}

int move_measure(const struct session *session, size_t *ret_bytes)
{
    struct cn_writer writer;
    int error = move_export(session, &writer);

    if (error == 0)
        *ret_bytes = cn_writer_term(&writer).size;
    cn_writer_free(&writer);
    return error;
}

bool move_state(const struct session *session, struct cn_term *ret_state)
{
    const struct move *move = session->move;

    if (move == NULL || move->version != session->version ||
        move->bytes > session->hosts->config.snapshot_bytes_max)
        return false;
    *ret_state = cn_writer_term(&move->state);
    return true;
}

bool move_has_room(const struct hosts *hosts, size_t bytes)
{
    return hosts->moving_bytes == 0 ||
           (bytes <= MOVE_BYTES_MAX && hosts->moving_bytes <= MOVE_BYTES_MAX - bytes);
}

static void bandwidth_due(struct host_timer *timer)
{
    struct hosts *hosts = container_of(timer, struct hosts, bandwidth_timer);

    drain_go_on(hosts);
    conductor_go_on(hosts);
}

bool move_is_due(struct hosts *hosts)
{
    uint64_t wait_ms = bandwidth_wait_ms(&hosts->bandwidth, procs_now_ms(hosts->procs));

    if (wait_ms == 0)
        return true;
    /* Without memory for the timer rather too soon than never. */
    return hosts->bandwidth_timer.id == 0 &&
           host_timer_start(hosts, &hosts->bandwidth_timer, wait_ms, bandwidth_due) != 0;
}

void move_state_taken(struct session *session)
{
    if (session->move == NULL)
        return;
    uncount(session->move);
    drain_go_on(session->hosts);
    conductor_go_on(session->hosts);
}

void move_resume(struct hosts *hosts)
{
    struct list *link;

    while ((link = list_first(&hosts->moves_waiting)) != NULL) {
        struct move *move = container_of(link, struct move, waiting);

        if (!move_has_room(hosts, move->bytes) || !move_is_due(hosts))
            return;
        list_remove(&move->waiting);
        count(move);
        offer_next(move);
    }
}

/* Begin with @ranking and @state, which go to the move, on errors too. */
static int begin(struct session *session, struct ranking *ranking, struct cn_writer *state,
                 move_done done, void *context)
{
    struct move *move = mem_zalloc(sizeof(*move));

    if (move == NULL) {
        ranking_deinit(ranking);
        cn_writer_free(state);
        return -ENOMEM;
    }
    move->ranking = *ranking;
    list_init(&move->waiting);
    move->session = session;
    move->state = *state;
    move->version = session->version;
    move->bytes = cn_writer_term(state).size;
    move->done = done;
    move->context = context;
    note_reason(move, "no_host");
    session->move = move;
    operation_begin(session->hosts, &move->operation, move_release);
    sm_init(&move->sm, &table, session->sm.id, WALK_OFFERING);
    count(move);
    offer_next(move);
    return 0;
}

int move_start(struct session *session, struct cn_writer *state, move_done done, void *context)
{
    struct ranking ranking;
    int error = ranking_init_leaving(&ranking, session->hosts, session_id(session));

    if (error == 0)
        return begin(session, &ranking, state, done, context);
    cn_writer_free(state);
    return error;
}

int move_start_to(struct session *session, const char *node, struct cn_writer *state,
                  move_done done, void *context)
{
    struct ranking ranking;
    int error = ranking_init_one(&ranking, node);

    if (error == 0)
        return begin(session, &ranking, state, done, context);
    cn_writer_free(state);
    return error;
}

void move_session_ends(struct session *session)
{
    struct move *move = session->move;

    /* The calls of a host process that has ended went with it. */
    if (move->call != NULL && session->hosts->server != NULL && !session->hosts->closing)
        call_cancel(move->call);
    finish(move, MOVE_ENDED);
}
