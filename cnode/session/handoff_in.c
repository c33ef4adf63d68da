/*
 * The target of a handoff.
 *
 * Nothing that a source says is believed: chunks must come in order and within the limit, the bytes
 * pass the walker, the state passes the game's import, and id and join code must be those of the
 * offer. How it fails: the source gets the reason, the paused process ends, and the source runs on.
 */
#include "session/handoff_in.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "session/arrivals.h"
#include "session/carried_out.h"
#include "session/conflict.h"
#include "session/drain.h"
#include "session/events.h"
#include "session/failpoint.h"
#include "session/handoff_words.h"
#include "session/locate.h"
#include "session/naming.h"
#include "session/offer.h"
#include "session/snapshot.h"
#include "session/words.h"

#define SILENCE_MS       10000 /* of the source, before the state is there */
#define READY_SILENCE_MS 15000 /* after that: its own steps of 5 s must have ended before */
#define LOOK_TWICE_MS    2000  /* for a new connection to it */

struct handoff_in {
    struct handoff_origin *origin; /* the session's, once it runs */
    struct cn_ref monitor;         /* of the source */
    bool lost;                     /* the connection with it was */
    bool asking;                   /* it cannot be reached: the hosts are asked for an owner */
    uint64_t since_ms;             /* when the offer came */
    uint64_t heard_ms;             /* when the source spoke last */
    uint64_t timer;
    struct bytes data;
    uint64_t next;        /* the chunk that must come */
    uint64_t count;       /* of chunks; 0: not known yet */
    uint8_t *subscribers; /* the offer's list of them */
    size_t subscribers_size;
};

static void in_free(struct handoff_in *in)
{
    bytes_deinit(&in->data);
    mem_free(in->origin);
    mem_free(in->subscribers);
    mem_free(in);
}

static struct handoff_in *in_new(const struct hosts *hosts, const struct offer *offer)
{
    struct handoff_in *in = mem_zalloc(sizeof(*in));

    if (in == NULL)
        return NULL;
    bytes_init(&in->data, hosts->config.snapshot_bytes_max);
    in->origin = mem_zalloc(sizeof(*in->origin));
    in->subscribers = mem_dup(offer->subscribers.data, offer->subscribers.size);
    in->subscribers_size = offer->subscribers.size;
    if (in->origin == NULL || in->subscribers == NULL) {
        in_free(in);
        return NULL;
    }
    in->origin->transfer = offer->transfer;
    in->origin->source = offer->source;
    return in;
}

/* Wait for the source's next word. */
static int await_word(struct session *session, uint64_t wait_ms)
{
    return process_start_timer(gen_server_process(session->server), wait_ms, &session->in->timer);
}

/* Start the paused process. Only then is a forwarder of the session let go. */
static int accept_offer(struct hosts *hosts, const struct offer *offer,
                        struct session **ret_session)
{
    struct session_seed seed = {.id = offer->id,
                                .code = offer->code,
                                .epoch = offer->epoch,
                                .version = offer->version,
                                .state = SESSION_RECEIVING};
    struct handoff_in *in = in_new(hosts, offer);
    struct dest source = words_to_pid(&offer->source);
    struct session *former = session_table_by_id(&hosts->table, offer->id);
    struct session *of_code = session_table_by_code(&hosts->table, offer->code);
    int error;

    if (in == NULL)
        return -ENOMEM;
    error = session_new(hosts, &seed, ret_session);
    if (error != 0) {
        in_free(in);
        return error;
    }
    (*ret_session)->in = in;
    in->since_ms = procs_now_ms(hosts->procs);
    in->heard_ms = in->since_ms;
    error = await_word(*ret_session, SILENCE_MS);
    if (error == 0)
        error = process_monitor(gen_server_process((*ret_session)->server), &source, &in->monitor);
    if (error != 0) {
        session_table_remove(&hosts->table, *ret_session); /* at once: the forwarder is found */
        session_stop_atom(*ret_session, "normal");
        return error;
    }
    /* nothing can fail below */
    session_table_displace(&hosts->table, former);
    session_table_displace(&hosts->table, of_code);
    return 0;
}

