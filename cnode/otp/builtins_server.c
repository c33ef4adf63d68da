/*
 * Calling a server by rpc: GenServer.call/3, :sys.get_state/2, Supervisor.which_children/1 and
 * their like, applied here instead of sent from the asker's node.
 *
 * Each is a question to a process, of this node or another; a row of a table says which words it
 * is made of. The function waits in its own process, so that others run meanwhile. It fails as
 * the BEAM's function does: it exits with {Reason, {Module, Function, Arguments}}, where some
 * functions name the gen_server call below them.
 *
 * Source: the modules gen_server, sys and supervisor; Elixir's GenServer.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "otp/internal.h"
#include "otp/target.h"

#define GEN_CALL_MS 5000u

/** Who is named in the exit reason. */
enum blamed {
    BLAME_FUNCTION,
    BLAME_GEN_SERVER, /* gen_server:call(Server, Request, infinity) */
    BLAME_ELIXIR,     /* GenServer.call(server, request, timeout) */
};

struct question {
    const char *module;
    const char *name;
    uint32_t arity;
    const char *label;
    const char *request; /* NULL: the second argument */
    uint32_t timeout_ms; /* 0: none; the argument behind the request, if there is one, says else */
    enum blamed blamed;
    bool counts; /* the answer, a list of pairs, is returned as a map */
};

static const struct question questions[] = {
    {"gen_server", "call", 2, "$gen_call", NULL, GEN_CALL_MS, BLAME_FUNCTION, false},
    {"gen_server", "call", 3, "$gen_call", NULL, GEN_CALL_MS, BLAME_FUNCTION, false},
    {"Elixir.GenServer", "call", 2, "$gen_call", NULL, GEN_CALL_MS, BLAME_ELIXIR, false},
    {"Elixir.GenServer", "call", 3, "$gen_call", NULL, GEN_CALL_MS, BLAME_ELIXIR, false},
    {"sys", "get_state", 1, "system", "get_state", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "get_state", 2, "system", "get_state", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "get_status", 1, "system", "get_status", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "get_status", 2, "system", "get_status", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "suspend", 1, "system", "suspend", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "suspend", 2, "system", "suspend", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "resume", 1, "system", "resume", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"sys", "resume", 2, "system", "resume", GEN_CALL_MS, BLAME_FUNCTION, false},
    {"supervisor", "which_children", 1, "$gen_call", "which_children", 0, BLAME_GEN_SERVER, false},
    {"supervisor", "count_children", 1, "$gen_call", "count_children", 0, BLAME_GEN_SERVER, false},
    {"Elixir.Supervisor", "which_children", 1, "$gen_call", "which_children", 0, BLAME_ELIXIR,
     false},
    {"Elixir.Supervisor", "count_children", 1, "$gen_call", "count_children", 0, BLAME_ELIXIR,
     true},
    {"Elixir.DynamicSupervisor", "which_children", 1, "$gen_call", "which_children", 0,
     BLAME_ELIXIR, false},
    {"Elixir.DynamicSupervisor", "count_children", 1, "$gen_call", "count_children", 0,
     BLAME_ELIXIR, true},
};

/* The row of a function. */
static const struct question *question_of(const struct apply *apply)
{
    size_t count = sizeof(questions) / sizeof(questions[0]);

    for (size_t i = 0; i < count; i++) {
        if (apply->arity == questions[i].arity &&
            cn_term_is_atom(apply->module, questions[i].module) &&
            cn_term_is_atom(apply->function, questions[i].name))
            return &questions[i];
    }
    return NULL;
}

/* The arguments of an apply, one by one. */
struct asked {
    const struct question *question;
    struct cn_term server;
    struct cn_term request; /* size 0: the question's own */
    struct cn_term timeout; /* size 0: the question's own */
    uint32_t timeout_ms;
};

static bool read_timeout(struct asked *asked)
{
    struct cn_reader reader;
    int64_t ms = 0;

    asked->timeout_ms = asked->question->timeout_ms;
    if (asked->timeout.size == 0)
        return true;
    if (cn_term_is_atom(asked->timeout, "infinity")) {
        asked->timeout_ms = 0;
        return true;
    }
    cn_reader_init(&reader, asked->timeout);
    if (!cn_read_integer(&reader, &ms) || ms < 0 || ms >= UINT32_MAX)
        return false;
    asked->timeout_ms = ms > 0 ? (uint32_t)ms : 1;
    return true;
}

/* Read what apply_run has read already, so that it cannot fail but for the timeout. */
static bool read_asked(const struct apply *apply, struct asked *ret_asked)
{
    struct asked asked = {.question = question_of(apply)};
    struct cn_reader reader;
    uint32_t count = 0;

    cn_reader_init(&reader, apply->arguments);
    if (asked.question == NULL || !cn_read_list(&reader, &count) ||
        !cn_read_term(&reader, &asked.server))
        return false;
    if (asked.question->request == NULL && !cn_read_term(&reader, &asked.request))
        return false;
    if (count == (asked.question->request == NULL ? 3u : 2u) &&
        !cn_read_term(&reader, &asked.timeout))
        return false;
    *ret_asked = asked;
    return read_timeout(ret_asked);
}

