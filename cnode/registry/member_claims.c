/*
 * Claims: one lock at many nodes.
 *
 *     boss ──► rest ──► held ──► releasing ──► gone
 *      │         └────────────────►┘▲
 *      ├───────────────────────────►┘ taken back
 *      └──► gone
 *
 * The node with the greatest name is asked first, so that of two that want the same lock one fails
 * before it has bothered the others; it is released last, so that who gets it there gets it
 * everywhere. Who does not answer for being gone has no say. Who refuses makes all of it be given
 * back. A release is not waited for at the greatest node: what we ask it next comes behind.
 *
 * Who has just told all nodes something that takes them long gives the lock back at all of them at
 * once, behind it, and waits for no answer. Who gets it at the greatest node then asks the others,
 * which have our word of the release by then, or nearly always.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "registry/member_internal.h"

enum claim_state {
    CLAIM_BOSS,
    CLAIM_REST,
    CLAIM_HELD,
    CLAIM_RELEASING,
    CLAIM_GONE,
};

static const struct sm_state claim_states[] = {
    [CLAIM_BOSS] = {"boss", SM_TO(CLAIM_REST) | SM_TO(CLAIM_RELEASING) | SM_TO(CLAIM_GONE),
                    .initial = true},
    [CLAIM_REST] = {"rest", SM_TO(CLAIM_HELD) | SM_TO(CLAIM_RELEASING)},
    [CLAIM_HELD] = {"held", SM_TO(CLAIM_RELEASING)},
    [CLAIM_RELEASING] = {"releasing", SM_TO(CLAIM_GONE)},
    [CLAIM_GONE] = {"gone", 0, .final = true},
};

static const struct sm_table claim_table = SM_TABLE("claim", claim_states);

static void claim_free(struct claim *claim)
{
    list_remove(&claim->link);
    kept_clear(&claim->id);
    mem_free(claim->nodes);
    mem_free(claim);
}

static void end(struct claim *claim, bool held)
{
    claim_done done = claim->done;
    void *context = claim->context;

    if (!held) {
        sm_move(&claim->sm, CLAIM_GONE);
        claim_free(claim);
    }
    done(context, held);
}

static void step(struct claim *claim);

static void on_answer(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct claim *claim = context;

    claim->open--;
    if (outcome == CALL_REPLY && cn_term_is_atom(term, "false"))
        claim->refused = true;
    if (claim->open == 0)
        step(claim);
}

static void ignore_answer(struct gen_server *self, void *context, enum call_outcome outcome,
                          struct cn_term term)
{
}

/* Ask one node; without memory it has refused. */
static int ask(struct claim *claim, size_t index, const char *verb, call_done done)
{
    struct dest dest = {
        .kind = DEST_NAME, .name = "global_name_server", .node = claim->nodes[index]};
    struct cn_writer writer;
    int r;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, verb);
    cn_write_term(&writer, kept_term(&claim->id));
    r = cn_writer_error(&writer);
    if (r == 0)
        r = call_start(claim->owner, &dest, cn_writer_term(&writer), 0, done, claim, NULL);
    cn_writer_free(&writer);
    if (r != 0)
        claim->refused = true;
    else if (done == on_answer)
        claim->open++;
    return r;
}

static bool is_here(const struct claim *claim, size_t index)
{
    return strcmp(claim->nodes[index], procs_node(claim->member->procs)) == 0;
}

bool claim_reaches(const struct claim *claim, size_t index)
{
    const struct peer *peer = known_find(claim->member, claim->nodes[index]);

    return is_here(claim, index) || (peer != NULL && (peer->connected || peer->known));
}

static void ask_rest(struct claim *claim)
{
    for (size_t i = 1; i < claim->count; i++) {
        if (claim_reaches(claim, i))
            (void)ask(claim, i, "set_lock", on_answer);
    }
    if (claim->open == 0)
        step(claim);
}

/*
 * Who is gone has dropped our locks with our other traces, and need not be dialled for that.
 * Without memory to ask, that is how the lock is given back; here it is taken away.
 */
