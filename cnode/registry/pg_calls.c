/*
 * What a scope is called for: what pg's functions ask of the scope of their own node.
 *
 * Anybody may ask, from any node: a C node has no shell of its own. {join_local, Group, Pids},
 * {leave_local, Group, Pids}, monitor, {monitor, Group} and {demonitor, Ref} are answered as OTP
 * answers them; what OTP would end its scope for, a process of another node say, is
 * {error, badarg}.
 */
#include "base/error.h"
#include "registry/pg_internal.h"

static bool answer_join(struct pg *pg, struct cn_term group, struct cn_term pids,
                        struct cn_writer *answer)
{
    if (pg_join_pids(pg, group, pids) != 0)
        return false;
    cn_write_atom(answer, "ok");
    return true;
}

static bool answer_leave(struct pg *pg, struct cn_term group, struct cn_term pids,
                         struct cn_writer *answer)
{
    int r = pg_leave_pids(pg, group, pids);

    if (r != 0 && r != CN_E_UNKNOWN)
        return false;
    cn_write_atom(answer, r == 0 ? "ok" : "not_joined");
    return true;
}

static bool answer_monitor(struct pg *pg, const struct cn_pid *caller, const struct cn_term *group,
                           struct cn_writer *answer)
{
    struct cn_ref ref;

    if (pg_monitor(pg, caller, group, &ref) != 0)
        return false;
    cn_write_tuple(answer, 2);
    cn_write_ref(answer, &ref);
    if (group != NULL)
        pg_write_members(pg, *group, false, answer);
    else
        pg_write_all(pg, answer);
    return true;
}

static bool answer_demonitor(struct pg *pg, struct cn_term term, struct cn_writer *answer)
{
    struct cn_reader reader;
    struct cn_ref ref;

    cn_reader_init(&reader, term);
    if (cn_peek(&reader) != CN_TYPE_REF || !cn_read_ref(&reader, &ref))
        return false;
    cn_write_atom(answer, pg_demonitor(pg, &ref) ? "ok" : "false");
    return true;
}

/* False: it is none of pg's requests, or could not be done. */
static bool answer_call(struct pg *pg, const struct cn_pid *caller, struct cn_term request,
                        struct cn_writer *answer)
{
    struct cn_reader reader;
    struct cn_bytes verb = {0};
    struct cn_term first;
    struct cn_term second;
    uint32_t arity = 0;

    if (cn_term_is_atom(request, "monitor"))
        return answer_monitor(pg, caller, NULL, answer);
    cn_reader_init(&reader, request);
    if (cn_peek(&reader) != CN_TYPE_TUPLE || !cn_read_tuple(&reader, &arity) || arity < 2 ||
        !cn_read_atom(&reader, &verb) || !cn_read_term(&reader, &first))
        return false;
    if (arity == 2 && cn_bytes_equal(verb, "monitor"))
        return answer_monitor(pg, caller, &first, answer);
    if (arity == 2)
        return cn_bytes_equal(verb, "demonitor") && answer_demonitor(pg, first, answer);
    if (arity != 3 || !cn_read_term(&reader, &second))
        return false;
    if (cn_bytes_equal(verb, "join_local"))
        return answer_join(pg, first, second, answer);
    return cn_bytes_equal(verb, "leave_local") && answer_leave(pg, first, second, answer);
}

void pg_handle_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    const struct pg_box *box = state;
    struct cn_writer answer;

    if (box->pg == NULL)
        return;
    cn_writer_init(&answer, 0);
    if (!answer_call(box->pg, &from->pid, request, &answer)) {
        cn_writer_reset(&answer);
        cn_write_tuple(&answer, 2);
        cn_write_atom(&answer, "error");
        cn_write_atom(&answer, "badarg");
    }
    if (cn_writer_error(&answer) == 0)
        (void)gen_reply_written(gen_server_procs(self), from, &answer);
    cn_writer_free(&answer);
}
