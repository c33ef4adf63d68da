/*
 * Errands and a rebalance, driven as the drain is: each end of a move pumps once.
 *
 * An errand is looked at again each time it is its turn, for its session may have moved, ended or
 * begun to move meanwhile. A rebalance holds the sessions that were here when it began by their
 * link for the drain, so each is looked at once, in slices, for there may be a million. How it
 * fails: without memory an errand is answered {error, no_memory}, a session of a rebalance counts
 * as failed.
 */
#include "session/conductor.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "session/drain.h"
#include "session/locate.h"
#include "session/members.h"
#include "session/move.h"
#include "session/ranking.h"
#include "session/window.h"
#include "session/words.h"

/* Sessions that a rebalance looks at before the node does something else. */
#define SLICE 100

struct conductor {
    struct hosts *hosts;
    struct window window;
    struct list errands; /* that wait for room */
    uint32_t errand_count;
    bool no_room; /* an errand has had to wait */
    bool pumping;
    /* The rebalance. */
    struct gen_from *rebalancer; /* who waits for its answer; NULL: none is on */
    struct list waiting;         /* sessions */
    struct host_timer slice;     /* the next slice */
    size_t moving;
    uint64_t sessions;
    uint64_t moved;
    uint64_t failed;
};

/* An order to move one session. */
struct errand {
    struct operation operation;
    struct list link; /* of conductor->errands, while it waits */
    struct conductor *conductor;
    struct gen_from *from;
    char node[CN_NODE_NAME_MAX + 1];
    size_t id_size;
    uint8_t id[];
};

static void pump(struct conductor *conductor);

static struct conductor *conductor_get(struct hosts *hosts)
{
    struct conductor *conductor = hosts->conductor;

    if (conductor != NULL)
        return conductor;
    conductor = mem_zalloc(sizeof(*conductor));
    if (conductor == NULL)
        return NULL;
    conductor->hosts = hosts;
    window_init(&conductor->window);
    list_init(&conductor->errands);
    list_init(&conductor->waiting);
    hosts->conductor = conductor;
    return conductor;
}

static void errand_free(struct errand *errand)
{
    errand->conductor->errand_count--;
    operation_end(&errand->operation);
    list_remove(&errand->link);
    gen_from_free(errand->from);
    mem_free(errand);
}

static void errand_release(struct operation *operation)
{
    errand_free(container_of(operation, struct errand, operation));
}

static struct errand *errand_new(struct conductor *conductor, const struct gen_from *from,
                                 struct cn_bytes id, struct cn_bytes node)
{
    struct errand *errand = mem_zalloc(sizeof(*errand) + id.size);

    if (errand == NULL)
        return NULL;
    errand->from = gen_from_copy(from);
    if (errand->from == NULL) {
        mem_free(errand);
        return NULL;
    }
    list_init(&errand->link);
    errand->conductor = conductor;
    text_copy_bytes(errand->node, sizeof(errand->node), node.data, node.size);
    errand->id_size = id.size;
    if (id.size > 0)
        memcpy(errand->id, id.data, id.size);
    conductor->errand_count++;
    operation_begin(conductor->hosts, &errand->operation, errand_release);
    return errand;
}

static void errand_fail(struct errand *errand, const char *reason)
{
    words_reply_error(errand->conductor->hosts->procs, errand->from, reason);
    errand_free(errand);
}

static void errand_ok(struct errand *errand)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, "ok");
    gen_reply(errand->conductor->hosts->procs, errand->from, words_answer(&writer));
    cn_writer_free(&writer);
    errand_free(errand);
}

