/*
 * One look at each session that was here at the call, in slices, for there may be a million.
 *
 * Each session goes, on paper, to the first host of its ranking as a drain walks it, and takes a
 * place there: a host that is full by then is passed over. What the hosts said of themselves last
 * is what is known of them, so a drain may do better or worse.
 */
#include "session/rehearse.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "session/members.h"
#include "session/move.h"
#include "session/ranking.h"
#include "session/words.h"

/* Sessions that are looked at before the node does something else. */
#define SLICE 100

/* Why nobody would take a session: what the first host of its ranking would say. */
enum refusal {
    REFUSAL_NO_HOST,
    REFUSAL_DRAINING,
    REFUSAL_FULL,
    REFUSAL_VERSION,
    REFUSAL_COUNT,
};

static const char *const refusals[] = {
    [REFUSAL_NO_HOST] = "no_host",
    [REFUSAL_DRAINING] = "draining",
    [REFUSAL_FULL] = "full",
    [REFUSAL_VERSION] = "unsupported_state_version",
};

/* A host, and how many sessions would go there. */
struct rehearsed_host {
    char node[CN_NODE_NAME_MAX + 1];
    uint64_t count;
};

/* A process of this node. */
struct rehearsed_pid {
    uint32_t id;
    uint32_t serial;
};

struct rehearsal {
    struct operation operation;
    struct host_timer slice;
    struct hosts *hosts;
    struct gen_from *from;
    struct cn_pid here;             /* any process of this node */
    struct rehearsed_host *targets; /* the hosts known at the call */
    size_t targets_count;
    struct rehearsed_pid *pids;
    size_t pids_count;
    size_t next;
    uint64_t sessions;
    uint64_t bytes;
    uint64_t refused[REFUSAL_COUNT];
};

static void rehearsal_free(struct rehearsal *rehearsal)
{
    host_timer_stop(rehearsal->hosts, &rehearsal->slice);
    operation_end(&rehearsal->operation);
    gen_from_free(rehearsal->from);
    mem_free(rehearsal->targets);
    mem_free(rehearsal->pids);
    mem_free(rehearsal);
}

static void rehearsal_release(struct operation *operation)
{
    rehearsal_free(container_of(operation, struct rehearsal, operation));
}

static void note_hosts(struct rehearsal *rehearsal)
{
    list_for_each(link, &rehearsal->hosts->members) {
        const struct member *member = container_of(link, struct member, link);
        struct rehearsed_host *target = &rehearsal->targets[rehearsal->targets_count++];

        text_copy(target->node, sizeof(target->node), member->pid.node);
    }
}

static void note_sessions(struct rehearsal *rehearsal)
{
    struct session_key *key, *next;

    map_for_each(rehearsal->hosts->table.by_id, key,
                 next) if (session_state(key->session) == SESSION_RUNNING)
    {
        const struct cn_pid *pid = session_pid(key->session);

        rehearsal->pids[rehearsal->pids_count++] = (struct rehearsed_pid){
            .id = pid->id,
            .serial = pid->serial,
        };
    }
}

static struct rehearsal *rehearsal_new(struct hosts *hosts, const struct gen_from *from)
{
    struct rehearsal *rehearsal = mem_zalloc(sizeof(*rehearsal));
    size_t sessions = session_table_owned(&hosts->table);

    if (rehearsal == NULL)
        return NULL;
    rehearsal->hosts = hosts;
    operation_begin(hosts, &rehearsal->operation, rehearsal_release);
    rehearsal->from = gen_from_copy(from);
    rehearsal->targets = mem_zalloc_array(hosts->members_count + 1, sizeof(*rehearsal->targets));
    rehearsal->pids = mem_zalloc_array(sessions + 1, sizeof(*rehearsal->pids));
    if (rehearsal->from == NULL || rehearsal->targets == NULL || rehearsal->pids == NULL) {
        rehearsal_free(rehearsal);
        return NULL;
    }
    rehearsal->here = *host_pid(hosts);
    note_hosts(rehearsal);
    note_sessions(rehearsal);
    return rehearsal;
}

static void write_count(struct cn_writer *writer, const char *key, uint64_t count)
{
    cn_write_atom(writer, key);
    cn_write_unsigned(writer, count);
}

static void write_targets(const struct rehearsal *rehearsal, struct cn_writer *writer)
{
    uint32_t count = 0;

    for (size_t i = 0; i < rehearsal->targets_count; i++)
        count += rehearsal->targets[i].count > 0 ? 1 : 0;
    cn_write_map(writer, count);
    for (size_t i = 0; i < rehearsal->targets_count; i++)
        if (rehearsal->targets[i].count > 0)
            write_count(writer, rehearsal->targets[i].node, rehearsal->targets[i].count);
}

