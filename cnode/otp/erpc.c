/*
 * Spawn requests, which is how erpc and rpc reach a node since OTP 23.
 *
 * {erpc, execute_call, 4} with [Ref, M, F, A] is a call: the caller monitors the new process and
 * takes the outcome out of its exit reason. {erpc, execute_cast, 3} with [M, F, A] is a
 * cast. Everything else is a spawn of that function itself; one that is not in our table is
 * spawned all the same and ends with undef, as a module that does not exist would on a BEAM.
 *
 * A request that is no M, F, A at all makes its process end with badarg, and so is answered too.
 */
#include <errno.h>

#include "base/error.h"
#include "otp/internal.h"

/* Read the @count elements of a proper list of exactly that many. */
static bool read_elements(struct cn_term list, struct cn_term *elements, uint32_t count)
{
    struct cn_reader reader;
    uint32_t found = 0;

    cn_reader_init(&reader, list);
    if (!cn_read_list(&reader, &found) || found != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_term(&reader, &elements[i]))
            return false;
    }
    return cn_read_nil(&reader);
}

static bool is_erpc(const struct control *request, const char *function, uint32_t arity)
{
    return request->arity == arity && cn_bytes_equal(request->module, "erpc") &&
           cn_bytes_equal(request->function, function);
}

/* Start what was asked for. @names holds atoms for the module and function of a plain spawn. */
static int start(struct functions *functions, const struct control *request,
                 struct cn_term arguments, struct cn_writer *names, struct process **ret_process)
{
    struct cn_term part[4];
    struct apply_request apply = {.kind = APPLY_SPAWN};
    size_t split = 0;

    if (is_erpc(request, "execute_call", 4) && read_elements(arguments, part, 4)) {
        apply = (struct apply_request){APPLY_ERPC, part[0], NULL, part[1], part[2], part[3]};
        return apply_start(functions, &apply, ret_process);
    }
    if (is_erpc(request, "execute_cast", 3) && read_elements(arguments, part, 3)) {
        apply = (struct apply_request){
            .kind = APPLY_SPAWN, .module = part[0], .function = part[1], .arguments = part[2]};
        return apply_start(functions, &apply, ret_process);
    }
    cn_write_atom_bytes(names, request->module);
    split = names->size;
    cn_write_atom_bytes(names, request->function);
    if (cn_writer_error(names) != 0)
        return cn_writer_error(names);
    apply.module = (struct cn_term){names->data, split};
    apply.function = (struct cn_term){names->data + split, names->size - split};
    apply.arguments = arguments;
    return apply_start(functions, &apply, ret_process);
}

int erpc_spawn(void *context, const char *node, const struct control *request,
               struct cn_term arguments)
{
    struct functions *functions = context;
    struct process *process = NULL;
    struct cn_writer names;
    int r = 0;

    cn_writer_init(&names, 0);
    r = start(functions, request, arguments, &names, &process);
    cn_writer_free(&names);
    if (r != 0) {
        (void)procs_refuse_spawn(functions->procs, node, request, "system_limit");
        return 0;
    }
    r = process_spawned(process, node, request);
    if (r == 0)
        return 0;
    process_exit_atom(process, "kill");
    if (r == CN_E_INVALID || r == CN_E_LIMIT) {
        (void)procs_refuse_spawn(functions->procs, node, request,
                                 r == CN_E_LIMIT ? "system_limit" : "badopt");
        return 0;
    }
    return r == -ENOMEM ? r : 0;
}
