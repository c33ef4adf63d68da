/*
 * System messages: {system, From, Command}.
 *
 * Suspended, a server handles nothing but these; messages and timers are kept in its mailbox, in
 * their order, and handled in turns like any others when it is resumed. What needs code of the
 * asker (replace_state, change_code, debug functions) is refused with {error, unsupported}.
 */
#include "otp/sys.h"

#include <stdio.h>

#include "otp/internal.h"

void sys_set_hook(struct procs *procs, const struct sys_hook *hook)
{
    procs_set_extra(procs, hook);
}

static void write_state(struct gen_server *self, struct cn_writer *writer)
{
    if (self->callbacks->format_state == NULL ||
        self->callbacks->format_state(self->state, writer) != 0) {
        cn_writer_reset(writer);
        cn_write_atom(writer, "opaque");
    }
}

static void reply_state(struct gen_server *self, const struct gen_from *from)
{
    const struct sys_hook *hook = procs_extra(gen_server_procs(self));
    struct cn_writer state;
    struct cn_writer writer;

    cn_writer_init(&state, 0);
    cn_writer_init(&writer, 0);
    write_state(self, &state);
    if (hook != NULL && hook->wraps_state(hook->context, from->pid.node)) {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "ok");
    }
    if (cn_writer_error(&state) == 0)
        cn_write_term(&writer, cn_writer_term(&state));
    if (cn_writer_error(&state) == 0 && cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
    cn_writer_free(&state);
}

/* A registered name, or a pid as its own node shows it. */
static void write_header(struct gen_server *self, struct cn_writer *writer)
{
    const struct cn_pid *pid = gen_server_pid(self);
    const char *name = process_name(self->process);
    char text[64 + 255];

    if (name != NULL)
        (void)snprintf(text, sizeof(text), "Status for generic server %s", name);
    else
        (void)snprintf(text, sizeof(text), "Status for generic server <0.%u.%u>", pid->id,
                       pid->serial);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "header");
    write_text(writer, text);
}

/* {data, [ */
static void begin_data(struct cn_writer *writer, uint32_t count)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "data");
    cn_write_list(writer, count);
}

/* {"Key", */
static void begin_pair(struct cn_writer *writer, const char *key)
{
    cn_write_tuple(writer, 2);
    write_text(writer, key);
}

static void write_mode(struct gen_server *self, struct cn_writer *writer)
{
    cn_write_atom(writer, self->suspended ? "suspended" : "running");
}

/* [{header, ..}, {data, [{"Status", ..}, ..]}, {data, [{"State", State}]}], as gen_server's */
static void write_misc(struct gen_server *self, struct cn_writer *writer, struct cn_term state)
{
    cn_write_list(writer, 3);
    write_header(self, writer);
    begin_data(writer, 3);
    begin_pair(writer, "Status");
    write_mode(self, writer);
    begin_pair(writer, "Parent");
    cn_write_pid(writer, gen_server_pid(self));
    begin_pair(writer, "Logged events");
    cn_write_nil(writer);
    cn_write_nil(writer);
    begin_data(writer, 1);
    begin_pair(writer, "State");
    cn_write_term(writer, state);
    cn_write_nil(writer);
    cn_write_nil(writer);
}

/* ['$initial_call': {Module, init, 1}], where tools look for what the process is. */
static void write_dictionary(struct gen_server *self, struct cn_writer *writer)
{
    cn_write_list(writer, 1);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "$initial_call");
    cn_write_tuple(writer, 3);
    cn_write_atom(writer, self->callbacks->module);
    cn_write_atom(writer, "init");
    cn_write_integer(writer, 1);
    cn_write_nil(writer);
}

static void write_status(struct gen_server *self, struct cn_writer *writer, struct cn_term state)
{
    cn_write_tuple(writer, 4);
    cn_write_atom(writer, "status");
    cn_write_pid(writer, gen_server_pid(self));
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "module");
    cn_write_atom(writer, "gen_server");
    cn_write_list(writer, 5);
    write_dictionary(self, writer);
    write_mode(self, writer);
    cn_write_pid(writer, gen_server_pid(self)); /* parent */
    cn_write_nil(writer);                       /* debug */
    write_misc(self, writer, state);
    cn_write_nil(writer);
}

static void reply_status(struct gen_server *self, const struct gen_from *from)
{
    struct cn_writer state;
    struct cn_writer writer;

    cn_writer_init(&state, 0);
    cn_writer_init(&writer, 0);
    write_state(self, &state);
    if (cn_writer_error(&state) == 0)
        write_status(self, &writer, cn_writer_term(&state));
    if (cn_writer_error(&state) == 0 && cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
    cn_writer_free(&state);
}

static void reply_atom(struct gen_server *self, const struct gen_from *from, const char *text)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, text);
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* {error, unsupported}, or {error, {unknown_system_msg, Command}} */
static void reply_error(struct gen_server *self, const struct gen_from *from,
                        struct cn_term command, bool known)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    if (known) {
        cn_write_atom(&writer, "unsupported");
    } else {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "unknown_system_msg");
        cn_write_term(&writer, command);
    }
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/*
 * What cannot be done here, for it needs code of the asker's: replace_state, debug functions, and
 * change_code, which gen_server knows only while suspended.
 */
static bool is_unsupported(const struct gen_server *self, struct cn_bytes verb)
{
    return cn_bytes_equal(verb, "replace_state") || cn_bytes_equal(verb, "debug") ||
           (cn_bytes_equal(verb, "change_code") && self->suspended);
}

static void take_tuple(struct gen_server *self, const struct gen_from *from, struct cn_term command)
{
    struct cn_reader reader;
    struct cn_bytes verb = {0};
    struct cn_term argument;
    uint32_t arity = 0;

    cn_reader_init(&reader, command);
    if (!cn_read_tuple(&reader, &arity) || !cn_read_atom(&reader, &verb) ||
        !cn_read_term(&reader, &argument)) {
        reply_error(self, from, command, false);
    } else if (arity == 2 && cn_bytes_equal(verb, "terminate")) {
        reply_atom(self, from, "ok");
        gen_server_stop(self, argument);
    } else if (arity == 2 && cn_bytes_equal(verb, "debug") &&
               cn_term_is_atom(argument, "no_debug")) {
        reply_atom(self, from, "ok"); /* there never was any */
    } else {
        reply_error(self, from, command, is_unsupported(self, verb));
    }
}

static void take_command(struct gen_server *self, const struct gen_from *from,
                         struct cn_term command)
{
    if (cn_term_is_atom(command, "get_state")) {
        reply_state(self, from);
    } else if (cn_term_is_atom(command, "get_status")) {
        reply_status(self, from);
    } else if (cn_term_is_atom(command, "suspend")) {
        self->suspended = true;
        reply_atom(self, from, "ok");
    } else if (cn_term_is_atom(command, "resume")) {
        reply_atom(self, from, "ok");
        self->suspended = false;
        process_take_kept(self->process);
    } else {
        take_tuple(self, from, command);
    }
}

bool sys_take(struct gen_server *self, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_term caller;
    struct cn_term command;
    struct gen_from from;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "system") ||
        !cn_read_term(&reader, &caller) || !cn_read_term(&reader, &command) ||
        gen_from_read(caller, &from) != 0)
        return false;
    take_command(self, &from, command);
    return true;
}
