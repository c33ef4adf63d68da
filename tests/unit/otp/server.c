/*
 * The test server and a small reader of terms from text: see server.h.
 */
#include "unit/otp/server.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void note(struct server *server, const char *what, struct cn_term term)
{
    char line[1200];

    (void)snprintf(line, sizeof(line), "%s %s", what, show(term));
    cn_assert(server->count < 64);
    server->log[server->count++] = strdup(line);
}

const char *server_last(const struct server *server)
{
    return server->count > 0 ? server->log[server->count - 1] : "";
}

static bool on_intercept(struct gen_server *self, void *state, struct cn_term message)
{
    struct server *server = state;

    if (server->freeze)
        note(server, "frozen", message);
    return server->freeze;
}

static void reply_echo(struct gen_server *self, const struct gen_from *from, struct cn_term request)
{
    cn_assert(gen_reply(gen_server_procs(self), from, parse_with("{echo,%t}", &request)) == 0);
}

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct server *server = state;
    struct cn_reader reader;
    struct cn_term answer;

    note(server, "call", request);
    cn_reader_init(&reader, request);
    if (cn_term_is_atom(request, "shared")) {
        cn_assert(gen_reply_shared(gen_server_procs(self), from, server->body) == 0);
    } else if (cn_term_is_atom(request, "wait")) {
        server->waiting = gen_from_copy(from);
    } else if (cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, "answer") &&
               cn_read_term(&reader, &answer)) {
        cn_assert(gen_reply(gen_server_procs(self), server->waiting, answer) == 0);
        server->waiting = gen_from_free(server->waiting);
        reply_echo(self, from, request);
    } else {
        reply_echo(self, from, request);
        if (cn_term_is_atom(request, "stop"))
            gen_server_stop_atom(self, "normal");
    }
}

static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    note(state, "cast", message);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    note(state, "info", message);
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    note(state, "timer", atom("due"));
}

static int on_format(void *state, struct cn_writer *writer)
{
    cn_write_term(writer, parse("{the,state}"));
    return cn_writer_error(writer);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct server *server = state;

    (void)snprintf(server->ended, sizeof(server->ended), "%s", show(reason));
    server->waiting = gen_from_free(server->waiting);
}

const struct gen_server_callbacks server_callbacks = {
    .module = "test_server",
    .intercept = on_intercept,
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .handle_timer = on_timer,
    .format_state = on_format,
    .terminate = on_terminate,
};

struct gen_server *server_start(struct procs *procs, struct server *server, const char *name)
{
    struct gen_server *self = NULL;

    memset(server, 0, sizeof(*server));
    cn_assert(gen_server_start(procs, &server_callbacks, server, &self) == 0);
    if (name != NULL)
        cn_assert(process_register(gen_server_process(self), name) == 0);
    return self;
}

void server_deinit(struct server *server)
{
    for (size_t i = 0; i < server->count; i++)
        free(server->log[i]);
    server->count = 0;
}

void server_done(struct gen_server *self, void *context, enum call_outcome outcome,
                 struct cn_term term)
{
    static const char *const names[] = {"reply", "down", "timeout", "raised"};

    note(context, names[outcome], term);
}

/* Terms from text. */

struct parser {
    const char *at;
    va_list *values;
    struct cn_writer *writer;
};

static void parse_one(struct parser *parser);

/* Count the elements up to @close by parsing them into nowhere. */
static uint32_t count_elements(const char *at, char close)
{
    uint32_t count = *at == close ? 0 : 1;
    int depth = 0;

    for (; depth > 0 || *at != close; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        else if (*at == ',' && depth == 0)
            count++;
    }
    return count;
}

static void parse_many(struct parser *parser, char close)
{
    while (*parser->at != close && *parser->at != '|') {
        parse_one(parser);
        if (*parser->at == ',')
            parser->at++;
    }
}

static void parse_list(struct parser *parser)
{
    uint32_t count = 0;

    parser->at++;
    count = count_elements(parser->at, ']');
    if (count > 0)
        cn_write_list(parser->writer, count);
    parse_many(parser, ']');
    if (*parser->at == '|') {
        parser->at++;
        parse_one(parser);
    } else {
        cn_write_nil(parser->writer);
    }
    parser->at++;
}

/* #{a=>1,b=>2} */
static void parse_map(struct parser *parser)
{
    parser->at += 2;
    cn_write_map(parser->writer, count_elements(parser->at, '}'));
    while (*parser->at != '}') {
        parse_one(parser);
        parser->at += 2;
        parse_one(parser);
        if (*parser->at == ',')
            parser->at++;
    }
    parser->at++;
}

static void parse_binary(struct parser *parser)
{
    const char *start = parser->at + 3;
    const char *end = strstr(start, "\">>");

    cn_write_binary(parser->writer,
                    (struct cn_bytes){(const uint8_t *)start, (size_t)(end - start)});
    parser->at = end + 3;
}

static void parse_value(struct parser *parser)
{
    char kind = parser->at[1];

    parser->at += 2;
    if (kind == 'p')
        cn_write_pid(parser->writer, va_arg(*parser->values, const struct cn_pid *));
    else if (kind == 'r')
        cn_write_ref(parser->writer, va_arg(*parser->values, const struct cn_ref *));
    else
        cn_write_term(parser->writer, *va_arg(*parser->values, const struct cn_term *));
}

static void parse_word(struct parser *parser)
{
    char word[128];
    size_t size = strcspn(parser->at, ",|]}=");

    cn_assert(size > 0 && size < sizeof(word));
    memcpy(word, parser->at, size);
    word[size] = '\0';
    parser->at += size;
    if (isdigit((unsigned char)word[0]) || word[0] == '-')
        cn_write_integer(parser->writer, strtoll(word, NULL, 10));
    else
        cn_write_atom(parser->writer, word);
}

static void parse_one(struct parser *parser)
{
    if (*parser->at == '{') {
        parser->at++;
        cn_write_tuple(parser->writer, count_elements(parser->at, '}'));
        parse_many(parser, '}');
        parser->at++;
    } else if (*parser->at == '[') {
        parse_list(parser);
    } else if (*parser->at == '<') {
        parse_binary(parser);
    } else if (*parser->at == '#') {
        parse_map(parser);
    } else if (*parser->at == '%') {
        parse_value(parser);
    } else {
        parse_word(parser);
    }
}

static struct cn_writer *next_writer(void)
{
    static struct cn_writer writers[8];
    static size_t next;
    struct cn_writer *writer = &writers[next++ % 8];

    if (writer->data == NULL)
        cn_writer_init(writer, 0);
    cn_writer_reset(writer);
    return writer;
}

struct cn_term parse_with(const char *text, ...)
{
    struct parser parser = {.at = text, .writer = next_writer()};
    va_list values;

    va_start(values, text);
    parser.values = &values;
    parse_one(&parser);
    va_end(values);
    cn_assert(cn_writer_error(parser.writer) == 0);
    return cn_writer_term(parser.writer);
}

struct cn_term parse(const char *text)
{
    return parse_with(text);
}
