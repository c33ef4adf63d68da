/*
 * Outgoing erpc: a spawn request for {erpc, execute_call, 4}, whose answer is the reason with which
 * the new process ends.
 *
 * The tag in that reason, {Tag, return, Value}, tells it from the end of a process that
 * somebody killed. Ours is an atom: the monitor's reference already says which call it is. On this
 * node itself the function comes from our own table, in a process of its own, and everything else
 * is the same.
 *
 * Source: the module erpc, of OTP 23 to 29; distribution.md D.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "otp/internal.h"

/* {Tag, Class, ...}: what the function has come to. */
static bool read_result(struct call *call, struct cn_term reason, uint32_t *ret_arity,
                        struct cn_bytes *ret_class, struct cn_reader *reader)
{
    struct procs *procs = gen_server_procs(call->server);
    struct cn_ref tag;

    cn_reader_init(reader, reason);
    return cn_peek(reader) == CN_TYPE_TUPLE && cn_read_tuple(reader, ret_arity) &&
           cn_peek(reader) == CN_TYPE_REF && cn_read_ref(reader, &tag) &&
           tag.creation == procs_creation(procs) && strcmp(tag.node, procs_node(procs)) == 0 &&
           cn_read_atom(reader, ret_class);
}

static void write_erpc_error(struct cn_writer *writer, const char *reason)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "error");
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "erpc");
    cn_write_atom(writer, reason);
}

/* {exit, {signal | exception, Reason}} */
static void write_exit(struct cn_writer *writer, const char *how, struct cn_term reason)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "exit");
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, how);
    cn_write_term(writer, reason);
}

/* {error, {exception, Reason, Stack}} */
static void write_exception(struct cn_writer *writer, struct cn_term reason, struct cn_term stack)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "error");
    cn_write_tuple(writer, 3);
    cn_write_atom(writer, "exception");
    cn_write_term(writer, reason);
    cn_write_term(writer, stack);
}

/* {Class, Reason}, for a reason that is none of ours too: the process was ended by somebody. */
static void write_down(struct call *call, struct cn_writer *writer, struct cn_term reason)
{
    struct cn_reader reader;
    struct cn_bytes class_;
    struct cn_term what;
    struct cn_term stack;
    uint32_t arity = 0;

    if (cn_term_is_atom(reason, "noconnection")) {
        write_erpc_error(writer, "noconnection");
        return;
    }
    if (!read_result(call, reason, &arity, &class_, &reader) || !cn_read_term(&reader, &what)) {
        write_exit(writer, "signal", reason);
    } else if (arity == 4 && cn_bytes_equal(class_, "error") && cn_read_term(&reader, &stack)) {
        write_exception(writer, what, stack);
    } else if (arity == 3 && cn_bytes_equal(class_, "exit")) {
        write_exit(writer, "exception", what);
    } else if (arity == 3 && (cn_bytes_equal(class_, "throw") || cn_bytes_equal(class_, "error"))) {
        cn_write_tuple(writer, 2);
        cn_write_atom_bytes(writer, class_);
        cn_write_term(writer, what);
    } else {
        write_exit(writer, "signal", reason);
    }
}

/* Call back with what @writer holds, with the call freed (@flush); releases the writer. */
static void end_raised(struct call *call, bool flush, struct cn_writer *writer)
{
    static const uint8_t limit[] = "\x68\x02\x77\x05"
                                   "error\x68\x02\x77\x04"
                                   "erpc\x77\x0csystem_limit";
    struct gen_server *self = call->server;
    call_done done = call->done;
    void *context = call->context;
    bool written = cn_writer_error(writer) == 0;

    call_free(call, flush);
    done(self, context, CALL_RAISED,
         written ? cn_writer_term(writer) : (struct cn_term){limit, sizeof(limit) - 1});
    cn_writer_free(writer);
}

void erpc_call_refused(struct call *call, struct cn_term reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (cn_term_is_atom(reason, "notsup"))
        write_erpc_error(&writer, "notsup");
    else if (cn_term_is_atom(reason, "noconnection"))
        write_erpc_error(&writer, "noconnection");
    else
        write_erpc_error(&writer, "system_limit");
    end_raised(call, false, &writer);
}