static void give_back(struct claim *claim, size_t index, call_done done)
{
    const struct peer *peer = known_find(claim->member, claim->nodes[index]);
    bool here = is_here(claim, index);
    bool left = false;

    if (here || (peer != NULL && peer->connected))
        left = ask(claim, index, "del_lock", done) != 0;
    if (left && here)
        locks_delete(claim->member, kept_term(&claim->id), gen_server_pid(claim->owner));
    else if (left)
        member_part(claim->member, claim->nodes[index]);
}

static void release_rest(struct claim *claim)
{
    sm_move(&claim->sm, CLAIM_RELEASING);
    for (size_t i = 1; i < claim->count; i++)
        give_back(claim, i, on_answer);
    if (claim->open == 0)
        step(claim);
}

static void step(struct claim *claim)
{
    switch ((enum claim_state)sm_state(&claim->sm)) {
    case CLAIM_BOSS:
        if (claim->refused) {
            end(claim, false);
            return;
        }
        if (claim->cancelled) {
            release_rest(claim);
            return;
        }
        sm_move(&claim->sm, CLAIM_REST);
        ask_rest(claim);
        return;
    case CLAIM_REST:
        if (claim->refused || claim->cancelled) {
            release_rest(claim);
            return;
        }
        sm_move(&claim->sm, CLAIM_HELD);
        end(claim, true);
        return;
    case CLAIM_RELEASING:
        give_back(claim, 0, ignore_answer);
        end(claim, false);
        return;
    case CLAIM_HELD:
    case CLAIM_GONE:
        return;
    }
}

void claim_release(struct claim *claim)
{
    release_rest(claim);
}

void claim_release_at_once(struct claim *claim)
{
    sm_move(&claim->sm, CLAIM_RELEASING);
    for (size_t i = claim->count; i > 0; i--)
        give_back(claim, i - 1, ignore_answer);
    end(claim, false);
}

void claim_cancel(struct claim *claim)
{
    claim->cancelled = true;
}

bool claim_covers(const struct claim *claim, const char *node)
{
    for (size_t i = 0; i < claim->count; i++) {
        if (strcmp(claim->nodes[i], node) == 0)
            return true;
    }
    return false;
}

void claim_forget(struct claim *claim)
{
    claim_free(claim);
}

/* Add a node, keeping the greatest in front. */
static void add_node(struct claim *claim, const char *node)
{
    char(*place)[CN_NODE_NAME_MAX + 1] = &claim->nodes[claim->count];

    if (claim_covers(claim, node))
        return;
    if (claim->count > 0 && strcmp(node, claim->nodes[0]) > 0) {
        memcpy(*place, claim->nodes[0], sizeof(*place));
        place = &claim->nodes[0];
    }
    memcpy(*place, node, strlen(node) + 1);
    claim->count++;
}

static struct claim *claim_new(struct member *member, struct gen_server *owner, struct cn_term id,
                               const char *also)
{
    struct claim *claim = mem_zalloc(sizeof(*claim));

    if (claim == NULL)
        return NULL;
    list_append(&member->claims, &claim->link);
    claim->member = member;
    claim->owner = owner;
    sm_init(&claim->sm, &claim_table, 0, CLAIM_BOSS);
    claim->nodes = mem_zalloc_array(known_count(member) + 2, sizeof(*claim->nodes));
    if (claim->nodes == NULL || kept_set(&claim->id, id) != 0) {
        claim_free(claim);
        return NULL;
    }
    add_node(claim, procs_node(member->procs));
    for (const struct peer *peer = member->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->known)
            add_node(claim, peer->node);
    }
    if (also != NULL)
        add_node(claim, also);
    return claim;
}

int claim_start(struct member *member, struct gen_server *owner, struct cn_term id,
                const char *also, claim_done done, void *context, struct claim **ret_claim)
{
    struct claim *claim = claim_new(member, owner, id, also);

    if (claim == NULL)
        return -ENOMEM;
    claim->done = done;
    claim->context = context;
    (void)ask(claim, 0, "set_lock", on_answer);
    if (claim->open == 0) {
        claim_free(claim);
        return -ENOMEM;
    }
    *ret_claim = claim;
    return 0;
}

void claims_free_all(struct member *member)
{
    while (!list_empty(&member->claims))
        claim_free(container_of(list_first(&member->claims), struct claim, link));
}
