/*
 * Node names: checked byte by byte, since they come from strangers and end in log lines.
 */
#include "dist/node_name.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

bool node_name_valid(const void *text, size_t size)
{
    const unsigned char *bytes = text;
    size_t at = 0;
    size_t at_count = 0;

    if (size < 3 || size > CN_NODE_NAME_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~')
            return false;
        if (bytes[i] == '@') {
            at = i;
            at_count++;
        }
    }
    return at_count == 1 && at > 0 && at < size - 1;
}

int node_name_parse(const char *text, struct node_name *ret_name)
{
    size_t size = strnlen(text, CN_NODE_NAME_MAX + 1);
    size_t alive_size;
    struct node_name name;

    if (!node_name_valid(text, size))
        return CN_E_INVALID;
    alive_size = (size_t)(strchr(text, '@') - text);
    text_copy_bytes(name.full, sizeof(name.full), text, size);
    text_copy_bytes(name.alive, sizeof(name.alive), text, alive_size);
    text_copy_bytes(name.host, sizeof(name.host), text + alive_size + 1, size - alive_size - 1);
    name.is_long = strpbrk(name.host, ".:") != NULL;
    *ret_name = name;
    return 0;
}
