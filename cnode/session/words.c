/*
 * Small terms, written and read. Pure functions; what does not fit is false, never a guess.
 */
#include "session/words.h"

#include <errno.h>
#include <string.h>

#include "session/hosts.h"

/* {error, no_memory} and {error, system_limit}, ready to be sent when nothing can be allocated. */
static const uint8_t no_memory_bytes[] = {
    104, 2, 119, 5, 'e', 'r', 'r', 'o', 'r', 119, 9, 'n', 'o', '_', 'm', 'e', 'm', 'o', 'r', 'y',
};

static const uint8_t system_limit_bytes[] = {
    104, 2,   119, 5,   'e', 'r', 'r', 'o', 'r', 119, 12,  's',
    'y', 's', 't', 'e', 'm', '_', 'l', 'i', 'm', 'i', 't',
};

struct cn_term words_no_memory(void)
{
    return (struct cn_term){.data = no_memory_bytes, .size = sizeof(no_memory_bytes)};
}

struct cn_term words_failure(int error)
{
    return error == -E2BIG
               ? (struct cn_term){.data = system_limit_bytes, .size = sizeof(system_limit_bytes)}
               : words_no_memory();
}

struct cn_term words_answer(const struct cn_writer *writer)
{
    int error = cn_writer_error(writer);

    return error != 0 ? words_failure(error) : cn_writer_term(writer);
}

static void write_pair(struct cn_writer *writer, const char *tag)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, tag);
}

void words_error(struct cn_writer *writer, const char *reason)
{
    write_pair(writer, "error");
    cn_write_atom(writer, reason);
}

void words_reply_error(struct procs *procs, const struct gen_from *from, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    words_error(&writer, reason);
    gen_reply(procs, from, words_answer(&writer));
    cn_writer_free(&writer);
}

void words_already_started(struct cn_writer *writer, const struct cn_pid *pid)
{
    write_pair(writer, "error");
    words_pid(writer, "already_started", pid);
}

void words_pid(struct cn_writer *writer, const char *tag, const struct cn_pid *pid)
{
    write_pair(writer, tag);
    cn_write_pid(writer, pid);
}

void words_refuse(struct cn_writer *writer, const char *reason)
{
    write_pair(writer, "refuse");
    cn_write_atom(writer, reason);
}

void words_code(struct cn_writer *writer, struct cn_bytes code)
{
    if (code.size == 0)
        cn_write_atom(writer, "nil");
    else
        cn_write_binary(writer, code);
}

void words_name(struct cn_writer *writer, const char *registry, struct cn_bytes key)
{
    write_pair(writer, registry);
    cn_write_binary(writer, key);
}

bool words_read_code(struct cn_term term, struct cn_bytes *ret_code)
{
    struct cn_reader reader;
    struct cn_bytes code;

    if (cn_term_is_atom(term, "nil")) {
        *ret_code = (struct cn_bytes){.size = 0};
        return true;
    }
    cn_reader_init(&reader, term);
    if (!cn_read_binary(&reader, &code) || code.size == 0 || code.size > WORDS_CODE_BYTES_MAX)
        return false;
    *ret_code = code;
    return true;
}

bool words_read_pid(struct cn_term term, const char *tag, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, tag) &&
           cn_read_pid(&reader, ret_pid);
}

bool words_read_new_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    return words_read_pid(term, "moved", ret_pid) ||
           words_read_pid(term, "session_conflict", ret_pid);
}

bool words_read_unsigned(struct cn_reader *reader, uint64_t *ret_value)
{
    int64_t value;

    if (!cn_read_integer(reader, &value) || value < 0)
        return false;
    *ret_value = (uint64_t)value;
    return true;
}

bool words_read_pair(struct cn_term term, const char *tag, struct cn_term *ret_second)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, tag) &&
           cn_read_term(&reader, ret_second);
}

bool words_is_error(struct cn_term term, const char *reason)
{
    struct cn_term second;

    return words_read_pair(term, "error", &second) && cn_term_is_atom(second, reason);
}

bool words_get_binary(struct cn_term map, const char *key, struct cn_bytes *ret_bytes)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(map, key, &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_binary(&reader, ret_bytes);
}

bool words_get_unsigned(struct cn_term map, const char *key, uint64_t *ret_value)
{
    struct cn_reader reader;
    struct cn_term value;
    int64_t number;

    if (!cn_map_get(map, key, &value))
        return false;
    cn_reader_init(&reader, value);
    if (!cn_read_integer(&reader, &number) || number < 0)
        return false;
    *ret_value = (uint64_t)number;
    return true;
}

bool words_get_bool(struct cn_term map, const char *key, bool *ret_value)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(map, key, &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_bool(&reader, ret_value);
}

bool words_get_pid(struct cn_term map, const char *key, struct cn_pid *ret_pid)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(map, key, &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_pid(&reader, ret_pid);
}

struct dest words_to_pid(const struct cn_pid *pid)
{
    return (struct dest){.kind = DEST_PID, .pid = *pid};
}

struct dest words_to_host(const char *node)
{
    return (struct dest){.kind = DEST_NAME, .name = HOSTS_NAME, .node = node};
}

bool words_same(struct cn_bytes a, struct cn_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
