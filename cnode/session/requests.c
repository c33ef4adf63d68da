/*
 * The calls of the host process.
 *
 * Every answer is written whole and sent once; only start_session, drain, rehearse, a question that
 * is passed on and what the conductor does answer later, and keep the caller until then. How it
 * fails: without memory the answer is {error, no_memory}.
 */
#include "session/requests.h"

#include "base/alloc.h"
#include "session/conductor.h"
#include "session/drain.h"
#include "session/ended.h"
#include "session/failpoint.h"
#include "session/handoff_in.h"
#include "session/locate.h"
#include "session/members.h"
#include "session/rehearse.h"
#include "session/relay.h"
#include "session/start.h"
#include "session/words.h"

/* A caller that waits for the start of a session. */
struct start_request {
    struct operation operation;
    struct hosts *hosts;
    struct gen_from *from;
};

static void write_hosts(const struct hosts *hosts, struct cn_writer *writer)
{
    cn_write_list(writer, (uint32_t)hosts->members_count + 1);
    host_write_info(hosts, writer);
    list_for_each(link, &hosts->members)
        cn_write_term(writer, member_info(container_of(link, struct member, link)));
    cn_write_nil(writer);
}

static bool owned(const struct session *session)
{
    return session_state(session) == SESSION_RUNNING || session_state(session) == SESSION_FROZEN;
}

static void write_session(const struct session *session, struct cn_writer *writer)
{
    cn_write_map(writer, 5);
    cn_write_atom(writer, "id");
    cn_write_binary(writer, session_id(session));
    cn_write_atom(writer, "join_code");
    words_code(writer, session_code(session));
    cn_write_atom(writer, "pid");
    cn_write_pid(writer, session_pid(session));
    cn_write_atom(writer, "epoch");
    cn_write_unsigned(writer, session->epoch);
    cn_write_atom(writer, "version");
    cn_write_unsigned(writer, session->version);
}

static void write_sessions(const struct hosts *hosts, struct cn_writer *writer)
{
    struct session_key *key, *next;
    uint32_t count = 0;

    map_for_each(hosts->table.by_id, key, next) count += owned(key->session) ? 1 : 0;
    if (count > hosts->config.listed_max) {
        words_error(writer, "system_limit");
        return;
    }
    if (count > 0)
        cn_write_list(writer, count);
    map_for_each(hosts->table.by_id, key, next) if (owned(key->session))
        write_session(key->session, writer);
    cn_write_nil(writer);
}

static bool whereis(struct hosts *hosts, struct cn_term request, struct cn_writer *writer)
{
    struct cn_reader reader;
    enum locate_by by;
    struct cn_bytes tag;
    struct cn_bytes key = {.size = 0};
    const struct cn_pid *pid;

    cn_reader_init(&reader, request);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_this_atom(&reader, "whereis") ||
        !cn_read_this_tuple(&reader, 2) || !cn_read_atom(&reader, &tag))
        return false;
    if (cn_bytes_equal(tag, "id"))
        by = LOCATE_BY_ID;
    else if (cn_bytes_equal(tag, "join_code"))
        by = LOCATE_BY_CODE;
    else
        return false;
    cn_read_binary(&reader, &key);
    pid = locate_here(hosts, by, key);
    if (pid == NULL)
        cn_write_atom(writer, "nil");
    else
        cn_write_pid(writer, pid);
    return true;
}

static void start_request_free(struct start_request *start)
{
    operation_end(&start->operation);
    gen_from_free(start->from);
    mem_free(start);
}

static void start_request_release(struct operation *operation)
{
    start_request_free(container_of(operation, struct start_request, operation));
}

static void started(void *context, struct cn_term answer)
{
    struct start_request *start = context;

    gen_reply(start->hosts->procs, start->from, answer);
    start_request_free(start);
}

static struct start_request *start_request_new(struct hosts *hosts, const struct gen_from *from)
{
    struct start_request *start = mem_zalloc(sizeof(*start));

