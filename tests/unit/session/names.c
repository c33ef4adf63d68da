/*
 * The shared table of names of tests: see names.h.
 *
 * Names are kept as shown text, which makes tests readable; answers always come later, as those of
 * a real registry do. More than NAMES_MAX names abort the test.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "unit/proc/world.h"
#include "unit/session/names.h"

static struct name *find(struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->names[i].text, text) == 0)
            return &names->names[i];
    cn_assert(names->count < NAMES_MAX);
    (void)snprintf(names->names[names->count].text, sizeof(names->names[0].text), "%s", text);
    return &names->names[names->count++];
}

static int answer(struct names *names, session_names_done done, void *context, int result,
                  const struct cn_pid *pid)
{
    struct name_answer *waiting = &names->answers[names->answers_count++];

    cn_assert(names->answers_count < NAMES_MAX);
    *waiting = (struct name_answer){.done = done, .context = context, .result = result};
    waiting->has_pid = pid != NULL;
    if (pid != NULL)
        waiting->pid = *pid;
    return 0;
}

static int register_name(void *context, struct cn_term term, const struct cn_pid *pid,
                         session_names_done done, void *done_context)
{
    struct names *names = context;
    struct name *name = find(names, show(term));

    if (names->fail_next != 0)
        return answer(names, done, done_context, names->fail_next, NULL);
    if (name->held)
        return answer(names, done, done_context, CN_E_TAKEN, names->unsure ? NULL : &name->pid);
    name->held = true;
    name->pid = *pid;
    return answer(names, done, done_context, 0, NULL);
}

static int move_names(void *context, const struct session_move *moves, size_t count,
                      session_names_done done, void *done_context)
{
    struct names *names = context;

    if (names->fail_next != 0)
        return answer(names, done, done_context, names->fail_next, NULL);
    for (size_t i = 0; i < count && !names->stay; i++) {
        struct name *name = find(names, show(moves[i].name));

        name->held = true;
        name->pid = moves[i].pid;
    }
    return answer(names, done, done_context, 0, NULL);
}

static int whereis_name(void *context, struct cn_term term, session_names_done done,
                        void *done_context)
{
    struct name *name = find(context, show(term));

    return answer(context, done, done_context, 0, name->held ? &name->pid : NULL);
}

static void unregister_name(void *context, struct cn_term term, const struct cn_pid *pid)
{
    struct name *name = find(context, show(term));

    if (name->held && cn_pid_equal(&name->pid, pid))
        name->held = false;
}

static void adopt_name(void *context, struct cn_term term, const struct cn_pid *pid)
{
    struct names *names = context;

    names->adopted++;
}

void names_functions(struct names *names, struct session_names *ret_functions)
{
    *ret_functions = (struct session_names){
        .context = names,
        .register_name = register_name,
        .move_names = move_names,
        .whereis_name = whereis_name,
        .unregister_name = unregister_name,
        .adopt_name = adopt_name,
    };
}

bool names_step(struct names *names)
{
    struct name_answer first;

    if (names->hold || names->answers_count == 0)
        return false;
    first = names->answers[0];
    names->answers_count--;
    memmove(&names->answers[0], &names->answers[1], names->answers_count * sizeof(first));
    first.done(first.context, first.result, first.has_pid ? &first.pid : NULL);
    return true;
}

static struct name *find_key(struct names *names, const char *registry, const char *key)
{
    char text[160];

    (void)snprintf(text, sizeof(text), "{%s,<<%s>>}", registry, key);
    return find(names, text);
}

const struct cn_pid *names_holder(struct names *names, const char *registry, const char *key)
{
    struct name *name = find_key(names, registry, key);

    return name->held ? &name->pid : NULL;
}

void names_forget_answers(struct names *names)
{
    names->answers_count = 0;
}

size_t names_held(const struct names *names)
{
    size_t held = 0;

    for (size_t i = 0; i < names->count; i++)
        held += names->names[i].held ? 1 : 0;
    return held;
}

void names_clear(struct names *names)
{
    memset(names->names, 0, sizeof(names->names));
    names->count = 0;
}

void names_give(struct names *names, const char *registry, const char *key,
                const struct cn_pid *pid)
{
    struct name *name = find_key(names, registry, key);

    name->held = true;
    name->pid = *pid;
}
