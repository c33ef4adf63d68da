/*
 * One question to every other host; the first pid is the answer, the last nil is the other. A
 * session that looks for another process of its own may end meanwhile, so it is known by its pid.
 */
#include "session/locate.h"

#include <string.h>

#include "base/alloc.h"
#include "session/ended.h"
#include "session/forward.h"
#include "session/members.h"
#include "session/relay.h"
#include "session/words.h"

#define LOCATE_MS 1000

struct locate {
    struct operation operation;
    struct hosts *hosts;
    locate_done done; /* NULL: told, or `other_done` is to be */
    void *context;
    locate_other_done other_done; /* NULL: told, or `done` is to be */
    struct cn_pid asker;          /* of locate_other; as `except` no answer */
    struct cn_pid except;
    struct cn_pid lost;
    uint64_t epoch;    /* of the asker */
    uint64_t since_ms; /* it has stopped; 0: it does not ask whether the session has ended */
    bool ended;        /* since then, at no lower epoch */
    size_t waiting;    /* answers that are still to come, and 1 while questions are being sent */
};

const struct cn_pid *locate_here(const struct hosts *hosts, enum locate_by by, struct cn_bytes key)
{
    const struct session *session = by == LOCATE_BY_ID ? session_table_by_id(&hosts->table, key)
                                                       : session_table_by_code(&hosts->table, key);

    if (session == NULL)
        return NULL;
    if (session_state(session) == SESSION_FORWARDING)
        return forward_target(session);
    if (session_state(session) == SESSION_RUNNING || session_state(session) == SESSION_FROZEN)
        return session_pid(session);
    return NULL;
}

static void locate_release(struct operation *operation)
{
    operation_end(operation);
    mem_free(container_of(operation, struct locate, operation));
}

/* Tell what was found, once. */
static void tell(struct locate *locate, const struct cn_pid *pid)
{
    locate_done done = locate->done;
    locate_other_done other_done = locate->other_done;
    struct session *session = NULL;

    locate->done = NULL;
    locate->other_done = NULL;
    if (done != NULL)
        done(locate->context, pid);
    if (other_done != NULL)
        session = session_find(locate->hosts, &locate->asker);
    if (session != NULL)
        other_done(session, pid, pid == NULL && locate->ended);
}

static void one_less(struct locate *locate)
{
    if (--locate->waiting > 0)
        return;
    tell(locate, NULL);
    locate_release(&locate->operation);
}

/* Tell whether the answer is the pid of another process than the asker. */
static bool names_other(const struct locate *locate, enum call_outcome outcome, struct cn_term term,
                        struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return outcome == CALL_REPLY && cn_peek(&reader) == CN_TYPE_PID &&
           cn_read_pid(&reader, ret_pid) && !cn_pid_equal(ret_pid, &locate->asker);
}

static void answered(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct locate *locate = context;
    struct cn_pid pid;

    if (names_other(locate, outcome, term, &pid) && !cn_pid_equal(&pid, &locate->except))
        tell(locate, &pid);
    one_less(locate);
}

/* An end means the asker's session if it was of no lower epoch, and after that one had stopped. */
static void note_end(struct locate *locate, uint64_t epoch, uint64_t age_ms)
{
    if (epoch >= locate->epoch && age_ms <= procs_now_ms(locate->hosts->procs) - locate->since_ms)
        locate->ended = true;
}

/* {ended, Epoch, AgeMs}; ages are of the answering host's clock, and so no older than they say. */
static void answered_end(struct gen_server *self, void *context, enum call_outcome outcome,
                         struct cn_term term)
{
    struct locate *locate = context;
    uint64_t epoch, age_ms;
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    if (outcome == CALL_REPLY && cn_peek(&reader) == CN_TYPE_TUPLE &&
        cn_read_this_tuple(&reader, 3) && cn_read_this_atom(&reader, "ended") &&
        words_read_unsigned(&reader, &epoch) && words_read_unsigned(&reader, &age_ms))
        note_end(locate, epoch, age_ms);
    one_less(locate);
}

/* An owner, and no hearsay: what was taken for lost lives, too. */
static void answered_owner(struct gen_server *self, void *context, enum call_outcome outcome,
                           struct cn_term term)
{
    struct locate *locate = context;
    struct cn_pid pid;

    if (names_other(locate, outcome, term, &pid))
        tell(locate, &pid);
    one_less(locate);
}

