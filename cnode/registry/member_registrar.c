/*
 * The registrar: names change under lock `global`, which it holds at all known nodes.
 *
 *     idle ──► claiming ──► held ──► releasing ──► idle
 *      ▲▼          │                     │▼
 *     pausing ◄────┘ not free           pausing, after a full slice
 *
 * Requests of one name stand in a lane and go one after the other; of different names many go at
 * once, under one lock: what waits when the lock is had is done with it, and what comes meanwhile.
 * A change is told to all servers, the own one included, and is answered when all have answered;
 * who asked does not wait for the lock's release. After SLICE_MS the lock is given back even if
 * more is to be done, and left to others for a while.
 *
 * A node that has just found its first peer waits a moment for the join before it registers: a name
 * taken without the others' knowledge would be a conflict right after.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/global_resolve.h"
#include "registry/member_internal.h"

#define SLICE_MS    40u
#define REST_MS     20u
#define WINDOW      256u
#define RETRY_MS    125u
#define DOUBLES_MAX 4u
#define JOIN_MS     2000u
#define LOOK_MS     20u

enum registrar_state {
    REGISTRAR_IDLE,
    REGISTRAR_CLAIMING,
    REGISTRAR_HELD,
    REGISTRAR_RELEASING,
    REGISTRAR_PAUSING,
};

static const struct sm_state registrar_states[] = {
    [REGISTRAR_IDLE] = {"idle", SM_TO(REGISTRAR_CLAIMING) | SM_TO(REGISTRAR_PAUSING),
                        .initial = true},
    [REGISTRAR_CLAIMING] = {"claiming", SM_TO(REGISTRAR_HELD) | SM_TO(REGISTRAR_PAUSING)},
    [REGISTRAR_HELD] = {"held", SM_TO(REGISTRAR_RELEASING)},
    [REGISTRAR_RELEASING] = {"releasing", SM_TO(REGISTRAR_IDLE) | SM_TO(REGISTRAR_PAUSING)},
    [REGISTRAR_PAUSING] = {"pausing", SM_TO(REGISTRAR_IDLE)},
};

static const struct sm_table registrar_table = SM_TABLE("registrar", registrar_states);

/* All requests of one name, in their order; only the first is under way. */
struct lane {
    struct map_handle hh;
    struct list requests; /* struct request.list */
    struct list ready;    /* in registrar.ready, when the first may start */
    size_t size;
    uint8_t bytes[];
};

struct request {
    struct list list;
    struct member *member;
    struct lane *lane;
    enum request_kind kind;
    struct cn_pid pid;
    global_done done; /* NULL: nobody waits */
    void *context;
    unsigned open; /* answers to come */
};

static void pump(struct member *member);

void registrar_init(struct member *member)
{
    sm_init(&member->registrar.sm, &registrar_table, 0, REGISTRAR_IDLE);
    list_init(&member->registrar.ready);
}

static struct lane *lane_get(struct registrar *registrar, struct cn_term name)
{
    struct lane *lane = NULL;

    map_find(registrar->lanes, name.data, name.size, lane);
    if (lane != NULL)
        return lane;
    lane = mem_zalloc(sizeof(*lane) + name.size);
    if (lane == NULL)
        return NULL;
    list_init(&lane->requests);
    list_init(&lane->ready);
    lane->size = name.size;
    memcpy(lane->bytes, name.data, name.size);
    if (!map_add(registrar->lanes, lane->bytes, lane->size, lane)) {
        mem_free(lane);
        return NULL;
    }
    return lane;
}

static void lane_put(struct registrar *registrar, struct lane *lane)
{
    if (!list_empty(&lane->requests))
        return;
    list_remove(&lane->ready);
    map_remove(registrar->lanes, lane);
    mem_free(lane);
}

static struct request *lane_first(const struct lane *lane)
{
    return container_of(list_first(&lane->requests), struct request, list);
}

static struct cn_term request_name(const struct request *request)
{
    return (struct cn_term){request->lane->bytes, request->lane->size};
}

static int kick(struct member *member)
{
    static const uint8_t message[] = {0x77, 4, 'p', 'u', 'm', 'p'};
    int r = 0;

    if (member->registrar_server == NULL)
        return CN_E_CLOSED;
    if (!member->registrar.kicked)
        r = procs_send_pid(member->procs, NULL, gen_server_pid(member->registrar_server),
                           (struct cn_term){message, sizeof(message)});
    member->registrar.kicked = r == 0;
    return r;
}

void registrar_kick(struct member *member)
{
    if (!list_empty(&member->registrar.ready))
        (void)kick(member);
}

