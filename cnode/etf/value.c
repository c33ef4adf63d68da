/*
 * Small questions about texts, terms, pids and references.
 *
 * Pids and references compare by all that names them, creation included: the same number of an
 * earlier life of a node is somebody else.
 */
#include <cnode/term.h>

#include <string.h>

bool cn_bytes_equal(struct cn_bytes text, const char *expected)
{
    return text.size == strlen(expected) &&
           (text.size == 0 || memcmp(text.data, expected, text.size) == 0);
}

bool cn_term_is_atom(struct cn_term term, const char *text)
{
    struct cn_reader reader;
    struct cn_bytes found;

    cn_reader_init(&reader, term);
    return cn_read_atom(&reader, &found) && cn_reader_done(&reader) && cn_bytes_equal(found, text);
}

bool cn_map_get(struct cn_term map, const char *key, struct cn_term *ret_value)
{
    struct cn_reader reader;
    struct cn_bytes text;
    uint32_t count;

    cn_reader_init(&reader, map);
    if (!cn_read_map(&reader, &count))
        return false;
    for (; count > 0; count--) {
        bool found = false;

        if (cn_peek(&reader) == CN_TYPE_ATOM)
            found = cn_read_atom(&reader, &text) && cn_bytes_equal(text, key);
        else
            (void)cn_skip(&reader);
        if (found)
            return cn_read_term(&reader, ret_value);
        if (!cn_skip(&reader))
            return false;
    }
    return false;
}

bool cn_pid_equal(const struct cn_pid *a, const struct cn_pid *b)
{
    return a->id == b->id && a->serial == b->serial && a->creation == b->creation &&
           strcmp(a->node, b->node) == 0;
}

bool cn_ref_equal(const struct cn_ref *a, const struct cn_ref *b)
{
    return a->count == b->count && a->count <= sizeof(a->words) / sizeof(a->words[0]) &&
           memcmp(a->words, b->words, a->count * sizeof(a->words[0])) == 0 &&
           a->creation == b->creation && strcmp(a->node, b->node) == 0;
}
