/*
 * Bodies.
 *
 * The texts of the atoms are views into the plain term, which the body keeps as long as it lives.
 * What was written with words is the indexed form already, unless something else came between
 * (a field that nobody here knows): then the plain form is made of it, and from that a table of all
 * its atoms, so that such a state, too, is sent by number. What is large and mostly bytes keeps its
 * atoms as texts: then both forms are one.
 */
#include "etf/body.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/list.h"
#include "etf/head.h"
#include "etf/index.h"
#include "etf/writer.h"

#define TABLE_SIZE       512 /* more than twice the atoms: a power of two */
#define LARGE_BYTES      65536
#define LARGE_HEAD_BYTES 1024 /* bytes that a head has on the average where bytes are most */

/* The atoms found so far, and where in them to look. */
struct finding {
    uint32_t count;
    struct etf_body_atom atoms[ETF_BODY_ATOMS_MAX];
    uint8_t table[TABLE_SIZE]; /* index + 1; 0: nothing */
};

static void release(struct shared *shared)
{
    struct etf_body *body = container_of(shared, struct etf_body, shared);

    if (body->indexed.data != body->plain.data)
        mem_free((void *)(uintptr_t)body->indexed.data);
    mem_free((void *)(uintptr_t)body->plain.data);
    mem_free(body->atoms);
    mem_free(body);
}

/* Give what a writer with words holds as a plain term. */
static int expand(const struct cn_writer *from, struct cn_term *ret_plain)
{
    struct cn_writer writer;
    int rc;

    cn_writer_init(&writer, 0);
    cn_write_written(&writer, from);
    rc = cn_writer_error(&writer);
    if (rc == 0)
        *ret_plain = cn_writer_term(&writer); /* the writer's memory is the caller's now */
    else
        cn_writer_free(&writer);
    return rc;
}

/* Give the body the term of the writer, in the form in which it is useful. */
static int take_term(struct etf_body *body, struct cn_writer *writer)
{
    struct cn_term term = cn_writer_term(writer);
    int rc = 0;

    if (writer->words == NULL) {
        body->plain = term;
    } else if (writer->mixed) {
        rc = expand(writer, &body->plain);
        if (rc == 0)
            mem_free(writer->data);
    } else {
        body->indexed = term;
        body->words = writer->words;
        body->atom_count = writer->words->count;
    }
    return rc;
}

int etf_body_new(struct cn_writer *writer, struct etf_body **ret_body)
{
    struct etf_body *body;
    int rc;

    if (cn_writer_term(writer).size == 0)
        return cn_writer_error(writer) == -ENOMEM ? -ENOMEM : -EINVAL;
    body = mem_zalloc(sizeof(*body));
    if (body == NULL)
        return -ENOMEM;
    shared_init(&body->shared, release);
    rc = take_term(body, writer);
    if (rc != 0) {
        mem_free(body);
        return rc;
    }
    *writer = (struct cn_writer){.size_max = writer->size_max, .words = writer->words};
    *ret_body = body;
    return 0;
}

int etf_body_plain(struct etf_body *body)
{
    struct cn_writer from = {.data = (uint8_t *)(uintptr_t)body->indexed.data,
                             .size = body->indexed.size,
                             .words = body->words};

    return body->plain.size > 0 ? 0 : expand(&from, &body->plain);
}

int etf_body_join(struct cn_writer *writer, struct cn_term start, struct etf_body *body)
{
    int rc = etf_body_plain(body);

    if (rc != 0)
        return rc;
    etf_write_raw(writer, start.data, start.size);
    etf_write_raw(writer, body->plain.data, body->plain.size);
    return cn_writer_error(writer);
}

struct etf_body *etf_body_put(struct etf_body *body)
{
    if (body != NULL)
        shared_put(&body->shared);
    return NULL;
}

static int find(void *context, struct cn_bytes text)
{
    struct finding *finding = context;
    uint32_t hash = etf_atom_hash(text);
    uint32_t place = hash % TABLE_SIZE;

    for (; finding->table[place] != 0; place = (place + 1) % TABLE_SIZE) {
        const struct etf_body_atom *atom = &finding->atoms[finding->table[place] - 1];

        if (atom->hash == hash && atom->text.size == text.size &&
            memcmp(atom->text.data, text.data, text.size) == 0)
            return finding->table[place] - 1;
    }
    if (finding->count == ETF_BODY_ATOMS_MAX)
        return -1;
    finding->atoms[finding->count] = (struct etf_body_atom){text, hash};
    finding->table[place] = (uint8_t)++finding->count;
    return (int)finding->count - 1;
}

/*
 * Tell whether a large term is mostly bytes, such as a binary: numbers for its atoms would not be
 * worth a copy of it. Looks at so many heads only.
 */
static bool is_mostly_bytes(struct cn_term term)
{
    struct etf_head head;
    size_t heads = 0;

    if (term.size < LARGE_BYTES)
        return false;
    for (size_t at = 0; at < term.size; at += head.size) {
        if (++heads > term.size / LARGE_HEAD_BYTES)
            return false;
        if (etf_head_pass(term.data + at, term.size - at, &head) != 0)
            return false;
    }
    return true;
}

static int index_atoms(struct etf_body *body)
{
    struct finding finding = {.count = 0};
    struct cn_writer writer;
    struct etf_body_atom *atoms;
    int rc;

    cn_writer_init(&writer, 0);
    rc = etf_index(body->plain.data, body->plain.size, find, &finding, &writer);
    atoms = rc == 0 ? mem_dup(finding.atoms, finding.count * sizeof(*atoms)) : NULL;
    if (atoms == NULL) {
        cn_writer_free(&writer);
        return rc == 0 ? -ENOMEM : rc;
    }
    body->indexed = cn_writer_term(&writer); /* the writer's memory is the body's now */
    body->atoms = atoms;
    body->atom_count = finding.count;
    return 0;
}

int etf_body_index(struct etf_body *body)
{
    if (body->indexed.size > 0)
        return 0;
    if (!is_mostly_bytes(body->plain))
        return index_atoms(body);
    body->indexed = body->plain; /* with a table of no atoms */
    return 0;
}
