/*
 * What tools ask to learn what they talk to: erlang:system_info, statistics and memory, and the
 * module code, which has nothing here.
 *
 * Only what is harmless and has a meaning is told; the rest is badarg, as a key that a BEAM does
 * not know. `machine` says that this is no BEAM. Figures come from node/, by a hook; without one
 * they are 0.
 */
#include <string.h>

#include "otp/internal.h"

#define ATOM_LIMIT 1048576u

static struct node_figures figures_of(struct apply *apply)
{
    const struct functions_hooks *hooks = &apply_functions(apply)->hooks;
    struct node_figures figures = {.processors = 1};

    if (hooks->figures != NULL)
        hooks->figures(hooks->context, &figures);
    return figures;
}

/* Tables: a key and its value. */

static const struct {
    const char *key;
    const char *text;
} texts[] = {
    {"otp_release", "25"},
    {"version", "0.1.0"},
    {"machine", "CNODE"},
    {"system_version", "C node\n"},
    {"system_architecture", "c-node"},
};

static bool write_info_text(struct cn_term key, struct cn_writer *writer)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!cn_term_is_atom(key, texts[i].key))
            continue;
        write_text(writer, texts[i].text);
        return true;
    }
    return false;
}

/* {wordsize, internal | external} */
static bool is_wordsize(struct cn_term key)
{
    struct cn_reader reader;
    struct cn_bytes which;

    if (cn_term_is_atom(key, "wordsize"))
        return true;
    cn_reader_init(&reader, key);
    return cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, "wordsize") &&
           cn_read_atom(&reader, &which) &&
           (cn_bytes_equal(which, "internal") || cn_bytes_equal(which, "external"));
}

/* There is one thread for Erlang's processes, no port, and no table of atoms that grows. */
static bool info_number(struct apply *apply, struct cn_term key, uint64_t *ret_number)
{
    struct procs *procs = apply_procs(apply);

    if (cn_term_is_atom(key, "process_count"))
        *ret_number = procs_count(procs);
    else if (cn_term_is_atom(key, "process_limit"))
        *ret_number = procs_limit(procs);
    else if (cn_term_is_atom(key, "creation"))
        *ret_number = procs_creation(procs);
    else if (is_wordsize(key))
        *ret_number = sizeof(void *);
    else if (cn_term_is_atom(key, "schedulers") || cn_term_is_atom(key, "schedulers_online"))
        *ret_number = 1;
    else if (cn_term_is_atom(key, "logical_processors") ||
             cn_term_is_atom(key, "logical_processors_available"))
        *ret_number = figures_of(apply).processors;
    else if (cn_term_is_atom(key, "port_count") || cn_term_is_atom(key, "port_limit") ||
             cn_term_is_atom(key, "ets_count") || cn_term_is_atom(key, "atom_count"))
        *ret_number = 0;
    else if (cn_term_is_atom(key, "atom_limit"))
        *ret_number = ATOM_LIMIT;
    else
        return false;
    return true;
}

void run_system_info(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer writer;
    uint64_t number = 0;

    cn_writer_init(&writer, 0);
    if (info_number(apply, arguments[0], &number)) {
        cn_write_unsigned(&writer, number);
    } else if (!write_info_text(arguments[0], &writer)) {
        cn_writer_free(&writer);
        apply_error(apply, "badarg");
        return;
    }
    apply_return_writer(apply, &writer);
}

/* {Total, SinceTheLastCall} */
static void write_progress(struct cn_writer *writer, uint64_t now, uint64_t *before)
{
    cn_write_tuple(writer, 2);
    cn_write_unsigned(writer, now);
    cn_write_unsigned(writer, now - *before);
    *before = now;
}

void run_statistics(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct functions *functions = apply_functions(apply);
    struct node_figures figures = figures_of(apply);
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (cn_term_is_atom(arguments[0], "wall_clock")) {
        write_progress(&writer, figures.uptime_ms, &functions->wall_clock_ms);
    } else if (cn_term_is_atom(arguments[0], "runtime")) {
        write_progress(&writer, figures.runtime_ms, &functions->runtime_ms);
    } else if (cn_term_is_atom(arguments[0], "run_queue") ||
               cn_term_is_atom(arguments[0], "total_run_queue_lengths")) {
        cn_write_integer(&writer, 0); /* whoever asks is running alone */
    } else {
        cn_writer_free(&writer);
        apply_error(apply, "badarg");
        return;
    }
    apply_return_writer(apply, &writer);
}

/* Memory. One heap serves all, so that it is all `system`. */

static const char *const memory_types[] = {
    "total", "processes", "processes_used", "system", "atom", "atom_used", "binary", "code", "ets",
};

#define MEMORY_TYPES (sizeof(memory_types) / sizeof(memory_types[0]))

struct memory {
    struct cn_writer *writer;
    uint64_t bytes;
};

static bool memory_of(const struct memory *memory, struct cn_term type, uint64_t *ret_bytes)
{
    for (size_t i = 0; i < MEMORY_TYPES; i++) {
        if (!cn_term_is_atom(type, memory_types[i]))
            continue;
        *ret_bytes = i == 0 || i == 3 ? memory->bytes : 0;
        return true;
    }
    return false;
}

static bool write_memory(void *context, struct cn_term type)
{
    struct memory *memory = context;
    uint64_t bytes = 0;

    if (!memory_of(memory, type, &bytes))
        return false;
    cn_write_tuple(memory->writer, 2);
    cn_write_term(memory->writer, type);
    cn_write_unsigned(memory->writer, bytes);
    return true;
}

void run_memory(void *context, struct apply *apply, const struct cn_term *arguments)
{
    uint64_t bytes = figures_of(apply).memory_bytes;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, MEMORY_TYPES);
    for (size_t i = 0; i < MEMORY_TYPES; i++) {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, memory_types[i]);
        cn_write_unsigned(&writer, i == 0 || i == 3 ? bytes : 0);
    }
    cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

static bool write_memory_list(struct memory *memory, struct cn_term types)
{
    struct cn_reader reader;
    uint32_t count = 0;

    cn_reader_init(&reader, types);
    if (!cn_read_list(&reader, &count))
        return false;
    if (count > 0)
        cn_write_list(memory->writer, count);
    if (!argument_each(types, write_memory, memory))
        return false;
    cn_write_nil(memory->writer);
    return true;
}

void run_memory_of(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer writer;
    struct memory memory = {.writer = &writer, .bytes = figures_of(apply).memory_bytes};
    uint64_t bytes = 0;

    cn_writer_init(&writer, 0);
    if (memory_of(&memory, arguments[0], &bytes)) {
        cn_write_unsigned(&writer, bytes);
    } else if (!write_memory_list(&memory, arguments[0])) {
        cn_writer_free(&writer);
        apply_error(apply, "badarg");
        return;
    }
    apply_return_writer(apply, &writer);
}

/* The module code: no module is loaded or can be. @context is the answer. */

void run_constant(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_return_atom(apply, context);
}

void run_no_file(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    cn_write_atom(&writer, "nofile");
    apply_return_writer(apply, &writer);
}