/* The session lives elsewhere, as @pid, or nowhere. */
static void errand_not_here(void *context, const struct cn_pid *pid)
{
    struct errand *errand = context;
    struct cn_writer writer;

    if (pid == NULL) {
        errand_fail(errand, "unknown_session");
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    words_pid(&writer, "not_here", pid);
    gen_reply(errand->conductor->hosts->procs, errand->from, words_answer(&writer));
    cn_writer_free(&writer);
    errand_free(errand);
}

/* A move has ended: what the drain and the next moves have to know of it. */
static void move_over(struct conductor *conductor, const struct move_outcome *outcome)
{
    conductor->window.moving--;
    if (outcome->result == MOVE_MOVED)
        window_take_stall(&conductor->window, conductor->hosts->figures.last_ms);
    drain_conducted(conductor->hosts, outcome);
    pump(conductor);
}

static void errand_moved(void *context, const struct move_outcome *outcome)
{
    struct errand *errand = context;
    struct conductor *conductor = errand->conductor;

    if (conductor->hosts->closing) {
        errand_free(errand);
        return;
    }
    if (outcome->result == MOVE_MOVED)
        errand_ok(errand);
    else
        errand_fail(errand, outcome->result == MOVE_LOST ? outcome->reason : "unknown_session");
    move_over(conductor, outcome);
}

/* Wait for room, ahead of those that have not had their turn yet. */
static void errand_waits(struct errand *errand)
{
    struct conductor *conductor = errand->conductor;

    conductor->no_room = true;
    if (conductor->pumping)
        list_prepend(&conductor->errands, &errand->link);
    else
        list_append(&conductor->errands, &errand->link);
}

/* Move @session, or wait for room. */
static void errand_begin(struct errand *errand, struct session *session)
{
    struct conductor *conductor = errand->conductor;
    struct cn_writer state;
    int error;

    if (!window_is_open(&conductor->window) || !move_is_due(conductor->hosts)) {
        errand_waits(errand);
        return;
    }
    error = move_export(session, &state);
    if (error == 0 && !move_has_room(conductor->hosts, cn_writer_term(&state).size)) {
        cn_writer_free(&state);
        errand_waits(errand);
        return;
    }
    conductor->window.moving++;
    if (error == 0)
        error = move_start_to(session, errand->node, &state, errand_moved, errand);
    else
        cn_writer_free(&state);
    if (error == 0)
        return;
    conductor->window.moving--;
    errand_fail(errand, "no_memory");
}

static void errand_go(struct errand *errand)
{
    struct hosts *hosts = errand->conductor->hosts;
    struct cn_bytes id = {.data = errand->id, .size = errand->id_size};
    const struct cn_pid *pid = locate_here(hosts, LOCATE_BY_ID, id);
    struct session *session = session_table_by_id(&hosts->table, id);

    if (pid == NULL)
        locate_session(hosts, LOCATE_BY_ID, id, errand_not_here, errand);
    else if (session_state(session) == SESSION_FORWARDING)
        errand_not_here(errand, pid);
    else if (strcmp(errand->node, procs_node(hosts->procs)) == 0)
        errand_ok(errand);
    else if (hosts->drain != NULL)
        errand_fail(errand, "draining");
    else if (session->move != NULL || session->stopping || session_state(session) == SESSION_FROZEN)
        errand_fail(errand, "busy");
    else if (members_find(hosts, errand->node) == NULL)
        errand_fail(errand, "no_such_host");
    else
        errand_begin(errand, session);
}

static void write_count(struct cn_writer *writer, const char *key, uint64_t count)
{
    cn_write_atom(writer, key);
    cn_write_unsigned(writer, count);
}

/* Answer who asked for the rebalance, which is over. */
static void rebalanced(struct conductor *conductor)
{
    struct hosts *hosts = conductor->hosts;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "ok");
    cn_write_map(&writer, 3);
    write_count(&writer, "moved", conductor->moved);
    write_count(&writer, "failed", conductor->failed);
    write_count(&writer, "stayed", conductor->sessions - conductor->moved - conductor->failed);
    gen_reply(hosts->procs, conductor->rebalancer, words_answer(&writer));
    cn_writer_free(&writer);
    gen_from_free(conductor->rebalancer);
    conductor->rebalancer = NULL;
}

static void rebalance_moved(void *context, const struct move_outcome *outcome)
{
    struct conductor *conductor = context;

    if (conductor->hosts->closing)
        return;
    conductor->moving--;
    if (outcome->result == MOVE_MOVED)
        conductor->moved++;
    else if (outcome->result == MOVE_LOST)
        conductor->failed++;
    move_over(conductor, outcome);
}

/* Move @session to @node; false: it must wait until others have moved. */
static bool rebalance_to(struct conductor *conductor, struct session *session, const char *node)
{
    struct cn_writer state;
    int error;

    if (!move_is_due(conductor->hosts))
        return false;
    error = move_export(session, &state);
    if (error == 0 && !move_has_room(conductor->hosts, cn_writer_term(&state).size)) {
        cn_writer_free(&state);
        return false;
    }
    list_remove(&session->waiting);
    conductor->window.moving++;
    conductor->moving++;
    if (error == 0)
        error = move_start_to(session, node, &state, rebalance_moved, conductor);
    else
        cn_writer_free(&state);
    if (error == 0)
        return true;
    conductor->window.moving--;
    conductor->moving--;
    conductor->failed++;
    return true;
}

/* Look at @session, the first that waits; false: it must wait until others have moved. */
static bool rebalance_one(struct conductor *conductor, struct session *session)
{
    struct ranking ranking = {.count = 0};
    const char *node;
    bool done = true;

    if (session->stopping || session->move != NULL || session_state(session) != SESSION_RUNNING) {
        list_remove(&session->waiting);
    } else if (ranking_init(&ranking, conductor->hosts, session_id(session)) != 0) {
        conductor->failed++;
        list_remove(&session->waiting);
    } else if (ranking_finds_better(&ranking, conductor->hosts, &node)) {
        done = rebalance_to(conductor, session, node);
    } else {
        list_remove(&session->waiting);
    }
    ranking_deinit(&ranking);
    return done;
}

static void slice_due(struct host_timer *timer)
{
    pump(container_of(timer, struct conductor, slice));
}

static void rebalance_go(struct conductor *conductor)
{
    struct list *link;

    if (conductor->slice.id != 0)
        return;
    for (int looked = 0; window_is_open(&conductor->window); looked++) {
        link = list_first(&conductor->waiting);
        if (link == NULL ||
            (looked >= SLICE &&
             host_timer_start(conductor->hosts, &conductor->slice, 0, slice_due) == 0))
            return;
        if (!rebalance_one(conductor, container_of(link, struct session, waiting)))
            return;
    }
}

