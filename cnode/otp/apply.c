/*
 * Applying a function, in a process of its own.
 *
 * The process begins with the argument list as its first message, so that nothing runs while a
 * peer's signal is being delivered. The function ends the apply at once or later; the outcome then
 * goes where the kind says, and the process ends. Whoever holds an apply may rely on it until it
 * ends it, even when its process was killed meanwhile: the outcome then goes nowhere.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "otp/internal.h"

#define ARITY_MAX     255u  /* of a function */
#define ARGUMENTS_MAX 1023u /* of erlang:apply/3 */

static bool copy_term(struct cn_term term, struct cn_term *ret_copy)
{
    ret_copy->size = term.size;
    ret_copy->data = term.size > 0 ? mem_dup(term.data, term.size) : NULL;
    return term.size == 0 || ret_copy->data != NULL;
}

static void free_term(struct cn_term *term)
{
    mem_free((void *)(uintptr_t)term->data);
    *term = (struct cn_term){0};
}

static void apply_free(struct apply *apply)
{
    list_remove(&apply->list);
    free_term(&apply->tag);
    free_term(&apply->module);
    free_term(&apply->function);
    free_term(&apply->arguments);
    gen_from_free(apply->from);
    mem_free(apply);
}

void applies_free(struct functions *functions)
{
    struct list *item = NULL;

    while ((item = list_first(&functions->applies)) != NULL)
        apply_free(container_of(item, struct apply, list));
}

static struct apply *apply_new(struct functions *functions, const struct apply_request *request)
{
    struct apply *apply = mem_zalloc(sizeof(*apply));
    bool done = false;

    if (apply == NULL)
        return NULL;
    list_init(&apply->list);
    apply->functions = functions;
    apply->kind = request->kind;
    done = copy_term(request->tag, &apply->tag) && copy_term(request->module, &apply->module) &&
           copy_term(request->function, &apply->function) &&
           copy_term(request->arguments, &apply->arguments);
    if (done && request->from != NULL) {
        apply->from = gen_from_copy(request->from);
        done = apply->from != NULL;
    }
    if (!done) {
        apply_free(apply);
        return NULL;
    }
    return apply;
}

/* {rex, Value}, sent as it is. */
static void send_old(struct apply *apply, struct cn_term value)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "rex");
    cn_write_term(&writer, value);
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(apply->functions->procs, NULL, &apply->from->pid,
                             cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* @body NULL: @term is whole. */
static void stop(struct gen_server *server, struct cn_term term, struct etf_body *body)
{
    if (body != NULL)
        process_exit_shared(gen_server_process(server), term, body);
    else
        gen_server_stop(server, term);
}

static void deliver(struct apply *apply, struct cn_term term, struct etf_body *body)
{
    switch (apply->kind) {
    case APPLY_ERPC:
    case APPLY_SPAWN:
        if (apply->server != NULL)
            stop(apply->server, term, body);
        return;
    case APPLY_REX:
        if (apply->from != NULL)
            (void)gen_reply(apply->functions->procs, apply->from, term);
        break;
    case APPLY_OLD:
        if (apply->from != NULL)
            send_old(apply, term);
        break;
    }
    if (apply->server != NULL)
        gen_server_stop_atom(apply->server, "normal");
}

static void apply_end(struct apply *apply, const struct outcome *outcome)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    outcome_write(apply, outcome, &writer);
    if (cn_writer_error(&writer) == 0)
        deliver(apply, cn_writer_term(&writer), outcome->body);
    else if (apply->server != NULL)
        gen_server_stop_atom(apply->server, "system_limit");
    cn_writer_free(&writer);
    apply->done = true;
    if (apply->server == NULL)
        apply_free(apply);
}

/* What @value was sent as, for erpc, which takes most calls; others get it written anew. */
static struct etf_body *body_of(const struct apply *apply, struct cn_term value)
{
    if (apply->kind != APPLY_ERPC || apply->server == NULL)
        return NULL;
    return process_message_body(gen_server_process(apply->server), value);
}

void apply_return(struct apply *apply, struct cn_term value)
{
    apply_end(apply, &(struct outcome){.term = value, .body = body_of(apply, value)});
}

void apply_return_ok(struct apply *apply, struct cn_term value)
{
    apply_end(apply, &(struct outcome){.term = value, .ok = true, .body = body_of(apply, value)});
}

void apply_return_atom(struct apply *apply, const char *value)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, value);
    apply_return_writer(apply, &writer);
}

void apply_return_writer(struct apply *apply, struct cn_writer *writer)
{
    if (cn_writer_error(writer) == 0)
        apply_return(apply, cn_writer_term(writer));
    else
        apply_error(apply, "system_limit");
    cn_writer_free(writer);
}

/* The functions of module erlang are the runtime's own. */
static bool is_bif(const struct apply *apply)
{
    return cn_term_is_atom(apply->module, "erlang");
}

