/*
 * The registrar: names change under lock `global`, which it holds at all known nodes.
 *
 *     idle ──► claiming ──► held ──► releasing ──► idle
 *      ▲▼          │                  │▼   │▼
 *      ││          │                  ││   trailing ──► idle, pausing
 *     pausing ◄────┘ not free         pausing, after a full slice
 *
 * What waits when the lock is had is done under it, and what comes meanwhile: in bundles, three at
 * a time. A bundle is told to all servers, the own one included, and its requests are answered when
 * all servers have answered; who asked does not wait for the lock's release. When the slice is over
 * (slice.h) the lock is given back even if more is to be done, right behind the last bundles: so it
 * is free at a server as soon as that has done with them, and for others to take while their
 * answers are on the way (trailing); and it is left to others for longer if one of them is known to
 * want it.
 *
 * A node that has just found its first peer waits a moment for the join before it registers: a name
 * taken without the others' knowledge would be a conflict right after.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/member_internal.h"

#define REST_MS     5u
#define WANTED_MS   20u /* the same, when somebody wants the lock */
#define RETRY_MS    125u
#define DOUBLES_MAX 4u
#define JOIN_MS     2000u
#define LOOK_MS     20u

enum registrar_state {
    REGISTRAR_IDLE,
    REGISTRAR_CLAIMING,
    REGISTRAR_HELD,
    REGISTRAR_RELEASING,
    REGISTRAR_TRAILING,
    REGISTRAR_PAUSING,
};

static const struct sm_state registrar_states[] = {
    [REGISTRAR_IDLE] = {"idle", SM_TO(REGISTRAR_CLAIMING) | SM_TO(REGISTRAR_PAUSING),
                        .initial = true},
    [REGISTRAR_CLAIMING] = {"claiming", SM_TO(REGISTRAR_HELD) | SM_TO(REGISTRAR_PAUSING)},
    [REGISTRAR_HELD] = {"held", SM_TO(REGISTRAR_RELEASING)},
    [REGISTRAR_RELEASING] = {"releasing", SM_TO(REGISTRAR_IDLE) | SM_TO(REGISTRAR_PAUSING) |
                                              SM_TO(REGISTRAR_TRAILING)},
    [REGISTRAR_TRAILING] = {"trailing", SM_TO(REGISTRAR_IDLE) | SM_TO(REGISTRAR_PAUSING)},
    [REGISTRAR_PAUSING] = {"pausing", SM_TO(REGISTRAR_IDLE)},
};

static const struct sm_table registrar_table = SM_TABLE("registrar", registrar_states);

static void pump(struct member *member);

void registrar_init(struct member *member)
{
    sm_init(&member->registrar.sm, &registrar_table, 0, REGISTRAR_IDLE);
    list_init(&member->registrar.ready);
    list_init(&member->registrar.asked);
    for (unsigned i = 0; i < SLICE_BUNDLES; i++) {
        member->registrar.bundles[i].member = member;
        list_init(&member->registrar.bundles[i].requests);
    }
    slice_init(&member->registrar.slice);
}

int registrar_wake(struct member *member)
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
    if (lanes_waiting(member))
        (void)registrar_wake(member);
}

/*
 * A name is what it should be now, unless the process has ended. What comes next is told when all
 * messages that are here already have been seen: another answer may be among them, and two say
 * more about how fast servers are than one.
 */
void registrar_told(struct bundle *bundle)
{
    struct member *member = bundle->member;

    slice_answered(&member->registrar.slice, bundle->told, bundle->told_ms,
                   procs_now_ms(member->procs));
    while (!list_empty(&bundle->requests)) {
        struct request *request = container_of(list_first(&bundle->requests), struct request,
                                               in_bundle);
        struct cn_pid room;
        const struct cn_pid *holder = request_holder(request, &room);
        bool done = request->kind != REQUEST_REGISTER || request_fits(request, holder);

        request_finish(request, done ? GLOBAL_YES : GLOBAL_NO, holder);
    }
    if (registrar_wake(member) != 0)
        pump(member);
}

void registrar_wanted(struct member *member)
{
    member->registrar.wanted = true;
}

/* Put a change into the bundle, or answer it if there is nothing to change. */
static void consider(struct request *request, struct bundle *bundle)
{
    struct cn_pid room;
    const struct cn_pid *holder = request_holder(request, &room);
    bool fits = request_fits(request, holder);
    bool alive = procs_find(request->member->procs, &request->pid) != NULL;

    if (request->kind == REQUEST_REGISTER && holder != NULL) {
        request_finish(request, fits ? GLOBAL_YES : GLOBAL_NO, holder);
    } else if (request->kind == REQUEST_REGISTER && !alive) {
        request_finish(request, GLOBAL_NO, NULL);
    } else if (request->kind == REQUEST_UNREGISTER && !fits) {
        request_finish(request, holder == NULL ? GLOBAL_YES : GLOBAL_NO, holder);
    } else {
        list_append(&bundle->requests, &request->in_bundle);
        bundle->told++;
    }
}