bool handoff_in_offer(struct hosts *hosts, struct cn_term request, struct cn_writer *writer)
{
    struct offer offer = {.protocol = 0};
    struct session *session;
    struct cn_term map;
    const char *reason;
    int error;

    if (!words_read_pair(request, "offer", &map) ||
        !words_get_unsigned(map, "protocol", &offer.protocol))
        return false;
    if (offer.protocol != HOSTS_PROTOCOL) {
        words_refuse(writer, "unsupported_protocol");
        return true;
    }
    if (!offer_read(map, &offer))
        return false;
    reason = offer_refusal(hosts, &offer);
    if (reason != NULL) {
        words_refuse(writer, reason);
        return true;
    }
    error = accept_offer(hosts, &offer, &session);
    if (error != 0)
        words_refuse(writer, error == -ENOMEM ? "no_memory" : "full");
    else
        words_pid(writer, "accept", session_pid(session));
    return true;
}

/* Say @message, completed with the transfer, to the source. */
static void say(struct session *session, const struct handoff_origin *origin,
                struct handoff_message *message)
{
    message->transfer = origin->transfer;
    (void)handoff_say(session, &origin->source, message);
}

static void refuse(struct session *session, struct cn_term reason)
{
    struct handoff_message message = {.word = HANDOFF_REFUSE, .reason = reason};

    say(session, session->in->origin, &message);
    session_stop_atom(session, "normal");
}

static void refuse_atom(struct session *session, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, reason);
    if (cn_writer_error(&writer) == 0)
        refuse(session, cn_writer_term(&writer));
    else
        session_stop_atom(session, "normal"); /* the source sees that */
    cn_writer_free(&writer);
}

static void take_chunk(struct session *session, const struct handoff_message *message)
{
    struct handoff_in *in = session->in;

    if (in->count == 0)
        in->count = message->count;
    if (message->count != in->count || message->index != in->next || in->next >= in->count ||
        message->bytes.size > SNAPSHOT_CHUNK_BYTES)
        refuse_atom(session, "bad_chunk");
    else if (bytes_append(&in->data, message->bytes.data, message->bytes.size) != 0)
        refuse_atom(session, "no_memory");
    else
        in->next++;
}

static bool digest_holds(const struct handoff_in *in, struct cn_bytes digest)
{
    uint8_t own[SNAPSHOT_DIGEST_BYTES];

    if (in->count == 0 || in->next != in->count || digest.size != sizeof(own))
        return false;
    snapshot_digest(bytes_data(&in->data), bytes_size(&in->data), own);
    return memcmp(own, digest.data, sizeof(own)) == 0;
}

/* Compare @hash with that of the state as this game writes it. An upgraded state has another one.
 */
static int check_hash(const struct hosts *hosts, const struct snapshot *snapshot, void *game,
                      uint64_t hash)
{
    struct cn_writer writer;
    int error;

    if (snapshot->state_version != hosts->game->state_version)
        return 0;
    cn_writer_init(&writer, 0);
    error = hosts->game->export(game, &writer);
    if (error == 0)
        error = cn_writer_error(&writer);
    if (error == 0 && snapshot_hash(cn_writer_term(&writer)) != hash)
        error = CN_E_INVALID;
    cn_writer_free(&writer);
    return error;
}

/* Import the state of @snapshot; refuses and returns NULL when that cannot be. */
static void *import(struct session *session, const struct snapshot *snapshot)
{
    struct cn_game_env env = host_env(session->hosts);
    struct cn_writer error;
    struct cn_term reason;
    void *game = NULL;
    int result;

    cn_writer_init(&error, 0);
    result = session->hosts->game->import(&env, snapshot->state, &game, &error);
    if (result > 0 && cn_writer_error(&error) == 0 &&
        words_read_pair(cn_writer_term(&error), "error", &reason))
        refuse(session, reason);
    else if (result != 0)
        refuse_atom(session, "no_memory");
    cn_writer_free(&error);
    return result == 0 ? game : NULL;
}

/* Check the state against the offer and the hash; refuses and returns false when it does not hold.
 */