void apply_raise(struct apply *apply, const char *class_, struct cn_term reason)
{
    struct outcome outcome = {.class_ = class_, .term = reason};

    outcome.stack = is_bif(apply) ? STACK_ARGUMENTS : STACK_ARITY; /* erlang:error/1 */
    apply_end(apply, &outcome);
}

/* Raise an error whose reason is the atom @reason of at most 29 bytes. */
static void raise_atom(struct apply *apply, const char *reason, enum stack stack)
{
    uint8_t bytes[2 + 29] = {0x77, 0};
    size_t size = strlen(reason);

    cn_assert(size < sizeof(bytes) - 2);
    bytes[1] = (uint8_t)size;
    memcpy(bytes + 2, reason, size);
    apply_end(apply,
              &(struct outcome){.class_ = "error", .term = {bytes, 2 + size}, .stack = stack});
}

void apply_error(struct apply *apply, const char *reason)
{
    raise_atom(apply, reason, is_bif(apply) ? STACK_BIF : STACK_ARITY);
}

void apply_undef(struct apply *apply)
{
    raise_atom(apply, "undef", STACK_ARGUMENTS);
}

struct gen_server *apply_server(struct apply *apply)
{
    return apply->server;
}

void apply_waits(struct apply *apply)
{
    apply->waits = true;
}

struct functions *apply_functions(struct apply *apply)
{
    return apply->functions;
}

struct procs *apply_procs(struct apply *apply)
{
    return apply->functions->procs;
}

/*
 * Read the argument list, into @arguments as far as a function can have them. Errors: CN_E_INVALID
 * when it is none, CN_E_LIMIT when nothing can be applied to so many.
 */
static int read_arguments(struct cn_term list, struct cn_term *arguments, uint32_t *ret_count)
{
    struct cn_reader reader;
    struct cn_term rest;
    uint32_t count = 0;

    cn_reader_init(&reader, list);
    if (!cn_read_list(&reader, &count))
        return CN_E_INVALID;
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_term(&reader, i < ARITY_MAX ? &arguments[i] : &rest))
            return CN_E_INVALID;
    }
    if (count > 0 && !cn_read_nil(&reader))
        return CN_E_INVALID;
    *ret_count = count;
    return count <= ARGUMENTS_MAX ? 0 : CN_E_LIMIT;
}

static struct cn_bytes atom_text(struct cn_term term)
{
    struct cn_reader reader;
    struct cn_bytes text = {0};

    cn_reader_init(&reader, term);
    (void)cn_read_atom(&reader, &text);
    return text;
}

static void apply_run(struct apply *apply)
{
    struct cn_term arguments[ARITY_MAX];
    const struct function *function = NULL;
    int r = read_arguments(apply->arguments, arguments, &apply->arity);

    if (r != 0) {
        if (r == CN_E_LIMIT)
            raise_atom(apply, "system_limit", STACK_NONE);
        else
            raise_atom(apply, "badarg", STACK_APPLY);
        return;
    }
    function = functions_find(apply->functions, atom_text(apply->module),
                              atom_text(apply->function), apply->arity);
    if (function == NULL)
        apply_undef(apply);
    else
        function->run(function->context, apply, arguments);
}

/* The first message is our own: begin. What others send to this process is dropped. */
static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct apply *apply = state;

    if (apply->begun)
        return;
    apply->begun = true;
    apply_run(apply);
}

/* rpc:call learns of a process that was killed before it could answer. */
static void answer_killed(struct apply *apply, struct cn_term reason)
{
    struct outcome outcome = {.class_ = "exit", .term = reason};

    if (apply->kind != APPLY_REX && apply->kind != APPLY_OLD)
        return;
    apply_end(apply, &outcome);
    apply->done = false;
    apply->from = gen_from_free(apply->from);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct apply *apply = state;

    bool held = !apply->done && apply->begun;

    if (held)
        answer_killed(apply, reason);
    apply->server = NULL;
    if (!held || apply->waits)
        apply_free(apply); /* else whoever holds it will end it */
}

static const struct gen_server_callbacks apply_callbacks = {
    .module = "erpc",
    .handle_info = on_info,
    .terminate = on_terminate,
};

/* Send the process its first message. */
static int apply_kick(struct apply *apply)
{
    static const uint8_t run[] = {0x77, 3, 'r', 'u', 'n'};
    struct gen_server *server = apply->server;

    return procs_send_pid(apply->functions->procs, NULL, gen_server_pid(server),
                          (struct cn_term){run, sizeof(run)});
}

int apply_start(struct functions *functions, const struct apply_request *request,
                struct process **ret_process)
{
    struct apply *apply = apply_new(functions, request);
    int r = 0;

    if (apply == NULL)
        return -ENOMEM;
    r = gen_server_start(functions->procs, &apply_callbacks, apply, &apply->server);
    if (r != 0) {
        apply_free(apply);
        return r;
    }
    list_append(&functions->applies, &apply->list);
    r = apply_kick(apply);
    if (r != 0) {
        gen_server_stop_atom(apply->server, "killed"); /* its end releases the apply */
        return r;
    }
    *ret_process = gen_server_process(apply->server);
    return 0;
}
