/*
 * The outbox: what goes in comes out in order, however it is viewed and consumed; limits hold and
 * lack of memory changes nothing.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "net/outbox.h"

static struct outbox outbox;

static void setup(void)
{
    mem_test_begin();
    outbox_init(&outbox, 1 << 20);
}

static void teardown(void)
{
    outbox_deinit(&outbox);
    ck_assert_int_eq(mem_test_end(), 0);
}

static int released;

static void on_release(struct shared *shared)
{
    released++;
}

static int append(const void *data, size_t size)
{
    struct cn_bytes part = {data, size};

    return outbox_append(&outbox, &part, 1);
}

/* Numbers written in frames of many sizes are read back one by one across all pieces. */
START_TEST(order_is_kept)
{
    uint32_t frame[3000];
    uint32_t next_in = 0;
    uint32_t next_out = 0;
    struct cn_bytes piece;

    srand(1);
    for (int round = 0; round < 300; round++) {
        size_t count = 1 + (size_t)rand() % (round % 50 == 0 ? 3000 : 40);

        for (size_t i = 0; i < count; i++)
            frame[i] = next_in++;
        ck_assert_int_eq(append(frame, count * 4), 0);
        for (int takes = rand() % 3; takes > 0 && outbox_view(&outbox, &piece, 1) == 1; takes--) {
            size_t numbers = 1 + (size_t)rand() % (piece.size / 4);

            for (size_t i = 0; i < numbers; i++, next_out++)
                ck_assert_mem_eq(piece.data + 4 * i, &next_out, 4);
            outbox_consume(&outbox, numbers * 4);
        }
        ck_assert_uint_eq(outbox_bytes(&outbox), (size_t)(next_in - next_out) * 4);
    }
}
END_TEST

/* Parts become one frame in one piece, so that it can be written anew from there. */
START_TEST(frames_lie_in_one_piece)
{
    struct cn_bytes parts[] = {{(const uint8_t *)"ab", 2}, {NULL, 0}, {(const uint8_t *)"cde", 3}};
    uint8_t filler[OUTBOX_CHUNK_BYTES - 4] = {0};
    struct cn_bytes pieces[4];

    ck_assert_int_eq(append(filler, sizeof(filler)), 0);
    ck_assert_int_eq(outbox_append(&outbox, parts, 3), 0);
    ck_assert_uint_eq(outbox_view(&outbox, pieces, 4), 2);
    ck_assert_uint_eq(pieces[1].size, 5);
    ck_assert_mem_eq(pieces[1].data, "abcde", 5);
    ck_assert_int_eq(append("", 0), 0);
}
END_TEST

/* Memory that is being written stays where it is while more is appended. */
START_TEST(views_survive_appending)
{
    struct cn_bytes before;
    struct cn_bytes after;

    ck_assert_int_eq(append("abc", 3), 0);
    ck_assert_uint_eq(outbox_view(&outbox, &before, 1), 1);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(append("0123456789", 10), 0);
    ck_assert_uint_eq(outbox_view(&outbox, &after, 1), 1);
    ck_assert_ptr_eq(before.data, after.data);
    ck_assert_mem_eq(before.data, "abc", 3);
}
END_TEST

/* The limit is one for the sum; a single frame of any size passes when nothing waits. */
START_TEST(limit_holds)
{
    uint8_t *large = calloc(1, 2 << 20);

    ck_assert_int_eq(append(large, 2 << 20), 0);
    ck_assert_int_eq(append("x", 1), CN_E_LIMIT);
    outbox_consume(&outbox, 2 << 20);
    ck_assert_int_eq(append(large, 1 << 20), 0);
    ck_assert_int_eq(append("x", 1), CN_E_LIMIT);
    outbox_consume(&outbox, 1);
    ck_assert_int_eq(append("x", 1), 0);
    free(large);
}
END_TEST

/* Without memory nothing is appended and nothing is lost. */
START_TEST(no_memory_changes_nothing)
{
    struct cn_bytes piece;

    mem_test_fail(1);
    ck_assert_int_eq(append("abc", 3), -ENOMEM);
    ck_assert_uint_eq(outbox_bytes(&outbox), 0);
    ck_assert_uint_eq(outbox_view(&outbox, &piece, 1), 0);
    ck_assert_int_eq(append("abc", 3), 0);
    ck_assert_uint_eq(outbox_bytes(&outbox), 3);
}
END_TEST

/* Shared bytes are pointed to, kept until they are written, and released by the last owner. */
START_TEST(shared_bytes_are_not_copied)
{
    static const uint8_t text[] = "shared";
    struct cn_bytes part = {(const uint8_t *)"head", 4};
    struct shared owner;
    struct shared_bytes tail = {text, 6, &owner};
    struct cn_bytes pieces[4];

    released = 0;
    shared_init(&owner, on_release);
    ck_assert_int_eq(outbox_append_shared(&outbox, &part, 1, &tail, 1), 0);
    ck_assert_int_eq(outbox_append_shared(&outbox, &part, 1, &tail, 1), 0);
    shared_put(&owner);
    ck_assert_uint_eq(outbox_bytes(&outbox), 20);
    ck_assert_uint_eq(outbox_view(&outbox, pieces, 4), 4);
    ck_assert_ptr_eq(pieces[1].data, text);
    ck_assert_ptr_eq(pieces[3].data, text);
    outbox_consume(&outbox, 12);
    ck_assert_uint_eq(outbox_view(&outbox, pieces, 4), 2);
    ck_assert_mem_eq(pieces[0].data, "ad", 2);
    ck_assert_int_eq(released, 0);
    outbox_consume(&outbox, 8);
    ck_assert_int_eq(released, 1);
}
END_TEST

/* What is dropped with the queue is let go of too. */
START_TEST(shared_bytes_end_with_the_queue)
{
    struct shared owner;
    struct shared_bytes tail = {(const uint8_t *)"shared", 6, &owner};

    released = 0;
    shared_init(&owner, on_release);
    ck_assert_int_eq(outbox_append_shared(&outbox, NULL, 0, &tail, 1), 0);
    shared_put(&owner);
    outbox_deinit(&outbox);
    ck_assert_int_eq(released, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outbox");
    TCase *tcase = tcase_create("outbox");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, order_is_kept);
    tcase_add_test(tcase, frames_lie_in_one_piece);
    tcase_add_test(tcase, views_survive_appending);
    tcase_add_test(tcase, limit_holds);
    tcase_add_test(tcase, no_memory_changes_nothing);
    tcase_add_test(tcase, shared_bytes_are_not_copied);
    tcase_add_test(tcase, shared_bytes_end_with_the_queue);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
