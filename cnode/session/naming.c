/*
 * Names, over the table of functions of the registry: taken one after the other, moved together.
 *
 * One `struct naming` per session while answers are awaited. It outlives its session, for an answer
 * may come when nobody waits for it any more. How it fails: a registration that fails with the
 * second name gives the first one up again; a move that fails is told, and the wisher moves back.
 */
#include "session/naming.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/host.h"
#include "session/words.h"

#define NAMES_MAX      2
#define REGISTER_TRIES 3

struct naming {
    struct operation operation;
    struct hosts *hosts;
    struct session *session; /* NULL: it has ended */
    enum naming_kind kind;
    struct cn_pid target;
    naming_done done;
    struct cn_writer names[NAMES_MAX];
    unsigned count;
    unsigned step;
    unsigned held;
    unsigned tries;
    bool again; /* a later wish has come: start over when the present answer is there */
};

static void naming_step(struct naming *naming);

static void naming_free(struct naming *naming)
{
    if (naming->session != NULL)
        naming->session->naming = NULL;
    operation_end(&naming->operation);
    for (unsigned i = 0; i < NAMES_MAX; i++)
        cn_writer_free(&naming->names[i]);
    mem_free(naming);
}

static void naming_release(struct operation *operation)
{
    naming_free(container_of(operation, struct naming, operation));
}

static void unregister(struct naming *naming, unsigned step)
{
    const struct session_names *names = &naming->hosts->names;

    names->unregister_name(names->context, cn_writer_term(&naming->names[step]), &naming->target);
}

static void finish(struct naming *naming, int error, const struct cn_pid *holder)
{
    struct naming_result result = {.error = error,
                                   .of_code = naming->step == 1,
                                   .holder = holder,
                                   .names = naming->count,
                                   .held = naming->held};
    struct session *session = naming->session;
    naming_done done = naming->done;

    /* An error that is no answer may hide a success: that name is given up as well. */
    if (error != 0 && naming->kind == NAMING_REGISTER)
        for (unsigned i = 0; i < naming->step + (error == CN_E_TAKEN ? 0 : 1); i++)
            unregister(naming, i);
    naming_free(naming);
    if (session != NULL && done != NULL)
        done(session, &result);
}

/* The session has ended: what it has just got is given up. */
static void clean_up(struct naming *naming, int result)
{
    if (naming->kind == NAMING_REGISTER)
        for (unsigned i = 0; i < naming->step + (result == 0 ? 1 : 0); i++)
            unregister(naming, i);
    naming_free(naming);
}

static bool start_over(struct naming *naming)
{
    if (!naming->again)
        return false;
    naming->again = false;
    naming->step = 0;
    naming->tries = 0;
    naming->held = 0;
    naming_step(naming);
    return true;
}

static void holder_found(void *context, int result, const struct cn_pid *pid)
{
    struct naming *naming = context;

    if (naming->session == NULL)
        clean_up(naming, CN_E_TAKEN);
    else if (start_over(naming))
        return;
    else if (pid == NULL && result == 0 && ++naming->tries < REGISTER_TRIES)
        naming_step(naming); /* whoever had it is gone: ask for it once more */
    else
        finish(naming, CN_E_TAKEN, pid);
}

static void find_holder(struct naming *naming)
{
    const struct session_names *names = &naming->hosts->names;
    int error = names->whereis_name(names->context, cn_writer_term(&naming->names[naming->step]),
                                    holder_found, naming);

    if (error != 0)
        finish(naming, CN_E_TAKEN, NULL);
}

static void step_done(void *context, int result, const struct cn_pid *pid)
{
    struct naming *naming = context;

    if (naming->session == NULL) {
        clean_up(naming, result);
    } else if (start_over(naming)) {
        return;
    } else if (result == 0) {
        naming->step = naming->kind == NAMING_MOVE ? naming->count : naming->step + 1;
        naming_step(naming);
    } else if (result == CN_E_TAKEN && pid == NULL) {
        find_holder(naming);
    } else {
        finish(naming, result, pid);
    }
}

