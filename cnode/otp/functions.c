/*
 * The table of functions.
 *
 * One map from module, name and arity. There is no other way to run anything here from outside:
 * what a peer names is only looked up, never built into something.
 */
#include "otp/functions.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "otp/internal.h"

#define NAME_BYTES_MAX 255
#define KEY_BYTES_MAX  (2 * (NAME_BYTES_MAX + 1) + sizeof(uint32_t))

/* A function and its key: module, 0, name, 0, arity. */
struct function_entry {
    struct map_handle hh;
    struct function function;
    size_t key_size;
    uint8_t key[];
};

/* Returns the size of the key; 0 when a name is too long to be anybody's. */
static size_t key_make(uint8_t *key, struct cn_bytes module, struct cn_bytes name, uint32_t arity)
{
    size_t at = 0;

    if (module.size > NAME_BYTES_MAX || name.size > NAME_BYTES_MAX)
        return 0;
    memcpy(key, module.data, module.size);
    at = module.size;
    key[at++] = 0;
    memcpy(key + at, name.data, name.size);
    at += name.size;
    key[at++] = 0;
    memcpy(key + at, &arity, sizeof(arity));
    return at + sizeof(arity);
}

static struct function_entry *entry_find(const struct functions *functions, const uint8_t *key,
                                         size_t size)
{
    struct function_entry *entry = NULL;

    map_find(functions->table, key, size, entry);
    return entry;
}

const struct function *functions_find(const struct functions *functions, struct cn_bytes module,
                                      struct cn_bytes name, uint32_t arity)
{
    uint8_t key[KEY_BYTES_MAX];
    size_t size = key_make(key, module, name, arity);
    struct function_entry *entry = size > 0 ? entry_find(functions, key, size) : NULL;

    return entry != NULL ? &entry->function : NULL;
}

static int add_one(struct functions *functions, const struct function *function)
{
    uint8_t key[KEY_BYTES_MAX];
    struct cn_bytes module = {(const uint8_t *)function->module, strlen(function->module)};
    struct cn_bytes name = {(const uint8_t *)function->name, strlen(function->name)};
    size_t size = key_make(key, module, name, function->arity);
    struct function_entry *entry = NULL;

    if (size == 0)
        return -EINVAL;
    if (entry_find(functions, key, size) != NULL)
        return CN_E_TAKEN;
    entry = mem_zalloc(sizeof(*entry) + size);
    if (entry == NULL)
        return -ENOMEM;
    entry->function = *function;
    entry->key_size = size;
    memcpy(entry->key, key, size);
    if (!map_add(functions->table, entry->key, size, entry)) {
        mem_free(entry);
        return -ENOMEM;
    }
    return 0;
}

int functions_add(struct functions *functions, const struct function *table, size_t count)
{
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = add_one(functions, &table[i]);
    return r;
}

static void table_free(struct functions *functions)
{
    struct function_entry *entry = NULL;
    struct function_entry *next = NULL;

    map_for_each(functions->table, entry, next)
    {
        map_remove(functions->table, entry);
        mem_free(entry);
    }
}

int functions_new(struct procs *procs, struct functions **ret_functions)
{
    struct functions *functions = mem_zalloc(sizeof(*functions));
    int r = 0;

    if (functions == NULL)
        return -ENOMEM;
    functions->procs = procs;
    list_init(&functions->applies);
    r = builtins_add(functions);
    if (r == 0)
        r = net_kernel_start(procs);
    if (r == 0)
        r = rex_start(functions);
    if (r != 0) {
        table_free(functions);
        mem_free(functions);
        return r;
    }
    /* Nothing can fail below. */
    procs_set_spawn_handler(procs, erpc_spawn, functions);
    *ret_functions = functions;
    return 0;
}

struct functions *functions_free(struct functions *functions)
{
    if (functions == NULL)
        return NULL;
    applies_free(functions);
    table_free(functions);
    mem_free(functions);
    return NULL;
}

void functions_set_hooks(struct functions *functions, const struct functions_hooks *hooks)
{
    functions->hooks = *hooks;
}
