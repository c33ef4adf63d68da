/*
 * The registrar: names change under lock `global`, which it holds at all known nodes.
 *
 *     idle ──► claiming ──► held ──► releasing ──► idle
 *      ▲▼          │                     │▼
 *     pausing ◄────┘ not free           pausing, after a full slice
 *
 * What waits when the lock is had is done under it, and what comes meanwhile: in bundles, one after
 * the other. A bundle is told to all servers, the own one included, and its requests are answered
 * when all servers have answered; who asked does not wait for the lock's release. After SLICE_MS
 * the lock is given back even if more is to be done, and left to others for a while.
 *
 * How many names a bundle may have follows from how long the slowest server lately took for one,
 * and from what is left of the slice: a BEAM node's server needs ever longer for each name the more
 * names the processes of one node have (its book about a node's monitors is copied each time), tens
 * of microseconds for the first, milliseconds for the ten thousandth. A slice begins carefully,
 * since others may have made it slower meanwhile.
 *
 * A node that has just found its first peer waits a moment for the join before it registers: a name
 * taken without the others' knowledge would be a conflict right after.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/member_internal.h"

#define SLICE_MS      36u
#define REST_MS       20u
#define BUNDLE_MS     10u
#define BUNDLE_MAX    1000u
#define NAME_US       600u /* for a name, before it is known better */
#define NAME_US_MIN   5u
#define STEP          4u /* the guess changes by no more than this factor at once */
#define CLOCK_MS      2u /* what is shorter cannot be told apart */
#define RETRY_MS      125u
#define CLAIM_ANSWERS 2u /* one after the other, until a lock is held */
#define DOUBLES_MAX   4u
#define JOIN_MS       2000u
#define LOOK_MS       20u

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

static void pump(struct member *member);

void registrar_init(struct member *member)
{
    sm_init(&member->registrar.sm, &registrar_table, 0, REGISTRAR_IDLE);
    list_init(&member->registrar.ready);
    list_init(&member->registrar.asked);
    list_init(&member->registrar.bundle);
    member->registrar.name_us = NAME_US;
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

static void run(struct member *member);

static uint64_t within(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/*
 * How long a server takes for a name, as the last bundle has shown: without the time that any
 * answer takes, as the lock's have shown. A bundle that was over at once may show that a name takes
 * less than was thought, but not that it takes more.
 */
static void adapt(struct registrar *registrar, uint64_t now_ms)
{
    uint64_t ms = now_ms - registrar->told_ms;
    uint64_t answer_ms = within(registrar->answer_ms, 0, ms / 2);
    uint64_t us = within((ms - answer_ms) * 1000, 500, UINT32_MAX) / registrar->told;
    uint64_t before_us = registrar->name_us;

    if (us > before_us && ms <= CLOCK_MS)
        return;
    us = within(us, before_us / STEP, before_us * STEP);
    registrar->name_us = (uint32_t)within(us, NAME_US_MIN, BUNDLE_MS * 1000);
}

/* How many names may be told now, so that servers answer before the slice ends. */
static uint32_t room(const struct member *member)
{
    const struct registrar *registrar = &member->registrar;
    uint64_t spent_ms = procs_now_ms(member->procs) - registrar->held_ms + registrar->answer_ms;
    uint64_t left_ms = spent_ms < SLICE_MS ? within(SLICE_MS - spent_ms, 0, BUNDLE_MS) : 0;
    uint64_t names = left_ms * 1000 / registrar->name_us;

    if (registrar->bundles == 0)
        names = within(names / STEP, 1, BUNDLE_MAX);
    return (uint32_t)within(names, 0, BUNDLE_MAX);
}

/* A name is what it should be now, unless the process has ended. */
void registrar_told(struct member *member)
{
    struct registrar *registrar = &member->registrar;

    adapt(registrar, procs_now_ms(member->procs));
    while (!list_empty(&registrar->bundle)) {
        struct request *request = container_of(list_first(&registrar->bundle), struct request,
                                               in_bundle);
        const struct cn_pid *holder = request_holder(request);
        bool done = request->kind != REQUEST_REGISTER || request_fits(request, holder);

        request_finish(request, done ? GLOBAL_YES : GLOBAL_NO, holder);
    }
    run(member);
}

/* Put a change into the bundle, or answer it if there is nothing to change. */
static void consider(struct request *request)
{
    struct registrar *registrar = &request->member->registrar;
    const struct cn_pid *holder = request_holder(request);
    bool fits = request_fits(request, holder);
    bool alive = procs_find(request->member->procs, &request->pid) != NULL;

    if (request->kind == REQUEST_REGISTER && holder != NULL) {
        request_finish(request, fits ? GLOBAL_YES : GLOBAL_NO, holder);
    } else if (request->kind == REQUEST_REGISTER && !alive) {
        request_finish(request, GLOBAL_NO, NULL);
    } else if (request->kind == REQUEST_UNREGISTER && !fits) {
        request_finish(request, holder == NULL ? GLOBAL_YES : GLOBAL_NO, holder);
    } else {
        list_append(&registrar->bundle, &request->in_bundle);
        registrar->told++;
    }
}

static void next_bundle(struct member *member)
{
    struct registrar *registrar = &member->registrar;
    struct request *request = NULL;
    uint32_t size = room(member);

    registrar->told = 0;
    registrar->told_ms = procs_now_ms(member->procs);
    while (registrar->told < size && (request = lanes_take(member)) != NULL)
        consider(request);
    if (registrar->told == 0)
        return;
    registrar->bundles++;
    bundle_tell(member, registrar->claim);
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

static bool slice_is_over(const struct member *member)
{
    return room(member) == 0;
}

static bool may_go_on(const struct member *member)
{
    const struct registrar *registrar = &member->registrar;

    return list_empty(&registrar->bundle) && !list_empty(&registrar->ready) &&
           !slice_is_over(member) && covers_all(member, registrar->claim);
}

/* Do what can be done under the lock; then give it back. */
static void run(struct member *member)
{
    struct registrar *registrar = &member->registrar;

    if (registrar->running || sm_state(&registrar->sm) != REGISTRAR_HELD)
        return;
    registrar->running = true; /* answers that come at once come back here */
    lanes_answer_whereis(member);
    while (may_go_on(member))
        next_bundle(member);
    registrar->running = false;
    if (!list_empty(&registrar->bundle))
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
        registrar->bundles = 0;
        registrar->answer_ms = (registrar->held_ms - registrar->claimed_ms) / CLAIM_ANSWERS;
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

    if (joining(member)) {
        if (lanes_waiting(member) && sm_state(&registrar->sm) == REGISTRAR_IDLE)
            pause_for(member, LOOK_MS);
        return;
    }
    lanes_answer_whereis(member);
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
