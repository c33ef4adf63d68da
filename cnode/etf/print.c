/*
 * Rendering a term in the manner of Elixir's inspect.
 *
 * The text stops growing at the end of its buffer, and the walk stops with it, so that a long term
 * costs little more than the line that shows its beginning. Where bytes turn out not to be a term,
 * the text says so and ends.
 */
#include "etf/print.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "etf/raw.h"

#define DEPTH_MAX     16
#define BIG_BYTES_MAX 64 /* of an integer, shown */
#define ELLIPSIS      "..."
#define ELIXIR        "Elixir."
#define BROKEN        "#Broken<>"

static void print_next(struct text *text, struct cn_reader *reader, unsigned depth);

static bool text_is(struct cn_bytes text, const char *expected)
{
    return cn_bytes_equal(text, expected);
}

static bool is_word(struct cn_bytes text, bool capital)
{
    size_t size = text.size;

    if (size == 0)
        return false;
    if (capital ? !isupper(text.data[0]) : !islower(text.data[0]) && text.data[0] != '_')
        return false;
    if (!capital && (text.data[size - 1] == '?' || text.data[size - 1] == '!'))
        size--;
    for (size_t i = 1; i < size; i++)
        if (!isalnum(text.data[i]) && text.data[i] != '_' && (capital || text.data[i] != '@'))
            return false;
    return true;
}

/* Whether an atom is an Elixir module's name, as Elixir.A.B; gives what follows the prefix. */
static bool is_alias(struct cn_bytes text, struct cn_bytes *ret_name)
{
    size_t prefix = strlen(ELIXIR);
    struct cn_bytes part = {text.data + prefix, 0};

    if (text.size <= prefix || memcmp(text.data, ELIXIR, prefix) != 0)
        return false;
    for (size_t i = prefix; i <= text.size; i++) {
        if (i < text.size && text.data[i] != '.') {
            part.size++;
            continue;
        }
        if (!is_word(part, true))
            return false;
        part = (struct cn_bytes){text.data + i + 1, 0};
    }
    *ret_name = (struct cn_bytes){text.data + prefix, text.size - prefix};
    return true;
}

/* One character as it stands between quotes; gives its bytes. */
static size_t print_character(struct text *text, const uint8_t *data, size_t size)
{
    uint32_t character;
    size_t length = utf8_decode(data, size, &character);

    if (data[0] == '"' || data[0] == '\\')
        text_add_format(text, "\\%c", data[0]);
    else if (data[0] == '\n')
        text_add(text, "\\n");
    else if (length == 0 || data[0] < ' ' || data[0] == 0x7f)
        text_add_format(text, "\\x%02X", data[0]);
    else
        text_add_bytes(text, data, length);
    return length > 0 ? length : 1;
}

static void print_escaped(struct text *text, struct cn_bytes bytes)
{
    text_add(text, "\"");
    for (size_t i = 0; i < bytes.size && !text->truncated;)
        i += print_character(text, bytes.data + i, bytes.size - i);
    text_add(text, "\"");
}

/* An atom where a colon belongs before it. */
static void print_atom_text(struct text *text, struct cn_bytes atom)
{
    struct cn_bytes name;

    if (text_is(atom, "nil") || text_is(atom, "true") || text_is(atom, "false")) {
        text_add_bytes(text, atom.data, atom.size);
    } else if (is_alias(atom, &name)) {
        text_add_bytes(text, name.data, name.size);
    } else {
        text_add(text, ":");
        if (is_word(atom, false) || is_word(atom, true))
            text_add_bytes(text, atom.data, atom.size);
        else
            print_escaped(text, atom);
    }
}

static void print_atom(struct text *text, struct cn_reader *reader)
{
    struct cn_bytes atom;

    if (cn_read_atom(reader, &atom))
        print_atom_text(text, atom);
}

static void print_integer(struct text *text, struct cn_reader *reader)
{
    struct etf_integer integer;
    int64_t value;

    if (!etf_read_integer(reader, &integer))
        return;
    if (etf_integer_value(&integer, &value)) {
        text_add_format(text, "%" PRId64, value);
        return;
    }
    if (integer.size > BIG_BYTES_MAX) {
        text_add_format(text, "#Integer<%zu bytes>", integer.size);
        return;
    }
    text_add(text, integer.negative ? "-0x" : "0x");
    for (size_t i = integer.size; i > 0; i--)
        text_add_format(text, i == integer.size ? "%X" : "%02X", etf_magnitude(&integer)[i - 1]);
}

