/*
 * A sending side and a decoder, with an outbox between them: one at a time, so that tests need
 * not pass it around. Whatever is not as it must be fails the test.
 */
#include "wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "dist/flags.h"

struct wire wire;

const uint64_t wire_flags[WIRE_FORMS] = {
    FLAGS_OURS,
    FLAGS_OURS & ~FLAG_FRAGMENTS,
    FLAGS_OURS & ~FLAG_DIST_HDR_ATOM_CACHE,
    FLAGS_OURS & ~(FLAG_FRAGMENTS | FLAG_DIST_HDR_ATOM_CACHE),
};

void wire_start(uint64_t flags)
{
    outbox_init(&wire.outbox, 1 << 26);
    encoder_scratch_init(&wire.scratch);
    sender_init(&wire.sender, &wire.outbox, flags, &wire.scratch);
    decoder_scratch_init(&wire.decoding);
    decoder_init(&wire.decoder, flags, 0, &wire.decoding);
}

void wire_stop(void)
{
    sender_deinit(&wire.sender);
    encoder_scratch_deinit(&wire.scratch);
    outbox_deinit(&wire.outbox);
    decoder_deinit(&wire.decoder);
    decoder_scratch_deinit(&wire.decoding);
}

struct control wire_control(enum control_op op)
{
    struct control control = {.op = op,
                              .has_from = true,
                              .from = {.id = 1, .creation = 2, .node = "a@a"},
                              .to = {.id = 3, .creation = 4, .node = "b@b"},
                              .ref = {.count = 1, .creation = 2, .node = "a@a"},
                              .id = 9};

    return control;
}

uint8_t *wire_take_frame(size_t *ret_size)
{
    struct cn_bytes pieces[64];
    size_t count = outbox_view(&wire.outbox, pieces, 64);
    uint8_t head[4];
    uint8_t *frame;
    size_t at = 0;
    size_t size;

    ck_assert_uint_ge(pieces[0].size, 4);
    memcpy(head, pieces[0].data, 4);
    size = be32_get(head);
    frame = malloc(size + 4);
    ck_assert_ptr_nonnull(frame);
    for (size_t i = 0; i < count && at < size + 4; i++) {
        size_t here = pieces[i].size < size + 4 - at ? pieces[i].size : size + 4 - at;

        memcpy(frame + at, pieces[i].data, here);
        at += here;
    }
    ck_assert_uint_eq(at, size + 4);
    outbox_consume(&wire.outbox, size + 4);
    *ret_size = size;
    return frame;
}

/* Decode the next frame; gives what decoder_take says. Views of *@ret_message stay until the next.
 */
int wire_take(struct control *ret_control, struct cn_term *ret_message)
{
    static uint8_t *frame;
    struct cn_term tuple;
    struct cn_term payload;
    size_t size;
    int rc;

    free(frame);
    frame = NULL;
    if (outbox_bytes(&wire.outbox) == 0)
        return CN_E_CLOSED;
    frame = wire_take_frame(&size);
    rc = decoder_take(&wire.decoder, (struct cn_bytes){frame + 4, size}, &tuple, &payload);
    if (rc == 0)
        ck_assert_int_eq(control_decode(tuple, payload, ret_control, ret_message), 0);
    return rc;
}