/* Begin as many moves as may be, errands first. */
static void pump(struct conductor *conductor)
{
    struct list *link;

    if (conductor->pumping)
        return;
    conductor->pumping = true;
    conductor->no_room = false;
    move_resume(conductor->hosts);
    while (!conductor->no_room && window_is_open(&conductor->window) &&
           (link = list_pop(&conductor->errands)) != NULL)
        errand_go(container_of(link, struct errand, link));
    rebalance_go(conductor);
    conductor->pumping = false;
    if (conductor->rebalancer != NULL && list_empty(&conductor->waiting) && conductor->moving == 0)
        rebalanced(conductor);
}

static void rebalance_call(struct conductor *conductor, const struct gen_from *from)
{
    struct hosts *hosts = conductor->hosts;
    struct session_key *key, *next;

    conductor->rebalancer = gen_from_copy(from);
    if (conductor->rebalancer == NULL) {
        words_reply_error(hosts->procs, from, "no_memory");
        return;
    }
    conductor->sessions = 0;
    conductor->moved = 0;
    conductor->failed = 0;
    map_for_each(hosts->table.by_id, key,
                 next) if (session_state(key->session) == SESSION_RUNNING &&
                           key->session->move == NULL)
    {
        conductor->sessions++;
        list_append(&conductor->waiting, &key->session->waiting);
    }
    pump(conductor);
}

static void move_call(struct conductor *conductor, const struct gen_from *from, struct cn_bytes id,
                      struct cn_bytes node)
{
    struct errand *errand = errand_new(conductor, from, id, node);

    if (errand == NULL)
        words_reply_error(conductor->hosts->procs, from, "no_memory");
    else
        errand_go(errand);
}

static void reply_invalid_node(struct hosts *hosts, const struct gen_from *from,
                               struct cn_term node)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "invalid_node");
    cn_write_term(&writer, node);
    gen_reply(hosts->procs, from, words_answer(&writer));
    cn_writer_free(&writer);
}

/* Read {move, Id, Node}. An id that is no binary, or longer than any, names no session. */
static bool read_move(struct cn_term request, struct cn_bytes *ret_id, struct cn_term *ret_node)
{
    struct cn_reader reader, id_reader;
    struct cn_term id;

    cn_reader_init(&reader, request);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "move") ||
        !cn_read_term(&reader, &id) || !cn_read_term(&reader, ret_node))
        return false;
    cn_reader_init(&id_reader, id);
    if (cn_peek(&id_reader) != CN_TYPE_BINARY || !cn_read_binary(&id_reader, ret_id) ||
        ret_id->size > WORDS_ID_BYTES_MAX)
        *ret_id = (struct cn_bytes){.size = 0};
    return true;
}

static bool read_node(struct cn_term term, struct cn_bytes *ret_node)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_peek(&reader) == CN_TYPE_ATOM && cn_read_atom(&reader, ret_node) &&
           ret_node->size <= CN_NODE_NAME_MAX &&
           memchr(ret_node->data, '\0', ret_node->size) == NULL;
}

bool conductor_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request)
{
    bool rebalance = cn_term_is_atom(request, "rebalance");
    struct conductor *conductor;
    struct cn_term node_term;
    struct cn_bytes id, node;

    if (!rebalance && !read_move(request, &id, &node_term))
        return false;
    conductor = conductor_get(hosts);
    if (conductor == NULL)
        words_reply_error(hosts->procs, from, "no_memory");
    else if (!rebalance && !read_node(node_term, &node))
        reply_invalid_node(hosts, from, node_term);
    else if (!rebalance && conductor->errand_count >= hosts->config.orders_max)
        words_reply_error(hosts->procs, from, "busy");
    else if (!rebalance)
        move_call(conductor, from, id, node);
    else if (hosts->drain != NULL)
        words_reply_error(hosts->procs, from, "draining");
    else if (conductor->rebalancer != NULL)
        words_reply_error(hosts->procs, from, "busy");
    else
        rebalance_call(conductor, from);
    return true;
}

size_t conductor_yield(struct hosts *hosts)
{
    struct conductor *conductor = hosts->conductor;
    size_t moving;

    if (conductor == NULL)
        return 0;
    while (list_pop(&conductor->waiting) != NULL)
        ;
    moving = conductor->window.moving;
    while (!list_empty(&conductor->errands))
        errand_fail(container_of(list_first(&conductor->errands), struct errand, link), "draining");
    pump(conductor);
    return moving;
}

void conductor_go_on(struct hosts *hosts)
{
    if (hosts->conductor != NULL && !hosts->closing)
        pump(hosts->conductor);
}

void conductor_free(struct hosts *hosts)
{
    struct conductor *conductor = hosts->conductor;

    if (conductor == NULL)
        return;
    gen_from_free(conductor->rebalancer);
    mem_free(conductor);
    hosts->conductor = NULL;
}