static bool state_holds(struct session *session, const struct snapshot *snapshot, void *game,
                        uint64_t hash)
{
    struct hosts *hosts = session->hosts;
    int error;

    if (!words_same(hosts->game->id(game), session_id(session))) {
        refuse_atom(session, "bad_snapshot");
        return false;
    }
    error = check_hash(hosts, snapshot, game, hash);
    if (error == CN_E_INVALID)
        refuse_atom(session, "bad_hash");
    else if (error != 0)
        refuse_atom(session, "no_memory");
    return error == 0;
}

/* All is there and holds: the session waits for its activation. */
static void become_ready(struct session *session, const struct snapshot *snapshot, void *game)
{
    struct handoff_message message = {.word = HANDOFF_READY, .pid = *session_pid(session)};

    session->game = game;
    session->epoch = snapshot->epoch;
    session->version = snapshot->version;
    bytes_deinit(&session->in->data);
    sm_move(&session->sm, SESSION_READY);
    say(session, session->in->origin, &message);
}

static void take_digest(struct session *session, const struct handoff_message *message)
{
    struct handoff_in *in = session->in;
    struct snapshot snapshot;
    void *game;

    if (failpoint_refuses("in_digest") || !digest_holds(in, message->bytes)) {
        refuse_atom(session, "bad_digest");
        return;
    }
    if (snapshot_decode(bytes_data(&in->data), bytes_size(&in->data), &snapshot) != 0 ||
        !words_same(snapshot.id, session_id(session)) ||
        !words_same(snapshot.code, session_code(session)) ||
        carried_out_read(snapshot.carried_out, procs_now_ms(session->hosts->procs),
                         &session->done) != 0) {
        refuse_atom(session, "bad_snapshot");
        return;
    }
    game = import(session, &snapshot);
    if (game == NULL)
        return;
    if (state_holds(session, &snapshot, game, message->hash))
        become_ready(session, &snapshot, game);
    else
        session->hosts->game->free(game);
}

/* Own the session from now on: with the source's consent (@told), or because its node is lost. */
static void activate(struct session *session, bool told)
{
    struct hosts *hosts = session->hosts;
    struct handoff_in *in = session->in;
    struct handoff_message message = {.word = HANDOFF_ACTIVE, .epoch = session->epoch + 1};

    session->in = NULL;
    session->came_by = in->origin;
    in->origin = NULL;
    session->came_by->told = told;
    session->epoch++;
    if (in->lost) /* its source may send the queue twice */
        carried_out_repeated(&session->done);
    session->owns_names = true;
    process_demonitor(gen_server_process(session->server), &in->monitor, true);
    process_cancel_timer(gen_server_process(session->server), in->timer);
    if (told)
        naming_adopt(session);
    else if (naming_wish(session, NAMING_MOVE, session_pid(session), NULL) != 0)
        host_log(hosts, HOSTS_LOG_ERROR, "session %.*s: no memory to take its names",
                 (int)session->id_size, (const char *)session->text);
    events_arrived(session, (struct cn_term){in->subscribers, in->subscribers_size});
    session_run(session);
    arrivals_add(session);
    if (told && !failpoint("in_active"))
        say(session, session->came_by, &message);
    in_free(in);
    if (!told)
        conflict_expect(session);
    drain_session_runs(hosts, session);
}

/* The source cannot be reached, and all hosts have been asked: @owner owns the session; or it is
 * over, @ended; or what is here is the newest that there is. */
static void asked(struct session *session, const struct cn_pid *owner, bool ended)
{
    bool newest = owner == NULL && !ended;

    if (session_state(session) != SESSION_READY || !session->in->asking)
        return;
    host_log(session->hosts, HOSTS_LOG_WARNING, "session %.*s: its source is out of reach, %s%s",
             (int)session->id_size, (const char *)session->text,
             newest  ? "it runs here now"
             : ended ? "it ends: the session is over"
                     : "it ends: its owner is on ",
             owner == NULL ? "" : owner->node);
    if (newest)
        activate(session, false);
    else
        session_stop_atom(session, "normal");
}

static void activate_alone(struct session *session)
{
    struct locate_question question = {.lost = &session->in->origin->source,
                                       .since_ms = session->in->since_ms};

    if (session->in->asking)
        return;
    session->in->asking = true;
    locate_other(session, &question, asked);
}

