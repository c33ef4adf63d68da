/*
 * A term that is read value by value and written again is the same term.
 *
 * The first writing may change bytes, since a BEAM may choose longer forms than we do; what we
 * write, we write again to the byte. Lists whose bytes came as a string are read both as a whole
 * and element by element.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "etf/walk.h"
#include "unit/etf/support.h"

static void copy(struct cn_term term, bool open_strings, struct cn_writer *writer)
{
    struct cn_reader reader;
    struct cn_term checked;

    cn_reader_init(&reader, term);
    cn_writer_init(writer, 0);
    cn_assert(copy_by_value(&reader, writer, open_strings));
    cn_assert(cn_reader_done(&reader));
    cn_assert(cn_writer_error(writer) == 0);
    cn_assert(etf_check(writer->data, writer->size, NULL, &checked) == 0);
}

static void check(struct cn_term term, bool open_strings)
{
    struct cn_writer once;
    struct cn_writer twice;

    copy(term, open_strings, &once);
    copy(cn_writer_term(&once), open_strings, &twice);
    cn_assert(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    cn_assert(cn_term_equal(term, cn_writer_term(&once)));
    cn_writer_free(&once);
    cn_writer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cn_term term;

    if (etf_check(data, size, NULL, &term) != 0)
        return 0;
    term = fuzz_exact(term);
    check(term, false);
    check(term, true);
    free((void *)(uintptr_t)term.data);
    return 0;
}
