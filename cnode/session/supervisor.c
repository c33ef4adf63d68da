/*
 * The supervisor process: a view of the table of sessions.
 *
 * It holds nothing, so a killed one starts again at once and knows the same sessions. (On a BEAM
 * they would end with it.) How it fails: without memory to start again the name is gone, which is
 * logged; the sessions go on.
 */
#include "session/supervisor.h"

#include <errno.h>

#include "base/alloc.h"
#include "session/words.h"

struct supervisor_box {
    struct hosts *hosts; /* NULL: gone */
};

/* [{undefined, Pid, worker, [Module]}] of every session process, on its way in or out too */
static void write_children(const struct hosts *hosts, struct cn_writer *writer)
{
    struct session_key *key, *next;
    uint32_t count = (uint32_t)map_count(hosts->table.by_id);

    if (count > hosts->config.listed_max) {
        words_error(writer, "system_limit");
        return;
    }
    if (count > 0)
        cn_write_list(writer, count);
    map_for_each(hosts->table.by_id, key, next)
    {
        cn_write_tuple(writer, 4);
        cn_write_atom(writer, "undefined");
        cn_write_pid(writer, session_pid(key->session));
        cn_write_atom(writer, "worker");
        cn_write_list(writer, 1);
        cn_write_atom(writer, hosts->game->server_module);
        cn_write_nil(writer);
    }
    cn_write_nil(writer);
}

static void write_counts(const struct hosts *hosts, struct cn_writer *writer)
{
    static const char *const names[] = {"specs", "active", "supervisors", "workers"};
    size_t children = map_count(hosts->table.by_id);

    cn_write_list(writer, 4);
    for (size_t i = 0; i < 4; i++) {
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, names[i]);
        cn_write_unsigned(writer, i == 2 ? 0 : children);
    }
    cn_write_nil(writer);
}

/* {terminate_child, Pid}: as an exit with shutdown, which the session does not survive. */
static bool terminate_child(struct hosts *hosts, struct cn_term request, struct cn_writer *writer)
{
    struct session *session;
    struct cn_reader reader;
    struct cn_pid pid;

    cn_reader_init(&reader, request);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_this_atom(&reader, "terminate_child") ||
        !cn_read_pid(&reader, &pid))
        return false;
    session = session_find(hosts, &pid);
    if (session == NULL) {
        words_error(writer, "not_found");
        return true;
    }
    session_stop_atom(session, "shutdown");
    cn_write_atom(writer, "ok");
    return true;
}

static bool is_start(struct cn_term request)
{
    struct cn_reader reader;

    cn_reader_init(&reader, request);
    return cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, "start_child");
}

static void handle_call(struct gen_server *self, void *state, const struct gen_from *from,
                        struct cn_term request)
{
    struct supervisor_box *box = state;
    struct hosts *hosts = box->hosts;
    struct cn_writer writer;

    if (hosts == NULL)
        return;
    cn_writer_init(&writer, 0);
    if (cn_term_is_atom(request, "which_children"))
        write_children(hosts, &writer);
    else if (cn_term_is_atom(request, "count_children"))
        write_counts(hosts, &writer);
    else if (!terminate_child(hosts, request, &writer))
        words_error(&writer, is_start(request) ? "unsupported" : "unknown_request");
    gen_reply(hosts->procs, from, words_answer(&writer));
    cn_writer_free(&writer);
}

static int format_state(void *state, struct cn_writer *writer)
{
    struct supervisor_box *box = state;

    if (box->hosts == NULL)
        cn_write_atom(writer, "nil");
    else
        write_children(box->hosts, writer);
    return cn_writer_error(writer);
}

static void ended(struct gen_server *self, void *state, struct cn_term reason)
{
    struct supervisor_box *box = state;
    struct hosts *hosts = box->hosts;

    mem_free(box);
    if (hosts == NULL)
        return;
    hosts->supervisor = NULL;
    if (!hosts->closing && supervisor_start(hosts) != 0)
        host_log(hosts, HOSTS_LOG_ERROR, "the supervisor has ended, and could not start again");
}

static const struct gen_server_callbacks callbacks = {
    .module = "Elixir.DynamicSupervisor",
    .handle_call = handle_call,
    .format_state = format_state,
    .terminate = ended,
};

int supervisor_start(struct hosts *hosts)
{
    struct supervisor_box *box = mem_zalloc(sizeof(*box));
    struct gen_server *server;
    int error;

    if (box == NULL)
        return -ENOMEM;
    error = gen_server_start(hosts->procs, &callbacks, box, &server);
    if (error != 0) {
        mem_free(box);
        return error;
    }
    error = process_register(gen_server_process(server), HOSTS_SUPERVISOR_NAME);
    if (error != 0) {
        gen_server_stop_atom(server, "normal");
        return error;
    }
    box->hosts = hosts;
    hosts->supervisor = server;
    return 0;
}

void supervisor_forget(struct hosts *hosts)
{
    struct supervisor_box *box;

    if (hosts->supervisor == NULL)
        return;
    box = gen_server_state(hosts->supervisor);
    box->hosts = NULL;
    gen_server_stop_atom(hosts->supervisor, "normal");
    hosts->supervisor = NULL;
}