static void fill(struct bundle *bundle)
{
    struct member *member = bundle->member;
    struct registrar *registrar = &member->registrar;
    struct request *request = NULL;
    uint64_t now_ms = procs_now_ms(member->procs);
    uint32_t size = slice_room(&registrar->slice, now_ms);

    bundle->told = 0;
    bundle->told_ms = now_ms;
    while (bundle->told < size && (request = lanes_take(member)) != NULL)
        consider(request, bundle);
    if (bundle->told == 0)
        return;
    bundle_tell(bundle, registrar->claim);
    if (!list_empty(&bundle->requests))
        slice_told(&registrar->slice, bundle->told);
}

/* One that nobody is told now; NULL: all are. */
static struct bundle *find_bundle(struct registrar *registrar)
{
    for (unsigned i = 0; i < SLICE_BUNDLES; i++) {
        if (list_empty(&registrar->bundles[i].requests))
            return &registrar->bundles[i];
    }
    return NULL;
}

static unsigned under_way(const struct registrar *registrar)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SLICE_BUNDLES; i++)
        count += list_empty(&registrar->bundles[i].requests) ? 0 : 1;
    return count;
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

/* Others want the lock: somebody was refused here, or is about to join. */
static bool is_wanted(const struct member *member)
{
    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->up && !peer->known)
            return true;
    }
    return member->registrar.wanted;
}

/* How long to stay away after a full slice. Others have their chance as well while the answers to
 * all of @told bundles but one are on the way. */
static uint32_t rest_ms(const struct member *member, unsigned told)
{
    if (is_wanted(member))
        return WANTED_MS;
    return told > 1 ? 0 : REST_MS;
}

static bool may_go_on(const struct member *member)
{
    const struct registrar *registrar = &member->registrar;

    return !list_empty(&registrar->ready) &&
           slice_room(&registrar->slice, procs_now_ms(member->procs)) > 0 &&
           covers_all(member, registrar->claim);
}

/* Do what can be done under the lock; then give it back. */
static void run(struct member *member)
{
    struct registrar *registrar = &member->registrar;
    struct bundle *bundle = NULL;
    unsigned told = 0;
    bool over = false;

    if (registrar->running || sm_state(&registrar->sm) != REGISTRAR_HELD)
        return;
    registrar->running = true; /* answers that come at once come back here */
    lanes_answer_whereis(member);
    while (may_go_on(member) && (bundle = find_bundle(registrar)) != NULL)
        fill(bundle);
    registrar->running = false;
    told = under_way(registrar);
    over = slice_is_over(&registrar->slice, procs_now_ms(member->procs));
    if (told > 0 && !over)
        return;
    registrar->rest = over ? rest_ms(member, told) : 0;
    registrar->wanted = false;
    sm_move(&registrar->sm, REGISTRAR_RELEASING);
    if (told > 0)
        claim_release_at_once(registrar->claim);
    else
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

/* The lock is given back: ask anew when others had a chance, which is while the last bundles but
 * one are under way, or later. */
static void rest(struct member *member)
{
    struct registrar *registrar = &member->registrar;

    if (under_way(registrar) > (registrar->rest > 0 ? 0 : 1)) {
        if (sm_state(&registrar->sm) == REGISTRAR_RELEASING)
            sm_move(&registrar->sm, REGISTRAR_TRAILING);
    } else if (registrar->rest > 0) {
        pause_for(member, registrar->rest);
    } else {
        sm_move(&registrar->sm, REGISTRAR_IDLE);
        pump(member);
    }
}

static void on_claim(void *context, bool held)
{
    struct member *member = context;
    struct registrar *registrar = &member->registrar;

    if (held) {
        registrar->failures = 0;
        slice_begin(&registrar->slice, registrar->claimed_ms, procs_now_ms(member->procs));
        sm_move(&registrar->sm, REGISTRAR_HELD);
        run(member);
        return;
    }
    registrar->claim = NULL;
    if (sm_state(&registrar->sm) == REGISTRAR_CLAIMING) {
        unsigned doubles = registrar->failures < DOUBLES_MAX ? registrar->failures++ : DOUBLES_MAX;

        pause_for(member, 1 + member_random(member, RETRY_MS << doubles));
    } else {
        rest(member);
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
    registrar->claimed_ms = procs_now_ms(member->procs);
    if (r == 0)
        sm_move(&registrar->sm, REGISTRAR_CLAIMING);
    else
        pause_for(member, RETRY_MS);
}

/* Answer what needs no lock, and see to it that the rest gets one. */
static void pump(struct member *member)
{
    struct registrar *registrar = &member->registrar;
    bool idle = sm_state(&registrar->sm) == REGISTRAR_IDLE;

    if (sm_state(&registrar->sm) == REGISTRAR_HELD) {
        run(member);
    } else if (sm_state(&registrar->sm) == REGISTRAR_TRAILING) {
        lanes_answer_whereis(member);
        rest(member);
    } else if (joining(member)) {
        if (lanes_waiting(member) && idle)
            pause_for(member, LOOK_MS);
    } else {
        lanes_answer_whereis(member);
        if (idle && !list_empty(&registrar->ready))
            claim(member);
    }
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