static void take_word(struct session *session, struct cn_term term)
{
    struct handoff_message message;
    bool is_ready = session_state(session) == SESSION_READY;

    if (!handoff_read(term, &message) ||
        !cn_ref_equal(&message.transfer, &session->in->origin->transfer))
        return;
    session->in->heard_ms = procs_now_ms(session->hosts->procs);
    if (message.word == HANDOFF_CANCEL)
        session_stop_atom(session, "normal");
    else if (message.word == HANDOFF_STATE && !is_ready && !failpoint("in_state"))
        take_chunk(session, &message);
    else if (message.word == HANDOFF_DIGEST && !is_ready && !failpoint("in_digest"))
        take_digest(session, &message);
    else if (message.word == HANDOFF_ACTIVATE && is_ready && !failpoint("in_activate"))
        activate(session, true);
}

/* The connection is lost, but perhaps not the source: it hears once more that all is here. */
static void look_twice(struct session *session)
{
    struct process *process = gen_server_process(session->server);
    struct handoff_message message = {.word = HANDOFF_READY, .pid = *session_pid(session)};
    struct handoff_in *in = session->in;
    struct dest source = words_to_pid(&in->origin->source);

    in->lost = true;
    process_cancel_timer(process, in->timer);
    if (process_monitor(process, &source, &in->monitor) != 0 ||
        await_word(session, LOOK_TWICE_MS) != 0)
        activate_alone(session);
    else
        say(session, in->origin, &message);
}

static void source_down(struct session *session, struct cn_term reason)
{
    bool is_ready = session_state(session) == SESSION_READY;
    bool unreached = cn_term_is_atom(reason, "noconnection");

    if (is_ready && session->in->lost && (unreached || cn_term_is_atom(reason, "noproc")))
        activate_alone(session);
    else if (is_ready && unreached)
        look_twice(session);
    else
        session_stop_atom(session, "normal");
}

void handoff_in_message(struct session *session, struct cn_term message)
{
    struct process_down down;

    if (handoff_word(message) != HANDOFF_NONE)
        take_word(session, message);
    else if (process_read_down(message, &down) && cn_ref_equal(&down.ref, &session->in->monitor))
        source_down(session, down.reason);
    else if (session_hold(session, message) != 0)
        session_stop_atom(session, "overloaded"); /* the source executes it */
}

void handoff_in_timer(struct session *session, uint64_t timer)
{
    struct handoff_in *in = session->in;
    bool is_ready = session_state(session) == SESSION_READY;
    uint64_t now_ms = procs_now_ms(session->hosts->procs);
    uint64_t until_ms = in->heard_ms + (is_ready ? READY_SILENCE_MS : SILENCE_MS);

    if (timer != in->timer)
        return;
    in->timer = 0;
    if (in->lost) {
        activate_alone(session);
        return;
    }
    if (now_ms < until_ms && await_word(session, until_ms - now_ms) == 0)
        return;
    host_log(session->hosts, HOSTS_LOG_WARNING, "session %.*s: ends, its source is silent",
             (int)session->id_size, (const char *)session->text);
    session_stop_atom(session, "normal");
}

void handoff_in_session_ends(struct session *session)
{
    if (session->in == NULL)
        return;
    in_free(session->in);
    session->in = NULL;
}

bool handoff_in_late(struct session *session, struct cn_term message)
{
    struct handoff_message word;

    if (session->came_by == NULL || !handoff_read(message, &word) ||
        !cn_ref_equal(&word.transfer, &session->came_by->transfer))
        return false;
    if (word.word == HANDOFF_ACTIVATE) {
        session->came_by->told = true;
        word = (struct handoff_message){.word = HANDOFF_ACTIVE, .epoch = session->epoch};
        say(session, session->came_by, &word);
        carried_out_repeated(&session->done); /* what it sends again may have arrived before */
        return true;
    }
    if (word.word != HANDOFF_CANCEL || session_state(session) == SESSION_FORWARDING)
        return false;
    if (!session->came_by->told) { /* it owns the session against its source's will: who stays? */
        conflict_expect(session);
        return true;
    }
    session->owns_names = false; /* they are the source's, or on their way to it */
    if (session_state(session) == SESSION_RUNNING)
        conflict_give_back(session, &session->came_by->source);
    else
        session_stop_atom(session, "normal");
    return true;
}