    if (start == NULL)
        return NULL;
    start->from = gen_from_copy(from);
    if (start->from == NULL) {
        mem_free(start);
        return NULL;
    }
    start->hosts = hosts;
    operation_begin(hosts, &start->operation, start_request_release);
    return start;
}

/* Import what another host sends, then start it here. */
static void import_and_start(struct hosts *hosts, const struct gen_from *from, struct cn_bytes code,
                             struct cn_term game)
{
    struct cn_game_env env = host_env(hosts);
    struct start_request *start;
    struct cn_writer error;
    void *state = NULL;
    int result;

    cn_writer_init(&error, 0);
    result = hosts->game->import(&env, game, &state, &error);
    if (result != 0) {
        gen_reply(hosts->procs, from, result < 0 ? words_failure(result) : words_answer(&error));
        cn_writer_free(&error);
        return;
    }
    cn_writer_free(&error);
    start = start_request_new(hosts, from);
    if (start == NULL) {
        hosts->game->free(state);
        gen_reply(hosts->procs, from, words_no_memory());
        return;
    }
    start_session(hosts, code, state, started, start);
}

static bool start_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request)
{
    struct cn_reader reader;
    struct cn_term code_term;
    struct cn_bytes code;
    struct cn_term game;

    cn_reader_init(&reader, request);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "start_session") ||
        !cn_read_term(&reader, &code_term) || !cn_read_term(&reader, &game))
        return false;
    if (!words_read_code(code_term, &code))
        words_reply_error(hosts->procs, from, "invalid_join_code");
    else if (host_draining(hosts))
        words_reply_error(hosts->procs, from, "draining");
    else
        import_and_start(hosts, from, code, game);
    return true;
}

/* Take no sessions in from now on, or take them in again, and tell all hosts at once. */
static bool cordon(struct hosts *hosts, struct cn_term request, struct cn_writer *writer)
{
    bool on = cn_term_is_atom(request, "cordon");

    if (!on && !cn_term_is_atom(request, "uncordon"))
        return false;
    if (!on && hosts->drain != NULL) {
        words_error(writer, "draining");
        return true;
    }
    if (on != hosts->cordoned)
        host_log(hosts, HOSTS_LOG_INFO, on ? "cordoned: takes no sessions in" : "uncordoned");
    hosts->cordoned = on;
    members_tell_all(hosts);
    cn_write_atom(writer, "ok");
    return true;
}

/* Write the answer to a call that is answered at once; false when it is none of them. */
static bool answer_at_once(struct hosts *hosts, struct cn_term request, struct cn_writer *writer)
{
    if (cn_term_is_atom(request, "info"))
        host_write_info(hosts, writer);
    else if (cn_term_is_atom(request, "hosts"))
        write_hosts(hosts, writer);
    else if (cn_term_is_atom(request, "sessions"))
        write_sessions(hosts, writer);
    else
        return cordon(hosts, request, writer) || whereis(hosts, request, writer) ||
               ended_answer(hosts, request, writer) || handoff_in_offer(hosts, request, writer);
    return true;
}

static void rehearse(struct hosts *hosts, const struct gen_from *from)
{
    if (hosts->drain != NULL)
        words_reply_error(hosts->procs, from, "draining");
    else
        rehearse_call(hosts, from);
}

/* A test lets this node fail at an offer, which then gets no answer. */
static bool fails_at_offer(struct cn_term request)
{
    struct cn_term offer;

    return words_read_pair(request, "offer", &offer) && failpoint("in_offer");
}

void requests_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request)
{
    struct cn_writer writer;

    if (fails_at_offer(request))
        return;
    cn_writer_init(&writer, 0);
    if (answer_at_once(hosts, request, &writer))
        gen_reply(hosts->procs, from, words_answer(&writer));
    else if (cn_term_is_atom(request, "drain"))
        drain_call(hosts, from);
    else if (cn_term_is_atom(request, "rehearse"))
        rehearse(hosts, from);
    else if (!start_call(hosts, from, request) && !relay_call(hosts, from, request) &&
             !conductor_call(hosts, from, request))
        words_reply_error(hosts->procs, from, "unknown_request");
    cn_writer_free(&writer);
}