static void ask_this(struct locate *locate, const struct dest *dest, struct cn_writer *question,
                     call_done done)
{
    if (cn_writer_error(question) == 0 && host_call(locate->hosts, dest, cn_writer_term(question),
                                                    LOCATE_MS, done, locate, NULL) == 0)
        locate->waiting++;
    cn_writer_free(question);
}

/* A session asks owners alone: what a forwarder believes may lead to one who is lost, or back. */
static void ask_where(struct locate *locate, const struct dest *dest, enum locate_by by,
                      struct cn_bytes key)
{
    struct cn_writer question;

    cn_writer_init(&question, 0);
    if (locate->other_done != NULL) {
        relay_write(&question, key, NULL);
    } else {
        cn_write_tuple(&question, 2);
        cn_write_atom(&question, "whereis");
        cn_write_tuple(&question, 2);
        cn_write_atom(&question, by == LOCATE_BY_ID ? "id" : "join_code");
        cn_write_binary(&question, key);
    }
    ask_this(locate, dest, &question, answered);
}

static void ask_end(struct locate *locate, const struct dest *dest, struct cn_bytes id)
{
    struct cn_writer question;

    if (locate->since_ms == 0)
        return;
    cn_writer_init(&question, 0);
    cn_write_tuple(&question, 2);
    cn_write_atom(&question, "ended");
    cn_write_binary(&question, id);
    ask_this(locate, dest, &question, answered_end);
}

/* The host on the node that is lost is asked for an owner, by itself or by way of the others. */
static void ask_owner(struct locate *locate, const struct dest *dest, const char *on,
                      struct cn_bytes id)
{
    const char *lost = locate->lost.node;
    struct cn_writer question;

    if (lost[0] == '\0')
        return;
    cn_writer_init(&question, 0);
    relay_write(&question, id, strcmp(on, lost) == 0 ? NULL : lost);
    ask_this(locate, dest, &question, answered_owner);
}

static void ask_one(struct locate *locate, struct dest dest, const char *on, enum locate_by by,
                    struct cn_bytes key)
{
    ask_where(locate, &dest, by, key);
    ask_end(locate, &dest, key);
    ask_owner(locate, &dest, on, key);
}

/* A node that is just back has not said hello yet, but knows what became of its sessions. */
static void ask_all(struct locate *locate, enum locate_by by, struct cn_bytes key)
{
    const char *lost = locate->lost.node;
    uint64_t epoch, age_ms;

    if (locate->since_ms != 0 && ended_find(locate->hosts, key, &epoch, &age_ms))
        note_end(locate, epoch, age_ms);
    locate->waiting = 1;
    list_for_each(link, &locate->hosts->members) {
        const struct member *member = container_of(link, struct member, link);

        ask_one(locate, words_to_pid(&member->pid), member->pid.node, by, key);
    }
    if (lost[0] != '\0' && members_find(locate->hosts, lost) == NULL &&
        strcmp(lost, procs_node(locate->hosts->procs)) != 0)
        ask_one(locate, words_to_host(lost), lost, by, key);
    one_less(locate);
}

/* Ask as @like says; without memory nobody is asked, and nobody found. */
static void ask(const struct locate *like, enum locate_by by, struct cn_bytes key)
{
    struct locate *locate = mem_alloc(sizeof(*locate));
    struct locate unasked = *like;

    if (locate == NULL) {
        tell(&unasked, NULL);
        return;
    }
    *locate = *like;
    operation_begin(locate->hosts, &locate->operation, locate_release);
    ask_all(locate, by, key);
}

void locate_session(struct hosts *hosts, enum locate_by by, struct cn_bytes key, locate_done done,
                    void *context)
{
    const struct cn_pid *here = locate_here(hosts, by, key);

    if (here != NULL || hosts->members_count == 0)
        done(context, here);
    else
        ask(&(struct locate){.hosts = hosts, .done = done, .context = context}, by, key);
}

void locate_other(struct session *session, const struct locate_question *question,
                  locate_other_done done)
{
    const struct cn_pid *self = session_pid(session);

    ask(&(struct locate){.hosts = session->hosts,
                         .other_done = done,
                         .asker = *self,
                         .except = question->except != NULL ? *question->except : *self,
                         .lost = question->lost != NULL ? *question->lost : (struct cn_pid){0},
                         .epoch = session->epoch,
                         .since_ms = question->since_ms},
        LOCATE_BY_ID, session_id(session));
}
