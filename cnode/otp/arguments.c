/*
 * What functions read from their arguments, and write, again and again. What is of another type is
 * told by false, for the caller to answer with badarg.
 */
#include <string.h>

#include "otp/internal.h"

bool argument_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_pid(&reader, ret_pid);
}

bool argument_atom(struct cn_term term, struct cn_bytes *ret_text)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_atom(&reader, ret_text);
}

bool argument_each(struct cn_term term, bool (*visit)(void *context, struct cn_term element),
                   void *context)
{
    struct cn_reader reader;
    struct cn_term element;
    uint32_t count = 0;

    cn_reader_init(&reader, term);
    if (cn_peek(&reader) != CN_TYPE_LIST)
        return visit(context, term);
    if (!cn_read_list(&reader, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_term(&reader, &element) || !visit(context, element))
            return false;
    }
    return count == 0 || cn_read_nil(&reader);
}

void write_text(struct cn_writer *writer, const char *text)
{
    size_t size = strlen(text);

    if (size > 0)
        cn_write_list(writer, (uint32_t)size);
    for (size_t i = 0; i < size; i++)
        cn_write_integer(writer, (uint8_t)text[i]);
    cn_write_nil(writer);
}