static void write_refusals(const struct rehearsal *rehearsal, struct cn_writer *writer)
{
    uint32_t count = 0;

    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        count += rehearsal->refused[i] > 0 ? 1 : 0;
    cn_write_map(writer, count);
    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        if (rehearsal->refused[i] > 0)
            write_count(writer, refusals[i], rehearsal->refused[i]);
}

static void answer(struct rehearsal *rehearsal)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "ok");
    cn_write_map(&writer, 4);
    write_count(&writer, "sessions", rehearsal->sessions);
    write_count(&writer, "bytes", rehearsal->bytes);
    cn_write_atom(&writer, "targets");
    write_targets(rehearsal, &writer);
    cn_write_atom(&writer, "refusals");
    write_refusals(rehearsal, &writer);
    gen_reply(rehearsal->hosts->procs, rehearsal->from, words_answer(&writer));
    cn_writer_free(&writer);
}

static struct rehearsed_host *target_of(const struct rehearsal *rehearsal, const char *node)
{
    for (size_t i = 0; i < rehearsal->targets_count; i++)
        if (strcmp(rehearsal->targets[i].node, node) == 0)
            return &rehearsal->targets[i];
    return NULL;
}

/* What @member would say to one more session; REFUSAL_COUNT: it takes it. */
static enum refusal judge(const struct rehearsal *rehearsal, const struct member *member,
                          const struct rehearsed_host *target)
{
    uint32_t version = rehearsal->hosts->game->state_version;

    if (member->draining)
        return REFUSAL_DRAINING;
    if (member->sessions + target->count >= member->capacity)
        return REFUSAL_FULL;
    return member_takes(member, version) ? REFUSAL_COUNT : REFUSAL_VERSION;
}

/* Give @session a place on paper. */
static void place(struct rehearsal *rehearsal, const struct ranking *ranking)
{
    enum refusal first = REFUSAL_NO_HOST;

    for (size_t i = 0; i < ranking->count; i++) {
        const struct member *member = members_find(rehearsal->hosts, ranking->candidates[i].node);
        struct rehearsed_host *target = target_of(rehearsal, ranking->candidates[i].node);
        enum refusal refusal;

        if (member == NULL || target == NULL)
            continue;
        refusal = judge(rehearsal, member, target);
        if (refusal == REFUSAL_COUNT) {
            target->count++;
            return;
        }
        if (first == REFUSAL_NO_HOST)
            first = refusal;
    }
    rehearsal->refused[first]++;
}

static int look(struct rehearsal *rehearsal, const struct session *session)
{
    struct ranking ranking;
    size_t bytes;
    int error = move_measure(session, &bytes);

    if (error != 0)
        return error;
    error = ranking_init_leaving(&ranking, rehearsal->hosts, session_id(session));
    if (error != 0)
        return error;
    rehearsal->sessions++;
    rehearsal->bytes += bytes;
    place(rehearsal, &ranking);
    ranking_deinit(&ranking);
    return 0;
}

/* The session of the next pid; NULL when it has ended or moved meanwhile. */
static struct session *next_session(struct rehearsal *rehearsal)
{
    struct cn_pid pid = rehearsal->here;
    struct session *session;

    pid.id = rehearsal->pids[rehearsal->next].id;
    pid.serial = rehearsal->pids[rehearsal->next].serial;
    rehearsal->next++;
    session = session_find(rehearsal->hosts, &pid);
    if (session == NULL || session->stopping || session_state(session) != SESSION_RUNNING)
        return NULL;
    return session;
}

static void rehearsal_fail(struct rehearsal *rehearsal)
{
    gen_reply(rehearsal->hosts->procs, rehearsal->from, words_no_memory());
    rehearsal_free(rehearsal);
}

static void slice(struct host_timer *timer)
{
    struct rehearsal *rehearsal = container_of(timer, struct rehearsal, slice);

    for (int looked = 0; looked < SLICE && rehearsal->next < rehearsal->pids_count; looked++) {
        struct session *session = next_session(rehearsal);

        if (session != NULL && look(rehearsal, session) != 0) {
            rehearsal_fail(rehearsal);
            return;
        }
    }
    if (rehearsal->next == rehearsal->pids_count) {
        answer(rehearsal);
        rehearsal_free(rehearsal);
    } else if (host_timer_start(rehearsal->hosts, &rehearsal->slice, 0, slice) != 0) {
        rehearsal_fail(rehearsal);
    }
}

void rehearse_call(struct hosts *hosts, const struct gen_from *from)
{
    struct rehearsal *rehearsal = rehearsal_new(hosts, from);

    if (rehearsal == NULL)
        gen_reply(hosts->procs, from, words_no_memory());
    else
        slice(&rehearsal->slice);
}
