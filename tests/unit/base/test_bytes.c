/*
 * The byte queue: what goes in comes out, within the limit, and without memory nothing changes.
 */
#include "base/bytes.h"

#include <check.h>

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Appended bytes are consumed in the same order, in any mixture of sizes. */
START_TEST(order_is_kept_in_any_mixture)
{
    struct bytes bytes;
    unsigned written = 0;
    unsigned read = 0;
    unsigned wrong = 0;

    srand(2);
    mem_test_begin();
    bytes_init(&bytes, 0);
    for (int round = 0; round < 20000; round++) {
        uint8_t *place;
        size_t size = (size_t)(rand() % 300);

        ck_assert_int_eq(bytes_reserve(&bytes, size, &place), 0);
        for (size_t i = 0; i < size; i++)
            place[i] = (uint8_t)(written++ % 251);
        bytes_commit(&bytes, size);
        size = bytes_size(&bytes) > 0 ? (size_t)rand() % bytes_size(&bytes) : 0;
        for (size_t i = 0; i < size; i++)
            wrong += bytes_data(&bytes)[i] != read++ % 251;
        bytes_consume(&bytes, size);
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(bytes_size(&bytes), written - read);
    ck_assert_uint_le(bytes.capacity, 1 << 14);
    bytes_deinit(&bytes);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* The limit is reached exactly and never passed; consuming makes room again. */
START_TEST(limit_holds)
{
    struct bytes bytes;
    uint8_t data[100] = {0};

    bytes_init(&bytes, 150);
    ck_assert_int_eq(bytes_append(&bytes, data, 100), 0);
    ck_assert_int_eq(bytes_append(&bytes, data, 51), -E2BIG);
    ck_assert_uint_eq(bytes_size(&bytes), 100);
    ck_assert_int_eq(bytes_append(&bytes, data, 50), 0);
    ck_assert_int_eq(bytes_append_u8(&bytes, 1), -E2BIG);
    bytes_consume(&bytes, 1);
    ck_assert_int_eq(bytes_append_u8(&bytes, 7), 0);
    ck_assert_uint_eq(bytes_size(&bytes), 150);
    ck_assert_uint_eq(bytes_data(&bytes)[149], 7);
    ck_assert_uint_le(bytes.capacity, 150);
    bytes_deinit(&bytes);
}
END_TEST

/* When memory runs out, the queue is as it was, and goes on when there is some. */
START_TEST(failed_growth_changes_nothing)
{
    struct bytes bytes;
    uint8_t data[300];

    memset(data, 5, sizeof(data));
    mem_test_begin();
    bytes_init(&bytes, 0);
    mem_test_fail(1);
    ck_assert_int_eq(bytes_append(&bytes, data, 1), -ENOMEM);
    ck_assert_uint_eq(bytes_size(&bytes), 0);
    ck_assert_ptr_null(bytes_data(&bytes));
    ck_assert_int_eq(bytes_append(&bytes, data, 200), 0);
    mem_test_fail(1);
    ck_assert_int_eq(bytes_append(&bytes, data, 300), -ENOMEM);
    ck_assert_uint_eq(bytes_size(&bytes), 200);
    ck_assert_int_eq(bytes_append(&bytes, data, 300), 0);
    ck_assert_uint_eq(bytes_size(&bytes), 500);
    bytes_deinit(&bytes);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Nothing, appended to a queue that never held anything, takes no memory. */
START_TEST(nothing_is_appended)
{
    struct bytes bytes;
    uint8_t *place = (uint8_t *)&bytes;

    bytes_init(&bytes, 0);
    ck_assert_int_eq(bytes_append(&bytes, NULL, 0), 0);
    ck_assert_int_eq(bytes_reserve(&bytes, 0, &place), 0);
    ck_assert_ptr_null(place);
    ck_assert_ptr_null(bytes_data(&bytes));
    bytes_deinit(&bytes);
}
END_TEST

/* An empty queue gives memory back on request, a full one keeps it. */
START_TEST(shrinking)
{
    struct bytes bytes;

    mem_test_begin();
    bytes_init(&bytes, 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(bytes_append_u32(&bytes, (uint32_t)i), 0);
    bytes_shrink(&bytes, 100);
    ck_assert_uint_eq(bytes_size(&bytes), 4000);
    bytes_clear(&bytes);
    bytes_shrink(&bytes, 1 << 20);
    ck_assert_int_eq(mem_test_live(), 1);
    bytes_shrink(&bytes, 100);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Numbers are written with the highest byte first and read back. */
START_TEST(numbers_are_big_endian)
{
    struct bytes bytes;
    const uint8_t expected[] = {0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x07};
    const uint8_t eight[] = {0x88, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};
    uint8_t written[sizeof(eight)];

    bytes_init(&bytes, 0);
    ck_assert_int_eq(bytes_append_u8(&bytes, 1), 0);
    ck_assert_int_eq(bytes_append_u16(&bytes, 0x0203), 0);
    ck_assert_int_eq(bytes_append_u32(&bytes, 0x84050607), 0);
    ck_assert_uint_eq(bytes_size(&bytes), sizeof(expected));
    ck_assert_mem_eq(bytes_data(&bytes), expected, sizeof(expected));
    ck_assert_uint_eq(be16_get(expected + 1), 0x0203);
    ck_assert_uint_eq(be32_get(expected + 3), 0x84050607);
    be64_put(written, UINT64_C(0x88090a0b0c0d0e0f));
    ck_assert_mem_eq(written, eight, sizeof(eight));
    ck_assert(be64_get(eight) == UINT64_C(0x88090a0b0c0d0e0f));
    bytes_deinit(&bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tcase = tcase_create("bytes");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, order_is_kept_in_any_mixture);
    tcase_add_test(tcase, limit_holds);
    tcase_add_test(tcase, failed_growth_changes_nothing);
    tcase_add_test(tcase, nothing_is_appended);
    tcase_add_test(tcase, shrinking);
    tcase_add_test(tcase, numbers_are_big_endian);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