/* The shortest decimal that reads back as the same float, written as Elixir does. */
static void print_float(struct text *text, struct cn_reader *reader)
{
    char digits[32] = "";
    double value;
    int decimals;
    int exponent;

    if (!cn_read_float(reader, &value))
        return;
    for (decimals = 0; decimals < 17; decimals++) {
        (void)text_format(digits, sizeof(digits), "%.*e", decimals, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -5 || exponent > 15)
        text_add_format(text, "%.*e", decimals > 0 ? decimals : 1, value);
    else
        text_add_format(text, "%.*f", decimals - exponent > 0 ? decimals - exponent : 1, value);
}

/* Whether bytes are text, looking no further than @limit. */
static bool is_printable(struct cn_bytes bytes, size_t limit)
{
    uint32_t character;

    for (size_t i = 0; i < bytes.size && i < limit;) {
        size_t length = utf8_decode(bytes.data + i, bytes.size - i, &character);

        if (length == 0 || character == 0x7f || (character < ' ' && character != '\n'))
            return false;
        i += length;
    }
    return true;
}

static void print_bits(struct text *text, struct cn_reader *reader)
{
    struct etf_bits bits;

    if (!etf_read_bits(reader, &bits))
        return;
    if (bits.extra == 0 && is_printable((struct cn_bytes){bits.data, bits.size}, text->capacity)) {
        print_escaped(text, (struct cn_bytes){bits.data, bits.size});
        return;
    }
    text_add(text, "<<");
    for (size_t i = 0; i < bits.size && !text->truncated; i++)
        text_add_format(text, i == 0 ? "%u" : ", %u", bits.data[i]);
    if (bits.extra > 0)
        text_add_format(text, "%s%u::size(%u)", bits.size > 0 ? ", " : "",
                        bits.data[bits.size] >> (8 - bits.extra), bits.extra);
    text_add(text, ">>");
}

static void print_identifier(struct text *text, struct cn_reader *reader, enum cn_type type)
{
    struct etf_identifier id;

    if (!etf_read_identifier(reader, &id))
        return;
    text_add(text, type == CN_TYPE_PID ? "#PID<" : type == CN_TYPE_PORT ? "#Port<" : "#Reference<");
    text_add_bytes(text, id.node.data, id.node.size);
    if (type == CN_TYPE_PID)
        text_add_format(text, ".%" PRIu64 ".%" PRIu32, id.id, id.serial);
    else if (type == CN_TYPE_PORT)
        text_add_format(text, ".%" PRIu64, id.id);
    for (uint32_t i = id.count; i > 0; i--)
        text_add_format(text, ".%" PRIu32, id.words[i - 1]);
    text_add(text, ">");
}

static void print_fun(struct text *text, struct cn_reader *reader)
{
    struct etf_fun fun;

    if (!etf_read_fun(reader, &fun))
        return;
    text_add(text, fun.external ? "&" : "#Function<");
    print_atom_text(text, fun.module);
    text_add(text, ".");
    if (fun.external)
        text_add_bytes(text, fun.function.data, fun.function.size);
    else
        text_add_format(text, "%" PRIu32, fun.index);
    text_add_format(text, "/%" PRIu32 "%s", fun.arity, fun.external ? "" : ">");
}

static void print_list(struct text *text, struct cn_reader *reader, unsigned depth)
{
    enum etf_step step = ETF_STEP_ELEMENT;
    uint32_t left = 0;

    text_add(text, "[");
    for (bool first = true; step == ETF_STEP_ELEMENT && !text->truncated; first = false) {
        step = etf_list_step(reader, &left);
        if (step != ETF_STEP_ELEMENT && step != ETF_STEP_TAIL)
            break;
        if (!first)
            text_add(text, step == ETF_STEP_TAIL ? " | " : ", ");
        print_next(text, reader, depth);
    }
    text_add(text, "]");
}

static void print_tuple(struct text *text, struct cn_reader *reader, unsigned depth)
{
    uint32_t arity;

    if (!cn_read_tuple(reader, &arity))
        return;
    text_add(text, "{");
    for (uint32_t i = 0; i < arity && !text->truncated && !reader->failed; i++) {
        if (i > 0)
            text_add(text, ", ");
        print_next(text, reader, depth);
    }
    text_add(text, "}");
}

/* A key and its arrow: "a: " or "1 => ". */
static void print_key(struct text *text, struct cn_reader *reader, unsigned depth)
{
    struct cn_bytes atom;
    struct cn_bytes name;

    if (cn_peek(reader) != CN_TYPE_ATOM) {
        print_next(text, reader, depth);
        text_add(text, " => ");
        return;
    }
    if (!cn_read_atom(reader, &atom))
        return;
    if (is_alias(atom, &name)) {
        text_add_bytes(text, name.data, name.size);
        text_add(text, " => ");
        return;
    }
    if (is_word(atom, false) || is_word(atom, true))
        text_add_bytes(text, atom.data, atom.size);
    else
        print_escaped(text, atom);
    text_add(text, ": ");
}

/* The name of a struct's module, when @map is a struct. */
static bool struct_name(struct cn_term map, struct cn_bytes *ret_name)
{
    struct cn_reader reader;
    struct cn_bytes atom;
    struct cn_term value;

    if (!cn_map_get(map, "__struct__", &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_peek(&reader) == CN_TYPE_ATOM && cn_read_atom(&reader, &atom) &&
           is_alias(atom, ret_name);
}

static bool at_struct_key(const struct cn_reader *reader)
{
    struct cn_reader probe = *reader;

    return cn_peek(reader) == CN_TYPE_ATOM && cn_read_this_atom(&probe, "__struct__");
}

static void print_map(struct text *text, struct cn_reader *reader, unsigned depth)
{
    struct cn_term rest = {reader->data + reader->at, reader->size - reader->at};
    struct cn_bytes name;
    bool is_struct = struct_name(rest, &name);
    bool first = true;
    uint32_t count;

    if (!cn_read_map(reader, &count))
        return;
    text_add(text, "%");
    if (is_struct)
        text_add_bytes(text, name.data, name.size);
    text_add(text, "{");
    for (; count > 0 && !text->truncated && !reader->failed; count--) {
        if (is_struct && at_struct_key(reader)) {
            (void)(cn_skip(reader) && cn_skip(reader));
            continue;
        }
        if (!first)
            text_add(text, ", ");
        first = false;
        print_key(text, reader, depth);
        print_next(text, reader, depth);
    }
    text_add(text, "}");
}

static void print_container(struct text *text, struct cn_reader *reader, unsigned depth,
                            enum cn_type type)
{
    if (depth == DEPTH_MAX) {
        text_add(text, ELLIPSIS);
        (void)cn_skip(reader);
    } else if (type == CN_TYPE_LIST) {
        print_list(text, reader, depth + 1);
    } else if (type == CN_TYPE_TUPLE) {
        print_tuple(text, reader, depth + 1);
    } else {
        print_map(text, reader, depth + 1);
    }
}

static void print_any(struct text *text, struct cn_reader *reader, unsigned depth)
{
    enum cn_type type = cn_peek(reader);

    switch (type) {
    case CN_TYPE_ATOM:
        print_atom(text, reader);
        break;
    case CN_TYPE_INTEGER:
    case CN_TYPE_BIG:
        print_integer(text, reader);
        break;
    case CN_TYPE_FLOAT:
        print_float(text, reader);
        break;
    case CN_TYPE_BINARY:
    case CN_TYPE_BITSTRING:
        print_bits(text, reader);
        break;
    case CN_TYPE_PID:
    case CN_TYPE_PORT:
    case CN_TYPE_REF:
        print_identifier(text, reader, type);
        break;
    case CN_TYPE_FUN:
        print_fun(text, reader);
        break;
    case CN_TYPE_LIST:
    case CN_TYPE_TUPLE:
    case CN_TYPE_MAP:
        print_container(text, reader, depth, type);
        break;
    case CN_TYPE_NONE:
        (void)cn_reader_fail(reader);
        break;
    }
}

/* Print the next term, until the buffer is full or the bytes turn out to be none. */
static void print_next(struct text *text, struct cn_reader *reader, unsigned depth)
{
    if (reader->failed || text->truncated)
        return;
    print_any(text, reader, depth);
}

void etf_print_text(struct text *text, struct cn_term term)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    print_next(text, &reader, 0);
    if (reader.failed)
        text_add(text, BROKEN);
}

int etf_print(struct cn_term term, char *buffer, size_t size)
{
    size_t dots = strlen(ELLIPSIS);
    struct text text;

    cn_assert(size > dots);
    text_init(&text, buffer, size - dots);
    etf_print_text(&text, term);
    if (!text.truncated)
        return 0;
    (void)text_copy(buffer + text.size, dots + 1, ELLIPSIS);
    return CN_E_TRUNCATED;
}
