/*
 * Answers: who asked, and where the answer goes.
 *
 * Since OTP 24 a caller puts an alias into its tag, [alias | Ref], or [[alias | Ref] | X] for a
 * multi_call: the answer then goes to the alias, so that one that comes too late vanishes at the
 * caller's node. The tag is sent back as it came. A peer to whom no alias can be sent gets the
 * answer at the caller's pid.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "otp/gen_server.h"

#define LARGE_BYTES 65536 /* from which on a reply is rather shared than copied */

int gen_from_read(struct cn_term term, struct gen_from *ret_from)
{
    struct cn_reader reader;
    struct gen_from from;

    cn_reader_init(&reader, term);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_pid(&reader, &from.pid) ||
        !cn_read_term(&reader, &from.tag))
        return CN_E_INVALID;
    *ret_from = from;
    return 0;
}

/* Read [alias | Ref]. */
static bool read_alias(struct cn_reader *reader, struct cn_ref *ret_ref)
{
    uint32_t count = 0;

    return cn_read_list(reader, &count) && count == 1 && cn_read_this_atom(reader, "alias") &&
           cn_read_ref(reader, ret_ref);
}

static bool tag_alias(struct cn_term tag, struct cn_ref *ret_ref)
{
    struct cn_reader reader;
    uint32_t count = 0;

    cn_reader_init(&reader, tag);
    if (read_alias(&reader, ret_ref))
        return true;
    cn_reader_init(&reader, tag);
    return cn_read_list(&reader, &count) && count == 1 && read_alias(&reader, ret_ref);
}

bool gen_from_tag(const struct gen_from *from, struct cn_ref *ret_tag)
{
    struct cn_reader reader;

    if (tag_alias(from->tag, ret_tag))
        return true;
    cn_reader_init(&reader, from->tag);
    return cn_read_ref(&reader, ret_tag);
}

/* @body NULL: @message is whole. */
static int send_reply(struct procs *procs, const struct gen_from *from, struct cn_term message,
                      struct etf_body *body)
{
    struct dest dest = {.kind = DEST_ALIAS};
    int r = -ENOTSUP;

    if (tag_alias(from->tag, &dest.alias))
        r = procs_send_shared(procs, NULL, &dest, message, body);
    if (r != -ENOTSUP)
        return r;
    dest = (struct dest){.kind = DEST_PID, .pid = from->pid};
    return procs_send_shared(procs, NULL, &dest, message, body);
}

int gen_reply(struct procs *procs, const struct gen_from *from, struct cn_term reply)
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_term(&writer, from->tag);
    cn_write_term(&writer, reply);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = send_reply(procs, from, cn_writer_term(&writer), NULL);
    cn_writer_free(&writer);
    return r;
}

int gen_reply_shared(struct procs *procs, const struct gen_from *from, struct etf_body *reply)
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_term(&writer, from->tag);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = send_reply(procs, from, cn_writer_term(&writer), reply);
    cn_writer_free(&writer);
    return r;
}

int gen_reply_written(struct procs *procs, const struct gen_from *from, struct cn_writer *reply)
{
    struct etf_body *body = NULL;
    int r = 0;

    if (cn_writer_term(reply).size < LARGE_BYTES)
        r = gen_reply(procs, from, cn_writer_term(reply));
    else
        r = etf_body_new(reply, &body);
    if (body != NULL)
        r = gen_reply_shared(procs, from, body);
    etf_body_put(body);
    cn_writer_free(reply);
    return r;
}

struct gen_from *gen_from_copy(const struct gen_from *from)
{
    struct gen_from *copy = mem_zalloc(sizeof(*copy));

    if (copy == NULL)
        return NULL;
    copy->pid = from->pid;
    copy->tag.size = from->tag.size;
    copy->tag.data = mem_dup(from->tag.data, from->tag.size);
    if (copy->tag.data == NULL) {
        mem_free(copy);
        return NULL;
    }
    return copy;
}

struct gen_from *gen_from_free(struct gen_from *from)
{
    if (from == NULL)
        return NULL;
    mem_free((void *)(uintptr_t)from->tag.data);
    mem_free(from);
    return NULL;
}

int gen_cast(struct procs *procs, const struct process *from, const struct dest *dest,
             struct cn_term message)
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "$gen_cast");
    cn_write_term(&writer, message);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = procs_send(procs, from, dest, cn_writer_term(&writer));
    cn_writer_free(&writer);
    return r;
}
