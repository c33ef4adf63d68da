/*
 * Locks that servers of this node ask for, as global:set_lock/3.
 *
 *     asking ──► held ──► releasing ──► gone
 *      ▲  │
 *      │  ├──► waiting ──► asking         somebody else has it
 *      │  └──► gone                       in all tries that were allowed
 *      └── begins
 *
 * Each is a claim (member_claims.c) in the name of the server's own process, so that its end frees
 * the lock at all nodes; here the record is forgotten then. Between two tries lies a random time
 * that grows with the tries, as in OTP. Who gives back what he has not is answered as well, a
 * moment later (the state `leaving`).
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "registry/member_internal.h"

#define RETRY_MS    125u
#define DOUBLES_MAX 6u

enum locking_state {
    LOCKING_ASKING,
    LOCKING_WAITING,
    LOCKING_HELD,
    LOCKING_RELEASING,
    LOCKING_LEAVING,
    LOCKING_GONE,
};

static const struct sm_state locking_states[] = {
    [LOCKING_ASKING] = {"asking",
                        SM_TO(LOCKING_HELD) | SM_TO(LOCKING_WAITING) | SM_TO(LOCKING_GONE),
                        .initial = true},
    [LOCKING_WAITING] = {"waiting", SM_TO(LOCKING_ASKING) | SM_TO(LOCKING_GONE)},
    [LOCKING_HELD] = {"held", SM_TO(LOCKING_RELEASING)},
    [LOCKING_RELEASING] = {"releasing", SM_TO(LOCKING_GONE)},
    [LOCKING_LEAVING] = {"leaving", SM_TO(LOCKING_GONE), .initial = true},
    [LOCKING_GONE] = {"gone", 0, .final = true},
};

static const struct sm_table locking_table = SM_TABLE("lock", locking_states);

/* A lock that a server has or waits for. */
struct locking {
    struct list link; /* in member.lockings */
    struct member *member;
    struct gen_server *owner;
    struct sm sm;
    struct kept id;
    struct claim *claim; /* NULL while waiting or leaving */
    uint32_t retries;
    unsigned tries;
    uint64_t timer; /* 0: none */
    global_locked done;
    void *context;
};

static void locking_free(struct locking *locking)
{
    list_remove(&locking->link);
    kept_clear(&locking->id);
    mem_free(locking);
}

static struct locking *locking_new(struct member *member, struct gen_server *owner,
                                   struct cn_term id, unsigned state)
{
    struct locking *locking = mem_zalloc(sizeof(*locking));

    if (locking == NULL)
        return NULL;
    list_append(&member->lockings, &locking->link);
    locking->member = member;
    locking->owner = owner;
    sm_init(&locking->sm, &locking_table, 0, state);
    if (kept_set(&locking->id, id) != 0) {
        locking_free(locking);
        return NULL;
    }
    return locking;
}

static void answer(struct locking *locking, bool held)
{
    global_locked done = locking->done;
    void *context = locking->context;

    if (!held) {
        sm_move(&locking->sm, LOCKING_GONE);
        locking_free(locking);
    }
    if (done != NULL)
        done(context, held);
}

static int start_timer(struct locking *locking, uint32_t delay_ms)
{
    return process_start_timer(gen_server_process(locking->member->server), delay_ms,
                               &locking->timer);
}

/* Somebody else has it. Without memory to wait it could not be had. */
static void try_later(struct locking *locking)
{
    unsigned doubles = locking->tries < DOUBLES_MAX ? locking->tries : DOUBLES_MAX;

    locking->tries++;
    if (locking->retries == 0 || locking->member->server == NULL ||
        start_timer(locking, 1 + member_random(locking->member, RETRY_MS << doubles)) != 0) {
        answer(locking, false);
        return;
    }
    if (locking->retries != UINT32_MAX)
        locking->retries--;
    sm_move(&locking->sm, LOCKING_WAITING);
}

static void on_claim(void *context, bool held)
{
    struct locking *locking = context;

    if (held) {
        sm_move(&locking->sm, LOCKING_HELD);
        answer(locking, true);
        return;
    }
    locking->claim = NULL;
    if (sm_state(&locking->sm) == LOCKING_ASKING)
        try_later(locking);
    else
        answer(locking, false);
}

