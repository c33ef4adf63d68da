/*
 * Calls to {global, Name}: the name is looked up, then its process is called.
 *
 * As in Elixir such a tuple is never the process `global` of a node called Name. A name that nobody
 * has is `noproc`, at once. The time limit is that of the call; looking up takes none on a full
 * member of :global.
 */
#include "node/api.h"

#include <errno.h>

#include "base/alloc.h"

struct named_call {
    cn_done done;
    void *context;
    uint32_t timeout_ms;
    struct cn_writer request;
};

static void named_call_free(struct named_call *call)
{
    cn_writer_free(&call->request);
    mem_free(call);
}

static void fail(struct cn_server *self, struct named_call *call, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, reason);
    call->done(self, call->context, CN_EXIT,
               cn_writer_error(&writer) == 0 ? cn_writer_term(&writer) : (struct cn_term){0});
    cn_writer_free(&writer);
}

static void on_found(struct cn_server *self, void *context, enum cn_outcome outcome,
                     struct cn_term term)
{
    struct named_call *call = context;
    int error = 0;

    if (outcome != CN_DONE)
        call->done(self, call->context, outcome, term);
    else if (cn_term_is_atom(term, "undefined"))
        fail(self, call, "noproc");
    else
        error = cn_call(self, term, cn_writer_term(&call->request), call->timeout_ms, call->done,
                        call->context);
    if (error != 0)
        fail(self, call, error == -EDEADLK ? "calling_self" : "system_limit");
    named_call_free(call);
}

bool global_call_is(struct cn_term to, struct cn_term *ret_name)
{
    struct cn_reader reader;

    cn_reader_init(&reader, to);
    return cn_peek(&reader) == CN_TYPE_TUPLE && cn_read_this_tuple(&reader, 2) &&
           cn_read_this_atom(&reader, "global") && cn_read_term(&reader, ret_name);
}

int global_call(struct cn_server *self, struct cn_term name, struct cn_term request,
                uint32_t timeout_ms, cn_done done, void *context)
{
    struct named_call *call = mem_zalloc(sizeof *call);
    int error;

    if (!call)
        return -ENOMEM;
    *call = (struct named_call){.done = done, .context = context, .timeout_ms = timeout_ms};
    cn_writer_init(&call->request, 0);
    cn_write_term(&call->request, request);
    error = cn_writer_error(&call->request);
    if (error == 0)
        error = cn_global_whereis(self, name, on_found, call);
    if (error != 0)
        named_call_free(call);
    return error;
}