void erpc_call_end(struct call *call, enum call_outcome outcome, struct cn_term term)
{
    struct cn_reader reader;
    struct cn_writer writer;
    struct cn_bytes class_;
    struct cn_term value;
    uint32_t arity = 0;

    if (outcome == CALL_DOWN && read_result(call, term, &arity, &class_, &reader) && arity == 3 &&
        cn_bytes_equal(class_, "return") && cn_read_term(&reader, &value)) {
        struct gen_server *self = call->server;
        call_done done = call->done;
        void *context = call->context;

        call_free(call, false);
        done(self, context, CALL_REPLY, value);
        return;
    }
    cn_writer_init(&writer, 0);
    if (outcome == CALL_DOWN)
        write_down(call, &writer, term);
    else
        write_erpc_error(&writer, "timeout");
    end_raised(call, outcome != CALL_DOWN, &writer);
}

static void write_tag(struct gen_server *self, struct cn_writer *writer)
{
    struct cn_ref tag;

    procs_make_ref(gen_server_procs(self), &tag);
    cn_write_ref(writer, &tag);
}

/* The function on this node: in a process as a peer's request would start, monitored. */
static int start_here(struct functions *functions, struct gen_server *self,
                      const struct call_mfa *mfa, struct cn_ref *ret_ref)
{
    struct apply_request request = {.kind = APPLY_ERPC, .arguments = mfa->arguments};
    struct process *process = NULL;
    struct cn_writer names;
    struct dest dest = {.kind = DEST_PID};
    size_t ends[2];
    int r = 0;

    cn_writer_init(&names, 0);
    write_tag(self, &names);
    ends[0] = names.size;
    cn_write_atom(&names, mfa->module);
    ends[1] = names.size;
    cn_write_atom(&names, mfa->function);
    r = cn_writer_error(&names);
    if (r == 0) {
        request.tag = (struct cn_term){names.data, ends[0]};
        request.module = (struct cn_term){names.data + ends[0], ends[1] - ends[0]};
        request.function = (struct cn_term){names.data + ends[1], names.size - ends[1]};
        r = apply_start(functions, &request, &process);
    }
    cn_writer_free(&names);
    if (r != 0)
        return r;
    dest.pid = *process_pid(process);
    r = process_monitor(self->process, &dest, ret_ref);
    if (r != 0)
        process_exit_atom(process, "kill");
    return r;
}

/* [Tag, Module, Function, Arguments] */
static void write_arguments(struct gen_server *self, const struct call_mfa *mfa,
                            struct cn_writer *writer)
{
    cn_write_list(writer, 4);
    write_tag(self, writer);
    cn_write_atom(writer, mfa->module);
    cn_write_atom(writer, mfa->function);
    cn_write_term(writer, mfa->arguments);
    cn_write_nil(writer);
}

static int start_there(struct gen_server *self, const struct call_mfa *mfa, struct cn_ref *ret_ref)
{
    static const uint8_t name[] = {'u', 's', 'e', 'r'};
    struct spawn_call spawn = {
        .node = mfa->node, .module = "erpc", .function = "execute_call", .arity = 4};
    struct process *user = procs_whereis(gen_server_procs(self),
                                         (struct cn_bytes){name, sizeof(name)});
    struct cn_writer writer;
    int r = 0;

    spawn.group_leader = user != NULL ? *process_pid(user) : *gen_server_pid(self);
    cn_writer_init(&writer, 0);
    write_arguments(self, mfa, &writer);
    r = cn_writer_error(&writer);
    spawn.arguments = cn_writer_term(&writer);
    if (r == 0)
        r = process_spawn_request(self->process, &spawn, ret_ref);
    cn_writer_free(&writer);
    return r;
}

int call_erpc(struct functions *functions, struct gen_server *self, const struct call_mfa *mfa,
              uint32_t timeout_ms, call_done done, void *context, struct call **ret_call)
{
    bool here = strcmp(mfa->node, procs_node(gen_server_procs(self))) == 0;
    struct call *call = NULL;
    struct cn_ref ref;
    int r = 0;

    if (calls_full(self))
        return CN_E_LIMIT;
    r = here ? start_here(functions, self, mfa, &ref) : start_there(self, mfa, &ref);
    if (r == 0)
        r = call_add(self, &ref, timeout_ms, done, context, &call);
    if (r != 0)
        return r;
    call->erpc = true;
    if (ret_call != NULL)
        *ret_call = call;
    return 0;
}
