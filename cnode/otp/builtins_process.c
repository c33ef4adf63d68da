/*
 * The processes of this node, as erlang's functions tell of them: a pid of an older incarnation is
 * dead, one of another node is a bad argument.
 *
 * The process in which a function runs is a process too: it is erlang:self/0, and what is sent or
 * raised here comes from it.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "otp/internal.h"
#include "otp/target.h"

/* Returns false when the apply has ended with badarg. */
static bool local_pid(struct apply *apply, struct cn_term term, struct cn_pid *ret_pid)
{
    if (argument_pid(term, ret_pid) && strcmp(ret_pid->node, procs_node(apply_procs(apply))) == 0)
        return true;
    apply_error(apply, "badarg");
    return false;
}

static void return_pid(struct apply *apply, const struct cn_pid *pid)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_pid(&writer, pid);
    apply_return_writer(apply, &writer);
}

void run_self(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_pid(apply, gen_server_pid(apply_server(apply)));
}

void run_alive(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_pid pid;

    if (local_pid(apply, arguments[0], &pid))
        apply_return_atom(apply, procs_find(apply_procs(apply), &pid) != NULL ? "true" : "false");
}

/* erlang:whereis/1 says undefined, Elixir's Process.whereis/1 nil. */
void run_whereis(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_bytes name;
    struct process *process = NULL;

    if (!argument_atom(arguments[0], &name)) {
        apply_error(apply, "badarg");
        return;
    }
    process = procs_whereis(apply_procs(apply), name);
    if (process != NULL)
        return_pid(apply, process_pid(process));
    else
        apply_return_atom(apply, context);
}

/* A list that is visited twice: first its length, while there is no writer, then its elements. */
struct listing {
    struct cn_writer *writer;
    uint32_t length;
};

static void list_name(void *context, const char *name, struct process *process)
{
    struct listing *listing = context;

    if (listing->writer == NULL)
        listing->length++;
    else
        cn_write_atom(listing->writer, name);
}

static void list_process(void *context, struct process *process)
{
    struct listing *listing = context;

    if (listing->writer == NULL)
        listing->length++;
    else
        cn_write_pid(listing->writer, process_pid(process));
}

static void visit_names(struct procs *procs, struct listing *listing)
{
    procs_each_name(procs, list_name, listing);
}

static void visit_processes(struct procs *procs, struct listing *listing)
{
    procs_each(procs, list_process, listing);
}

static void return_list(struct apply *apply, void (*visit)(struct procs *, struct listing *))
{
    struct listing listing = {0};
    struct cn_writer writer;

    visit(apply_procs(apply), &listing);
    if (listing.length > procs_listed_max(apply_procs(apply))) {
        apply_error(apply, "system_limit");
        return;
    }
    cn_writer_init(&writer, 0);
    if (listing.length > 0)
        cn_write_list(&writer, listing.length);
    listing.writer = &writer;
    visit(apply_procs(apply), &listing);
    cn_write_nil(&writer);
    apply_return_writer(apply, &writer);
}

void run_registered(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_list(apply, visit_names);
}

void run_processes(void *context, struct apply *apply, const struct cn_term *arguments)
{
    return_list(apply, visit_processes);
}

/* The process behind a pid argument. Returns false when the apply has ended. */
static bool info_process(struct apply *apply, struct cn_term argument, const char *dead,
                         struct process **ret_process)
{
    struct cn_pid pid;

    if (!local_pid(apply, argument, &pid))
        return false;
    *ret_process = procs_find(apply_procs(apply), &pid);
    if (*ret_process != NULL)
        return true;
    apply_return_atom(apply, dead);
    return false;
}

void run_process_info(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct process *process = NULL;
    struct cn_writer writer;

    if (!info_process(apply, arguments[0], context, &process))
        return;
    cn_writer_init(&writer, 0);
    process_info_write_all(process, &writer);
    apply_return_writer(apply, &writer);
}

void run_process_info_item(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct process *process = NULL;
    struct cn_writer writer;

    if (!info_process(apply, arguments[0], context, &process))
        return;
    cn_writer_init(&writer, 0);
    if (process_info_write(process, arguments[1], &writer)) {
        apply_return_writer(apply, &writer);
        return;
    }
    cn_writer_free(&writer);
    apply_error(apply, "badarg");
}

/* To a name that is not there it is badarg, to all others that are gone it is fine. */
void run_send(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct procs *procs = apply_procs(apply);
    struct process *self = gen_server_process(apply_server(apply));
    struct target target;

    if (target_read(arguments[0], &target) != 0 ||
        (target.dest.kind == DEST_NAME && target.dest.node == NULL &&
         target_find(procs, &target) == NULL)) {
        apply_error(apply, "badarg");
        return;
    }
    if (procs_send(procs, self, &target.dest, arguments[1]) == -ENOMEM)
        apply_error(apply, "system_limit");
    else
        apply_return(apply, arguments[1]);
}

void run_exit_signal(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct process *self = gen_server_process(apply_server(apply));
    struct cn_pid pid;

    if (!argument_pid(arguments[0], &pid)) {
        apply_error(apply, "badarg");
        return;
    }
    (void)procs_exit_signal(apply_procs(apply), self, &pid, arguments[1]);
    apply_return_atom(apply, "true");
}

/* erlang:error/1, exit/1 and throw/1: the name is the class. */
void run_raise(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_raise(apply, context, arguments[0]);
}
