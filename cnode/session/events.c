/*
 * Events: a term written once and sent to each member of a group.
 *
 * Nothing is kept: who is told is looked up at that moment. One that cannot be told, for lack of
 * memory, does not keep the others from it.
 */
#include "session/events.h"

#include <string.h>

#include "registry/pg.h"
#include "session/host.h"

#define PHOENIX_PUBSUB "Elixir.Phoenix.PubSub"
#define TOPIC_PREFIX   "session:"

/* An event on its way to many. */
struct telling {
    const struct session *session;
    struct cn_term message;
    int error; /* the latest of those that lost it */
};

static void tell(void *context, const struct cn_pid *pid)
{
    struct telling *telling = context;
    int error = procs_send_pid(telling->session->hosts->procs,
                               gen_server_process(telling->session->server), pid, telling->message);

    if (error < 0)
        telling->error = error;
}

/* Send what @message holds to all members of the group that @group holds. */
static int tell_all(const struct session *session, struct pg *pg, const struct cn_writer *group,
                    const struct cn_writer *message)
{
    struct telling telling = {.session = session, .error = cn_writer_error(group)};

    if (telling.error == 0)
        telling.error = cn_writer_error(message);
    if (telling.error != 0)
        return telling.error;
    telling.message = cn_writer_term(message);
    pg_each_member(pg, cn_writer_term(group), tell, &telling);
    return telling.error;
}

static void write_group(const struct session *session, struct cn_writer *group)
{
    cn_writer_init(group, 0);
    cn_write_tuple(group, 2);
    cn_write_atom(group, "session");
    cn_write_binary(group, session_id(session));
}

static int tell_subscribers(const struct session *session, const struct cn_writer *event)
{
    struct cn_writer group;
    int error;

    if (session->hosts->config.pubsub == NULL)
        return 0;
    write_group(session, &group);
    error = tell_all(session, session->hosts->config.pubsub, &group, event);
    cn_writer_free(&group);
    return error;
}

static void write_topic(const struct session *session, struct cn_writer *writer)
{
    struct cn_bytes id = session_id(session);
    size_t prefix = sizeof(TOPIC_PREFIX) - 1;
    uint8_t *room = cn_write_binary_room(writer, prefix + id.size);

    if (room == NULL)
        return;
    memcpy(room, TOPIC_PREFIX, prefix);
    memcpy(room + prefix, id.data, id.size);
}

/* {forward_to_local, Topic, Event, Dispatcher}, as the adapters send it to each other. */
static int tell_phoenix(const struct session *session, const struct cn_writer *event)
{
    struct cn_writer group;
    struct cn_writer message;
    int error;

    if (session->hosts->config.phoenix == NULL)
        return 0;
    cn_writer_init(&group, 0);
    cn_writer_init(&message, 0);
    cn_write_atom(&group, session->hosts->config.phoenix_adapter);
    cn_write_tuple(&message, 4);
    cn_write_atom(&message, "forward_to_local");
    write_topic(session, &message);
    cn_write_written(&message, event);
    cn_write_atom(&message, PHOENIX_PUBSUB);
    error = tell_all(session, session->hosts->config.phoenix, &group, &message);
    cn_writer_free(&group);
    cn_writer_free(&message);
    return error;
}

static void publish(const struct session *session, const struct cn_writer *event)
{
    int error = tell_subscribers(session, event);
    int phoenix = tell_phoenix(session, event);

    if (error != 0 || phoenix != 0)
        host_log(session->hosts, HOSTS_LOG_ERROR,
                 "session %.*s: no memory to tell all its subscribers", (int)session->id_size,
                 (const char *)session->text);
}

/* {Name, Id, and what follows} */
static void begin(struct cn_writer *event, const char *name, const struct session *session)
{
    cn_writer_init(event, 0);
    cn_write_tuple(event, 3);
    cn_write_atom(event, name);
    cn_write_binary(event, session_id(session));
}

/* Pids on their way into an offer. */
struct naming_subscribers {
    struct cn_writer *writer; /* NULL: only count */
    uint32_t count;
};

static void name_subscriber(void *context, const struct cn_pid *pid)
{
    struct naming_subscribers *names = context;

    if (names->count == EVENTS_OFFERED_MAX)
        return;
    names->count++;
    if (names->writer != NULL)
        cn_write_pid(names->writer, pid);
}

void events_write_subscribers(const struct session *session, struct cn_writer *writer)
{
    struct pg *pg = session->hosts->config.pubsub;
    struct naming_subscribers names = {.writer = NULL};
    struct cn_writer group;

    write_group(session, &group);
    if (pg != NULL && cn_writer_error(&group) == 0) {
        pg_each_member(pg, cn_writer_term(&group), name_subscriber, &names);
        cn_write_list(writer, names.count);
        names = (struct naming_subscribers){.writer = writer};
        pg_each_member(pg, cn_writer_term(&group), name_subscriber, &names);
    }
    cn_write_nil(writer);
    cn_writer_free(&group);
}

/* Those that only the source knew; @group and @event hold their terms. */
static void tell_offered(const struct session *session, struct cn_term offered,
                         const struct cn_writer *group, const struct cn_writer *event)
{
    struct telling telling = {.session = session, .message = cn_writer_term(event)};
    struct cn_reader reader;
    struct cn_pid pid;
    uint32_t count = 0;

    cn_reader_init(&reader, offered);
    if (cn_writer_error(event) != 0 || cn_writer_error(group) != 0 ||
        !cn_read_list(&reader, &count))
        return;
    for (uint32_t i = 0; i < count && i < EVENTS_OFFERED_MAX && cn_read_pid(&reader, &pid); i++) {
        if (!pg_is_member(session->hosts->config.pubsub, cn_writer_term(group), &pid))
            tell(&telling, &pid);
    }
}

void events_moved_to(const struct session *session, const struct cn_pid *owner)
{
    struct cn_writer event;

    begin(&event, "session_moved", session);
    cn_write_pid(&event, owner);
    publish(session, &event);
    cn_writer_free(&event);
}

void events_arrived(const struct session *session, struct cn_term offered)
{
    struct cn_writer event;
    struct cn_writer group;

    begin(&event, "session_moved", session);
    cn_write_pid(&event, session_pid(session));
    publish(session, &event);
    write_group(session, &group);
    if (session->hosts->config.pubsub != NULL)
        tell_offered(session, offered, &group, &event);
    cn_writer_free(&group);
    cn_writer_free(&event);
}

void events_moved(const struct session *session)
{
    events_arrived(session, (struct cn_term){0});
}

static uint64_t round_of(const struct session *session)
{
    const struct cn_game *game = session->hosts->game;

    return game->round != NULL ? game->round(session->game) : 0;
}

void events_note_round(struct session *session)
{
    session->round = round_of(session);
}

void events_changed(struct session *session)
{
    uint64_t round = round_of(session);
    struct cn_writer event;

    if (round == session->round)
        return;
    session->round = round;
    begin(&event, session->hosts->game->round_event, session);
    cn_write_unsigned(&event, round);
    publish(session, &event);
    cn_writer_free(&event);
}