int registrar_add(struct member *member, enum request_kind kind, struct cn_term name,
                  const struct cn_pid *pid, global_done done, void *context)
{
    struct registrar *registrar = &member->registrar;
    struct request *request = mem_zalloc(sizeof(*request));
    struct lane *lane = request != NULL ? lane_get(registrar, name) : NULL;
    int r = lane != NULL ? kick(member) : -ENOMEM;

    if (r != 0) {
        if (lane != NULL)
            lane_put(registrar, lane);
        mem_free(request);
        return r;
    }
    /* Nothing can fail below. */
    *request = (struct request){
        .member = member, .lane = lane, .kind = kind, .done = done, .context = context};
    if (pid != NULL)
        request->pid = *pid;
    if (list_empty(&lane->requests))
        list_append(&registrar->ready, &lane->ready);
    list_append(&lane->requests, &request->list);
    return 0;
}

/* Take the request out of its lane, so that the next of that name can start, and answer. */
static void finish(struct request *request, enum global_outcome outcome,
                   const struct cn_pid *holder)
{
    struct registrar *registrar = &request->member->registrar;
    struct lane *lane = request->lane;
    struct cn_pid pid;

    if (holder != NULL) {
        pid = *holder;
        holder = &pid;
    }
    list_remove(&request->list);
    list_remove(&lane->ready);
    if (!list_empty(&lane->requests))
        list_append(&registrar->ready, &lane->ready);
    lane_put(registrar, lane);
    if (request->done != NULL)
        request->done(request->context, outcome, holder);
    mem_free(request);
}

static const struct cn_pid *holder_of(const struct request *request)
{
    struct name *name = roster_find(request->member, request_name(request));

    return name != NULL ? &name->watched->pid : NULL;
}

static bool is_ours(const struct request *request, const struct cn_pid *holder)
{
    return holder != NULL && cn_pid_equal(holder, &request->pid);
}

static void run(struct member *member);

/* All servers have answered: the name is what it should be, unless the process has ended. */
static void settled(struct request *request)
{
    struct member *member = request->member;
    const struct cn_pid *holder = holder_of(request);
    bool done = request->kind != REQUEST_REGISTER || is_ours(request, holder);

    member->registrar.open--;
    finish(request, done ? GLOBAL_YES : GLOBAL_NO, holder);
    run(member);
}

static void on_answer(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct request *request = context;

    if (--request->open == 0)
        settled(request);
}

static void write_change(const struct request *request, struct cn_writer *writer)
{
    bool gone = request->kind == REQUEST_UNREGISTER;

    cn_write_tuple(writer, gone ? 2 : 4);
    cn_write_atom(writer, gone ? "unregister" : "register");
    cn_write_term(writer, request_name(request));
    if (gone)
        return;
    cn_write_pid(writer, &request->pid);
    cn_write_term(writer, global_default_method());
}

/* Tell all servers. Without memory nobody, or not everybody, knows it: GLOBAL_UNREACHABLE. */
static void tell_all(struct request *request)
{
    struct member *member = request->member;
    const struct claim *claim = member->registrar.claim;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    write_change(request, &writer);
    for (size_t i = 0; i < claim->count && cn_writer_error(&writer) == 0; i++) {
        struct dest dest = {
            .kind = DEST_NAME, .name = "global_name_server", .node = claim->nodes[i]};

        if (!claim_reaches(claim, i))
            continue;
        if (call_start(member->registrar_server, &dest, cn_writer_term(&writer), 0, on_answer,
                       request, NULL) != 0)
            member_part(member, claim->nodes[i]);
        else
            request->open++;
    }
    cn_writer_free(&writer);
    if (request->open > 0)
        member->registrar.open++;
    else
        finish(request, GLOBAL_UNREACHABLE, NULL);
}

/* Begin a change, under the lock. */
static void start(struct request *request)
{
    const struct cn_pid *holder = holder_of(request);
    bool alive = procs_find(request->member->procs, &request->pid) != NULL;

    if (request->kind == REQUEST_REGISTER && holder != NULL)
        finish(request, is_ours(request, holder) ? GLOBAL_YES : GLOBAL_NO, holder);
    else if (request->kind == REQUEST_REGISTER && !alive)
        finish(request, GLOBAL_NO, NULL);
    else if (request->kind == REQUEST_UNREGISTER && !is_ours(request, holder))
        finish(request, holder == NULL ? GLOBAL_YES : GLOBAL_NO, holder);
    else
        tell_all(request);
}

/* Whether everybody known now is under the lock. */
static bool covers_all(const struct member *member, const struct claim *claim)
{
    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->known && !claim_covers(claim, peer->node))
            return false;
    }
    return true;
}

static bool is_whereis(const struct lane *lane)
{
    return lane_first(lane)->kind == REQUEST_WHEREIS;
}

/* Answer what needs no lock. */
static void answer_whereis(struct member *member)
{
    list_for_each_safe(item, &member->registrar.ready) {
        struct lane *lane = container_of(item, struct lane, ready);
        struct request *request = lane_first(lane);
        const struct cn_pid *holder = holder_of(request);

        if (is_whereis(lane))
            finish(request, holder != NULL ? GLOBAL_YES : GLOBAL_NO, holder);
    }
}