static int move_all(struct naming *naming)
{
    const struct session_names *names = &naming->hosts->names;
    struct session_move moves[NAMES_MAX];

    for (unsigned i = 0; i < naming->count; i++)
        moves[i] = (struct session_move){cn_writer_term(&naming->names[i]), naming->target};
    return names->move_names(names->context, moves, naming->count, step_done, naming);
}

static void looked(void *context, int result, const struct cn_pid *pid)
{
    struct naming *naming = context;

    if (naming->session == NULL) {
        clean_up(naming, result);
    } else if (start_over(naming)) {
        return;
    } else if (result != 0) {
        finish(naming, result, NULL);
    } else {
        naming->held += pid != NULL && cn_pid_equal(pid, &naming->target) ? 1 : 0;
        naming->step++;
        naming_step(naming);
    }
}

static void naming_step(struct naming *naming)
{
    const struct session_names *names = &naming->hosts->names;
    struct cn_term name;
    int error;

    if (naming->step == naming->count) {
        naming->step = 0;
        finish(naming, 0, NULL);
        return;
    }
    name = cn_writer_term(&naming->names[naming->step]);
    if (naming->kind == NAMING_LOOK)
        error = names->whereis_name(names->context, name, looked, naming);
    else if (naming->kind == NAMING_REGISTER)
        error = names->register_name(names->context, name, &naming->target, step_done, naming);
    else
        error = move_all(naming);
    if (error != 0)
        step_done(naming, error, NULL);
}

/* Write the terms of the names of @session. Returns how many, or -ENOMEM. */
static int write_names(const struct session *session, struct cn_writer *names)
{
    const struct cn_game *game = session->hosts->game;

    for (unsigned i = 0; i < NAMES_MAX; i++)
        cn_writer_init(&names[i], 0);
    words_name(&names[0], game->id_registry, session_id(session));
    if (session->code_size > 0)
        words_name(&names[1], game->join_code_registry, session_code(session));
    if (cn_writer_error(&names[0]) != 0 || cn_writer_error(&names[1]) != 0) {
        cn_writer_free(&names[0]);
        cn_writer_free(&names[1]);
        return -ENOMEM;
    }
    return session->code_size > 0 ? 2 : 1;
}

static struct naming *naming_new(struct session *session)
{
    struct naming *naming = mem_zalloc(sizeof(*naming));
    int count;

    if (naming == NULL)
        return NULL;
    count = write_names(session, naming->names);
    if (count < 0) {
        mem_free(naming);
        return NULL;
    }
    naming->count = (unsigned)count;
    naming->hosts = session->hosts;
    naming->session = session;
    operation_begin(session->hosts, &naming->operation, naming_release);
    return naming;
}

int naming_wish(struct session *session, enum naming_kind kind, const struct cn_pid *target,
                naming_done done)
{
    struct naming *naming = session->naming;
    bool waiting = naming != NULL;

    if (!session->hosts->has_names || session->hosts->closing) {
        if (done != NULL)
            done(session, &(struct naming_result){.error = 0});
        return 0;
    }
    if (!waiting)
        naming = naming_new(session);
    if (naming == NULL)
        return -ENOMEM;
    session->naming = naming;
    naming->kind = kind;
    naming->target = *target;
    naming->done = done;
    naming->again = waiting;
    if (!waiting)
        naming_step(naming);
    return 0;
}

/* Unregister or adopt all names of @session: without memory the registry learns it from the
 * process' end. */
static void each_name(struct session *session, void (*function)(void *context, struct cn_term name,
                                                                const struct cn_pid *pid))
{
    struct cn_writer names[NAMES_MAX];
    int count;

    if (!session->hosts->has_names || session->hosts->closing || function == NULL)
        return;
    count = write_names(session, names);
    for (int i = 0; i < count; i++) {
        function(session->hosts->names.context, cn_writer_term(&names[i]), session_pid(session));
        cn_writer_free(&names[i]);
    }
}

void naming_session_ends(struct session *session)
{
    if (session->naming != NULL) {
        session->naming->session = NULL;
        session->naming->done = NULL;
        session->naming = NULL;
    }
    if (session->owns_names)
        each_name(session, session->hosts->names.unregister_name);
}

void naming_adopt(struct session *session)
{
    each_name(session, session->hosts->names.adopt_name);
}
