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

static void answered(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct locate *locate = context;
    struct cn_reader reader;
    struct cn_pid pid;

    cn_reader_init(&reader, term);
    if (outcome == CALL_REPLY && cn_peek(&reader) == CN_TYPE_PID && cn_read_pid(&reader, &pid) &&
        !cn_pid_equal(&pid, &locate->asker) && !cn_pid_equal(&pid, &locate->except))
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

static void ask_one(struct locate *locate, struct dest dest, struct cn_term question,
                    struct cn_term end)
{
    struct hosts *hosts = locate->hosts;

    if (host_call(hosts, &dest, question, LOCATE_MS, answered, locate, NULL) == 0)
        locate->waiting++;
    if (locate->since_ms != 0 &&
        host_call(hosts, &dest, end, LOCATE_MS, answered_end, locate, NULL) == 0)
        locate->waiting++;
}

/* A node that is just back has not said hello yet, but knows what became of its sessions. */
static void ask_all(struct locate *locate, struct cn_bytes key, struct cn_term question,
                    struct cn_term end)
{
    const char *lost = locate->lost.node;
    uint64_t epoch, age_ms;

    if (locate->since_ms != 0 && ended_find(locate->hosts, key, &epoch, &age_ms))
        note_end(locate, epoch, age_ms);
    locate->waiting = 1;
    list_for_each(link, &locate->hosts->members)
        ask_one(locate, words_to_pid(&container_of(link, struct member, link)->pid), question, end);
    if (lost[0] != '\0' && members_find(locate->hosts, lost) == NULL &&
        strcmp(lost, procs_node(locate->hosts->procs)) != 0)
        ask_one(locate, words_to_host(lost), question, end);
    one_less(locate);
}

/* Ask as @like says; without memory nobody is asked, and nobody found. */
static void ask(const struct locate *like, enum locate_by by, struct cn_bytes key)
{
    struct locate *locate = mem_alloc(sizeof(*locate));
    struct locate unasked = *like;
    struct cn_writer question;
    struct cn_writer end;

    cn_writer_init(&question, 0);
    cn_writer_init(&end, 0);
    cn_write_tuple(&question, 2);
    cn_write_atom(&question, "whereis");
    cn_write_tuple(&question, 2);
    cn_write_atom(&question, by == LOCATE_BY_ID ? "id" : "join_code");
    cn_write_binary(&question, key);
    cn_write_tuple(&end, 2);
    cn_write_atom(&end, "ended");
    cn_write_binary(&end, key);
    if (locate == NULL || cn_writer_error(&question) != 0 || cn_writer_error(&end) != 0) {
        mem_free(locate);
        tell(&unasked, NULL);
    } else {
        *locate = *like;
        operation_begin(locate->hosts, &locate->operation, locate_release);
        ask_all(locate, key, cn_writer_term(&question), cn_writer_term(&end));
    }
    cn_writer_free(&question);
    cn_writer_free(&end);
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