static void write_request(const struct asked *asked, struct cn_writer *writer)
{
    if (asked->question->request != NULL)
        cn_write_atom(writer, asked->question->request);
    else
        cn_write_term(writer, asked->request);
}

/* Server, Request, Timeout */
static void write_gen_arguments(const struct asked *asked, struct cn_writer *writer)
{
    cn_write_list(writer, 3);
    cn_write_term(writer, asked->server);
    write_request(asked, writer);
    if (asked->timeout.size > 0)
        cn_write_term(writer, asked->timeout);
    else if (asked->question->timeout_ms == 0)
        cn_write_atom(writer, "infinity");
    else
        cn_write_unsigned(writer, asked->question->timeout_ms);
    cn_write_nil(writer);
}

static void write_blamed(const struct apply *apply, const struct asked *asked,
                         struct cn_writer *writer)
{
    cn_write_tuple(writer, 3);
    if (asked->question->blamed == BLAME_FUNCTION) {
        cn_write_term(writer, apply->module);
        cn_write_term(writer, apply->function);
        cn_write_term(writer, apply->arguments);
        return;
    }
    cn_write_atom(writer,
                  asked->question->blamed == BLAME_ELIXIR ? "Elixir.GenServer" : "gen_server");
    cn_write_atom(writer, "call");
    write_gen_arguments(asked, writer);
}

static void write_reason(const struct asked *asked, struct cn_term reason, struct cn_writer *writer)
{
    struct target target;
    const char *node = NULL;

    if (target_read(asked->server, &target) == 0)
        node = target.dest.kind == DEST_PID ? target.dest.pid.node : target.dest.node;
    call_write_down(writer, reason, node);
}

static void fail(struct apply *apply, struct cn_term reason)
{
    struct cn_writer writer;
    struct asked asked;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    if (read_asked(apply, &asked)) {
        write_reason(&asked, reason, &writer);
        write_blamed(apply, &asked, &writer);
    }
    if (cn_writer_error(&writer) == 0)
        apply_raise(apply, "exit", cn_writer_term(&writer));
    else
        apply_error(apply, "system_limit");
    cn_writer_free(&writer);
}

/* [{Key, Value}] -> #{Key => Value}; anything else as it is. */
static void return_map(struct apply *apply, struct cn_term pairs)
{
    struct cn_reader reader;
    struct cn_writer writer;
    struct cn_term part;
    uint32_t count = 0;

    cn_reader_init(&reader, pairs);
    cn_writer_init(&writer, 0);
    if (!cn_read_list(&reader, &count)) {
        apply_return(apply, pairs);
        return;
    }
    cn_write_map(&writer, count);
    for (uint32_t i = 0; i < 2 * count; i++) {
        if (i % 2 == 0 && !cn_read_this_tuple(&reader, 2))
            break;
        if (cn_read_term(&reader, &part))
            cn_write_term(&writer, part);
    }
    if (!cn_reader_failed(&reader)) {
        apply_return_writer(apply, &writer);
        return;
    }
    cn_writer_free(&writer);
    apply_return(apply, pairs);
}

static void on_done(struct gen_server *self, void *context, enum call_outcome outcome,
                    struct cn_term term)
{
    struct apply *apply = context;

    if (outcome != CALL_REPLY)
        fail(apply, term);
    else if (question_of(apply)->counts)
        return_map(apply, term);
    else
        apply_return(apply, term);
}

static void run_question(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer request;
    struct target target;
    struct asked asked;
    int r = 0;

    if (!read_asked(apply, &asked) || target_read(asked.server, &target) != 0 ||
        target.dest.kind == DEST_ALIAS) {
        apply_error(apply, "badarg");
        return;
    }
    cn_writer_init(&request, 0);
    write_request(&asked, &request);
    r = cn_writer_error(&request);
    if (r == 0)
        r = call_start_as(apply_server(apply), asked.question->label, &target.dest,
                          cn_writer_term(&request), asked.timeout_ms, on_done, apply);
    cn_writer_free(&request);
    if (r != 0)
        apply_error(apply, "system_limit");
    else
        apply_waits(apply);
}

/* gen_server:cast/2 and GenServer.cast/2: ok, whoever is there. */
void run_cast(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct process *self = gen_server_process(apply_server(apply));
    struct target target;

    if (target_read(arguments[0], &target) != 0 || target.dest.kind == DEST_ALIAS) {
        apply_error(apply, "badarg");
        return;
    }
    (void)gen_cast(apply_procs(apply), self, &target.dest, arguments[1]);
    apply_return_atom(apply, "ok");
}

int questions_add(struct functions *functions)
{
    size_t count = sizeof(questions) / sizeof(questions[0]);
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++) {
        struct function function = {.module = questions[i].module,
                                    .name = questions[i].name,
                                    .arity = questions[i].arity,
                                    .run = run_question};

        r = functions_add(functions, &function, 1);
    }
    return r;
}
