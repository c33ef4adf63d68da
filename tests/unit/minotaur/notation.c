/*
 * A parser of Elixir literals that writes terms.
 *
 * Maps, lists and tuples say their size first, so each is parsed twice: once into a writer that is
 * thrown away, to count. That is exponential in depth, which is small. Wrong text aborts the test.
 */
#include "notation.h"

#include <check.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *at;
    struct cn_writer *out; /* NULL: only counting */
};

static void parse_value(struct parser *parser);

static void complain(const struct parser *parser, const char *what)
{
    ck_abort_msg("notation: %s at: %.60s", what, parser->at);
}

static void skip_space(struct parser *parser)
{
    while (isspace((unsigned char)*parser->at))
        parser->at++;
}

static bool accept(struct parser *parser, const char *token)
{
    skip_space(parser);
    if (strncmp(parser->at, token, strlen(token)) != 0)
        return false;
    parser->at += strlen(token);
    return true;
}

static void expect(struct parser *parser, const char *token)
{
    if (!accept(parser, token))
        complain(parser, token);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '?';
}

/* Copy the name at the cursor. */
static void take_name(struct parser *parser, char *name, size_t size)
{
    size_t length = 0;

    skip_space(parser);
    while (is_name_char(parser->at[length]))
        length++;
    if (length == 0 || length >= size)
        complain(parser, "a name");
    memcpy(name, parser->at, length);
    name[length] = '\0';
    parser->at += length;
}

static void write_atom(struct parser *parser, const char *text)
{
    if (parser->out != NULL)
        cn_write_atom(parser->out, text);
}

static void write_integer(struct parser *parser, int64_t value)
{
    if (parser->out != NULL)
        cn_write_integer(parser->out, value);
}

/* Count the elements up to @close without writing them. */
static uint32_t count_until(const struct parser *parser, const char *close, bool pairs);

static void write_module(struct parser *parser, const char *name)
{
    char module[200];
    bool elixirs = strchr(name, '.') != NULL || strcmp(name, "DateTime") == 0;

    snprintf(module, sizeof module, "Elixir.%s%s", elixirs ? "" : "Minotaur.GameEngine.", name);
    write_atom(parser, module);
}

/* A key: `name:` is an atom, anything else a value before `=>`. */
static void parse_key(struct parser *parser)
{
    const char *end;
    char name[64];

    skip_space(parser);
    end = parser->at;
    while (is_name_char(*end))
        end++;
    if (end > parser->at && end[0] == ':' && end[1] == ' ') {
        take_name(parser, name, sizeof name);
        write_atom(parser, name);
        expect(parser, ":");
        return;
    }
    parse_value(parser);
    expect(parser, "=>");
}

static uint32_t parse_elements(struct parser *parser, const char *close, bool pairs)
{
    uint32_t count = 0;

    while (!accept(parser, close)) {
        if (count > 0)
            expect(parser, ",");
        if (pairs)
            parse_key(parser);
        parse_value(parser);
        count++;
        skip_space(parser);
        if (*parser->at == '|')
            break;
    }
    return count;
}

static uint32_t count_until(const struct parser *parser, const char *close, bool pairs)
{
    struct parser probe = {.at = parser->at};

    return parse_elements(&probe, close, pairs);
}

static void parse_map(struct parser *parser, const char *module)
{
    uint32_t count = count_until(parser, "}", true);

    if (parser->out != NULL)
        cn_write_map(parser->out, count + (module != NULL));
    if (module != NULL) {
        write_atom(parser, "__struct__");
        write_module(parser, module);
    }
    parse_elements(parser, "}", true);
}

static void parse_list(struct parser *parser)
{
    uint32_t count = count_until(parser, "]", false);

    if (parser->out != NULL)
        cn_write_list(parser->out, count);
    parse_elements(parser, "]", false);
    if (count > 0 && accept(parser, "|")) {
        parse_value(parser);
        expect(parser, "]");
    } else if (parser->out != NULL) {
        cn_write_nil(parser->out);
    }
}

static void parse_tuple(struct parser *parser)
{
    uint32_t count = count_until(parser, "}", false);

    if (parser->out != NULL)
        cn_write_tuple(parser->out, count);
    parse_elements(parser, "}", false);
}

static void parse_binary(struct parser *parser)
{
    const char *end = strchr(parser->at, '"');

    if (end == NULL)
        complain(parser, "a closing quote");
    if (parser->out != NULL)
        cn_write_binary(parser->out,
                        (struct cn_bytes){(const uint8_t *)parser->at, (size_t)(end - parser->at)});
    parser->at = end + 1;
}

static void parse_number(struct parser *parser)
{
    char *end;
    char *float_end;
    bool negative = *parser->at == '-';
    uint64_t value = strtoull(parser->at + negative, &end, 10);
    double real = strtod(parser->at, &float_end);

    if (float_end > end && *end == '.') {
        if (parser->out != NULL)
            cn_write_float(parser->out, real);
        end = float_end;
    } else if (negative) {
        write_integer(parser, value > INT64_MAX ? INT64_MIN : -(int64_t)value);
    } else if (parser->out != NULL) {
        cn_write_unsigned(parser->out, value);
    }
    parser->at = end;
}