static int ask(struct locking *locking)
{
    return claim_start(locking->member, locking->owner, kept_term(&locking->id), NULL, on_claim,
                       locking, &locking->claim);
}

static bool is_id(struct cn_term id)
{
    struct cn_reader reader;

    cn_reader_init(&reader, id);
    return cn_read_this_tuple(&reader, 2);
}

int trans_set_lock(struct member *member, struct gen_server *owner, struct cn_term id,
                   uint32_t retries, global_locked done, void *context)
{
    struct locking *locking = NULL;
    int r;

    if (member->server == NULL || !is_id(id))
        return member->server == NULL ? CN_E_CLOSED : CN_E_INVALID;
    locking = locking_new(member, owner, id, LOCKING_ASKING);
    if (locking == NULL)
        return -ENOMEM;
    locking->retries = retries;
    locking->done = done;
    locking->context = context;
    r = ask(locking);
    if (r != 0)
        locking_free(locking);
    return r;
}

static struct locking *find_held(struct member *member, struct gen_server *owner, struct cn_term id)
{
    list_for_each(item, &member->lockings) {
        struct locking *locking = container_of(item, struct locking, link);

        if (locking->owner == owner && sm_state(&locking->sm) == LOCKING_HELD &&
            cn_term_equal(kept_term(&locking->id), id))
            return locking;
    }
    return NULL;
}

/* Answer a moment later that there was nothing to give back. */
static int leave(struct member *member, struct gen_server *owner, struct cn_term id,
                 global_locked done, void *context)
{
    struct locking *locking = locking_new(member, owner, id, LOCKING_LEAVING);

    if (locking == NULL || start_timer(locking, 0) != 0) {
        if (locking != NULL)
            locking_free(locking);
        return -ENOMEM;
    }
    locking->done = done;
    locking->context = context;
    return 0;
}

int trans_del_lock(struct member *member, struct gen_server *owner, struct cn_term id,
                   global_locked done, void *context)
{
    struct locking *locking = NULL;

    if (member->server == NULL || !is_id(id))
        return member->server == NULL ? CN_E_CLOSED : CN_E_INVALID;
    locking = find_held(member, owner, id);
    if (locking == NULL)
        return leave(member, owner, id, done, context);
    locking->done = done;
    locking->context = context;
    sm_move(&locking->sm, LOCKING_RELEASING);
    claim_release(locking->claim);
    return 0;
}

void trans_timer(struct member *member, uint64_t timer)
{
    list_for_each(item, &member->lockings) {
        struct locking *locking = container_of(item, struct locking, link);

        if (locking->timer != timer)
            continue;
        locking->timer = 0;
        if (sm_state(&locking->sm) == LOCKING_LEAVING) {
            answer(locking, false);
            return;
        }
        sm_move(&locking->sm, LOCKING_ASKING);
        if (ask(locking) != 0)
            try_later(locking);
        return;
    }
}

/* A timer that still runs finds nobody. */
static void forget(struct locking *locking)
{
    if (locking->claim != NULL)
        claim_forget(locking->claim);
    locking_free(locking);
}

void trans_owner_ends(struct member *member, struct gen_server *owner)
{
    list_for_each_safe(item, &member->lockings) {
        struct locking *locking = container_of(item, struct locking, link);

        if (locking->owner == owner)
            forget(locking);
    }
}

void trans_closed(struct member *member)
{
    struct list waiting;

    list_init(&waiting);
    list_for_each_safe(item, &member->lockings) {
        unsigned state = sm_state(&container_of(item, struct locking, link)->sm);

        if (state != LOCKING_WAITING && state != LOCKING_LEAVING)
            continue;
        list_remove(item);
        list_append(&waiting, item);
    }
    while (!list_empty(&waiting))
        answer(container_of(list_first(&waiting), struct locking, link), false);
}

void trans_free_all(struct member *member)
{
    while (!list_empty(&member->lockings))
        forget(container_of(list_first(&member->lockings), struct locking, link));
}