static bool slice_is_over(const struct member *member)
{
    return procs_now_ms(member->procs) - member->registrar.held_ms >= SLICE_MS;
}

/* Do what can be done under the lock; then give it back. */
static void run(struct member *member)
{
    struct registrar *registrar = &member->registrar;

    if (registrar->running || sm_state(&registrar->sm) != REGISTRAR_HELD)
        return;
    registrar->running = true; /* answers that come at once come back here */
    answer_whereis(member);
    while (registrar->open < WINDOW && !list_empty(&registrar->ready) && !slice_is_over(member) &&
           covers_all(member, registrar->claim)) {
        struct lane *lane = container_of(list_pop(&registrar->ready), struct lane, ready);

        if (is_whereis(lane))
            finish(lane_first(lane), holder_of(lane_first(lane)) != NULL ? GLOBAL_YES : GLOBAL_NO,
                   holder_of(lane_first(lane)));
        else
            start(lane_first(lane));
    }
    registrar->running = false;
    if (registrar->open > 0)
        return;
    registrar->rest = slice_is_over(member) ? REST_MS : 0;
    sm_move(&registrar->sm, REGISTRAR_RELEASING);
    claim_release(registrar->claim);
}

static void pause_for(struct member *member, uint32_t ms)
{
    struct registrar *registrar = &member->registrar;

    sm_move(&registrar->sm, REGISTRAR_PAUSING);
    if (process_start_timer(gen_server_process(member->registrar_server), ms, &registrar->timer) !=
        0)
        sm_move(&registrar->sm, REGISTRAR_IDLE); /* the next request asks again */
}

static void on_claim(void *context, bool held)
{
    struct member *member = context;
    struct registrar *registrar = &member->registrar;

    if (held) {
        registrar->failures = 0;
        registrar->held_ms = procs_now_ms(member->procs);
        sm_move(&registrar->sm, REGISTRAR_HELD);
        run(member);
        return;
    }
    registrar->claim = NULL;
    if (sm_state(&registrar->sm) == REGISTRAR_CLAIMING) {
        unsigned doubles = registrar->failures < DOUBLES_MAX ? registrar->failures++ : DOUBLES_MAX;

        pause_for(member, 1 + member_random(member, RETRY_MS << doubles));
    } else if (registrar->rest > 0) {
        pause_for(member, registrar->rest);
    } else {
        sm_move(&registrar->sm, REGISTRAR_IDLE);
        pump(member);
    }
}

/* Whether the first join is about to happen. */
static bool joining(const struct member *member)
{
    uint64_t now_ms = procs_now_ms(member->procs);

    if (known_count(member) > 0)
        return false;
    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->up && sm_state(&peer->meeting.sm) != MEETING_IDLE &&
            now_ms - peer->up_ms < JOIN_MS)
            return true;
    }
    return false;
}

/* {global, Registrar} */
static void claim(struct member *member)
{
    struct registrar *registrar = &member->registrar;
    struct cn_writer id;
    int r;

    cn_writer_init(&id, 0);
    cn_write_tuple(&id, 2);
    cn_write_atom(&id, "global");
    cn_write_pid(&id, gen_server_pid(member->registrar_server));
    r = cn_writer_error(&id);
    if (r == 0)
        r = claim_start(member, member->registrar_server, cn_writer_term(&id), NULL, on_claim,
                        member, &registrar->claim);
    cn_writer_free(&id);
    if (r == 0)
        sm_move(&registrar->sm, REGISTRAR_CLAIMING);
    else
        pause_for(member, RETRY_MS);
}

/* Answer what needs no lock, and see to it that the rest gets one. */
static void pump(struct member *member)
{
    struct registrar *registrar = &member->registrar;

    if (joining(member)) {
        if (!list_empty(&registrar->ready) && sm_state(&registrar->sm) == REGISTRAR_IDLE)
            pause_for(member, LOOK_MS);
        return;
    }
    answer_whereis(member);
    if (sm_state(&registrar->sm) == REGISTRAR_HELD)
        run(member);
    else if (sm_state(&registrar->sm) == REGISTRAR_IDLE && !list_empty(&registrar->ready))
        claim(member);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct member *member = state;

    if (!cn_term_is_atom(message, "pump"))
        return;
    member->registrar.kicked = false;
    pump(member);
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    struct member *member = state;

    sm_move(&member->registrar.sm, REGISTRAR_IDLE);
    pump(member);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    member_server_ended(state, self);
}

const struct gen_server_callbacks member_registrar_callbacks = {
    .module = "global",
    .handle_info = on_info,
    .handle_timer = on_timer,
    .terminate = on_terminate,
};

void registrar_free_all(struct member *member)
{
    struct lane *lane = NULL;
    struct lane *next = NULL;

    map_for_each(member->registrar.lanes, lane, next)
    {
        struct list *item = NULL;

        while ((item = list_pop(&lane->requests)) != NULL)
            mem_free(container_of(item, struct request, list));
        lane_put(&member->registrar, lane);
    }
}