/* The rest of @count values up to @close, each under its field's name. */
static void parse_struct_values(struct parser *parser, const char *module,
                                const char *const *fields, const char *close)
{
    uint32_t count = 0;

    while (fields[count] != NULL)
        count++;
    if (parser->out != NULL)
        cn_write_map(parser->out, count + 1);
    write_atom(parser, "__struct__");
    write_module(parser, module);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            expect(parser, ",");
        write_atom(parser, fields[i]);
        parse_value(parser);
    }
    expect(parser, close);
}

static const char *const coord_fields[] = {"q", "r", NULL};

static void expand(struct parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Parse the text made from @format in place. */
static void expand(struct parser *parser, const char *format, ...)
{
    char text[600];
    struct parser inner = {.at = text, .out = parser->out};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    parse_value(&inner);
}

static bool is_on_board(int q, int r)
{
    return abs(q + r) <= 3;
}

/* A corner of ring 2: one coordinate is 0 and the others are 2 and -2. */
static bool is_wall(int q, int r)
{
    return abs(q) + abs(r) + abs(q + r) == 4 && q * r * (q + r) == 0;
}

static void parse_board(struct parser *parser)
{
    expect(parser, ")");
    if (parser->out != NULL)
        cn_write_map(parser->out, 37);
    for (int q = 3; q >= -3; q--) {
        for (int r = -3; r <= 3; r++) {
            if (!is_on_board(q, r))
                continue;
            expand(parser, "(%d,%d)", q, r);
            expand(parser, "hex((%d,%d), %s)", q, r, is_wall(q, r) ? ":wall" : ":floor");
        }
    }
}

static void parse_utc(struct parser *parser)
{
    int part[6];
    int used = 0;

    if (sscanf(parser->at, "%d,%d,%d,%d,%d,%d)%n", &part[0], &part[1], &part[2], &part[3], &part[4],
               &part[5], &used) != 6 ||
        used == 0)
        complain(parser, "utc(year,month,day,hour,minute,second)");
    parser->at += used;
    expand(parser,
           "%%DateTime{calendar: Calendar.ISO, year: %d, month: %d, day: %d, hour: %d, "
           "minute: %d, second: %d, microsecond: {0, 0}, time_zone: \"Etc/UTC\", "
           "zone_abbr: \"UTC\", utc_offset: 0, std_offset: 0}",
           part[0], part[1], part[2], part[3], part[4], part[5]);
}

static bool parse_short_form(struct parser *parser, const char *name)
{
    static const struct {
        const char *name;
        const char *module;
        const char *fields[6];
    } forms[] = {
        {"hex", "GridHex", {"coord", "terrain"}},
        {"pc", "PlayerCharacter", {"player_id", "position", "health", "action_points"}},
        {"move", "MoveAction", {"player_id", "vector"}},
        {"attack", "AttackAction", {"player_id", "target_id"}},
        {"entered", "PCEnteredHexEvent", {"id", "player_id", "to", "from", "round"}},
        {"left", "PCLeftHexEvent", {"id", "player_id", "to", "from", "round"}},
        {"attacked", "PCAttackedPCEvent", {"id", "player_id", "target_id", "round"}},
        {"player", "Player", {"id", "user_id", "status", "display_name"}},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(name, forms[i].name) != 0)
            continue;
        parse_struct_values(parser, forms[i].module, forms[i].fields, ")");
        return true;
    }
    return false;
}

static void parse_word(struct parser *parser)
{
    char name[100];

    take_name(parser, name, sizeof name);
    if (accept(parser, "(")) {
        if (strcmp(name, "board") == 0)
            parse_board(parser);
        else if (strcmp(name, "utc") == 0)
            parse_utc(parser);
        else if (!parse_short_form(parser, name))
            complain(parser, "a short form");
    } else if (isupper((unsigned char)name[0])) {
        write_module(parser, name);
    } else if (strcmp(name, "nil") == 0 || strcmp(name, "true") == 0 ||
               strcmp(name, "false") == 0) {
        write_atom(parser, name);
    } else {
        complain(parser, "a literal");
    }
}

static void parse_value(struct parser *parser)
{
    char name[100];

    if (accept(parser, "%{")) {
        parse_map(parser, NULL);
    } else if (accept(parser, "%")) {
        take_name(parser, name, sizeof name);
        expect(parser, "{");
        parse_map(parser, name);
    } else if (accept(parser, "[")) {
        parse_list(parser);
    } else if (accept(parser, "{")) {
        parse_tuple(parser);
    } else if (accept(parser, "(")) {
        parse_struct_values(parser, "Coord", coord_fields, ")");
    } else if (accept(parser, "<")) {
        parse_struct_values(parser, "Vector", coord_fields, ">");
    } else if (accept(parser, ":")) {
        take_name(parser, name, sizeof name);
        write_atom(parser, name);
    } else if (accept(parser, "\"")) {
        parse_binary(parser);
    } else if (isdigit((unsigned char)*parser->at) || *parser->at == '-') {
        parse_number(parser);
    } else {
        parse_word(parser);
    }
}

void notation_write(struct cn_writer *writer, const char *text)
{
    struct parser parser = {.at = text, .out = writer};

    parse_value(&parser);
    skip_space(&parser);
    if (*parser.at != '\0')
        complain(&parser, "the end");
}
