/*
 * Signals as plain frames, while nobody knows what the peer understands: appended whole or not at
 * all.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "dist/flags.h"
#include "dist/frame.h"
#include "net/sending.h"

static const uint8_t reason[] = {119, 3, 'b', 'y', 'e'};
static const struct cn_term message = {reason, sizeof(reason)};
static struct outbox outbox;
static struct cn_writer scratch;

static void setup(void)
{
    outbox_init(&outbox, 1 << 20);
    cn_writer_init(&scratch, 0);
}

static void teardown(void)
{
    outbox_deinit(&outbox);
    cn_writer_free(&scratch);
}

static struct control make(enum control_op op)
{
    struct control control = {.op = op,
                              .has_from = true,
                              .from = {.id = 1, .creation = 2, .node = "a@a"},
                              .to = {.id = 3, .creation = 4, .node = "b@b"},
                              .ref = {.count = 1, .creation = 2, .node = "a@a"},
                              .id = 9};

    return control;
}

/* Take the first frame of @from apart. */
static enum control_op first(struct outbox *from, struct cn_term *ret_tuple)
{
    struct cn_bytes piece;
    struct cn_term payload;
    struct cn_term received;
    struct control control;
    uint32_t size;

    ck_assert_uint_eq(outbox_view(from, &piece, 1), 1);
    size = be32_get(piece.data);
    ck_assert_uint_le(size + 4, piece.size);
    ck_assert_int_eq(frame_parse((struct cn_bytes){piece.data + 4, size}, ret_tuple, &payload), 0);
    ck_assert_int_eq(control_decode(*ret_tuple, payload, &control, &received), 0);
    if (received.size > 0)
        ck_assert_mem_eq(received.data, reason, sizeof(reason));
    return control.op;
}

/* A signal is one whole frame. */
START_TEST(signal_is_a_frame)
{
    struct control control = make(CONTROL_EXIT);
    struct cn_term tuple;

    ck_assert_int_eq(sending_append(&outbox, &control, message, NULL, FLAGS_OURS, &scratch), 0);
    ck_assert_int_eq(first(&outbox, &tuple), CONTROL_EXIT);
    ck_assert_uint_eq(tuple.data[3], 24);
    ck_assert_uint_eq(outbox_bytes(&outbox), 4 + 2 + tuple.size + 1 + message.size);
}
END_TEST

/* What the peer cannot understand, or the queue not hold, leaves the queue alone. */
START_TEST(refusals_append_nothing)
{
    struct control control = make(CONTROL_ALIAS_SEND);
    struct outbox tiny;

    ck_assert_int_eq(sending_append(&outbox, &control, message, NULL, FLAGS_OURS & ~FLAG_ALIAS,
                                    &scratch),
                     -ENOTSUP);
    ck_assert_uint_eq(outbox_bytes(&outbox), 0);
    outbox_init(&tiny, 10);
    ck_assert_int_eq(sending_append(&tiny, &control, message, NULL, FLAGS_OURS, &scratch), 0);
    ck_assert_int_eq(sending_append(&tiny, &control, message, NULL, FLAGS_OURS, &scratch),
                     CN_E_LIMIT);
    outbox_deinit(&tiny);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sending");
    TCase *tcase = tcase_create("sending");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, signal_is_a_frame);
    tcase_add_test(tcase, refusals_append_nothing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
