/*
 * Registered names: one process each, gone when it ends.
 *
 * A process may have several, which a BEAM does not allow; it costs nothing and a host of many
 * protocols wants it.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "proc/internal.h"

#define NAME_BYTES_MAX 255

static struct name *name_find(struct procs *procs, const void *text, size_t size)
{
    struct name *name = NULL;

    map_find(procs->names, text, size, name);
    return name;
}

static void name_free(struct procs *procs, struct name *name)
{
    struct name **place = &name->process->names;

    while (*place != name)
        place = &(*place)->next;
    *place = name->next;
    map_remove(procs->names, name);
    mem_free(name);
}

/* Errors: -ENOMEM, with the table unchanged. */
static int name_add(struct process *process, const char *text, size_t size)
{
    struct procs *procs = process->procs;
    struct name *name = mem_zalloc(sizeof(*name) + size + 1);

    if (name == NULL)
        return -ENOMEM;
    memcpy(name->text, text, size);
    name->process = process;
    if (!map_add(procs->names, name->text, size, name)) {
        mem_free(name);
        return -ENOMEM;
    }
    name->next = process->names;
    process->names = name;
    return 0;
}

int process_register(struct process *self, const char *name)
{
    struct procs *procs = self->procs;
    size_t size = strlen(name);

    if (size == 0 || size > NAME_BYTES_MAX || strcmp(name, "undefined") == 0)
        return -EINVAL;
    if (name_find(procs, name, size) != NULL)
        return CN_E_TAKEN;
    if (map_count(procs->names) >= procs->limits.names_max)
        return CN_E_LIMIT;
    return name_add(self, name, size);
}

void process_unregister(struct process *self, const char *name)
{
    struct name *found = name_find(self->procs, name, strlen(name));

    if (found != NULL && found->process == self)
        name_free(self->procs, found);
}

struct process *procs_whereis(struct procs *procs, struct cn_bytes name)
{
    struct name *found = name_find(procs, name.data, name.size);

    return found != NULL && !found->process->exiting ? found->process : NULL;
}

void procs_each_name(struct procs *procs,
                     void (*visit)(void *context, const char *name, struct process *process),
                     void *context)
{
    struct name *name = NULL;
    struct name *next = NULL;

    map_for_each(procs->names, name, next)
    {
        if (!name->process->exiting)
            visit(context, name->text, name->process);
    }
}

const char *process_name(const struct process *self)
{
    return self->names != NULL ? self->names->text : NULL;
}

void names_drop(struct process *process)
{
    while (process->names != NULL)
        name_free(process->procs, process->names);
}
