/*
 * The memory of updates: what is known, what is forgotten, and how it travels.
 */
#include "session/carried_out.h"

#include <string.h>

#include "base/error.h"
#include "unit/session/main.h"

static struct carried_out *done;

static struct cn_ref ref(uint32_t number)
{
    struct cn_ref tag = {.words = {number, 7, 9}, .count = 3, .creation = 5, .node = "a@b"};

    return tag;
}

static void add(uint32_t number, uint64_t now_ms)
{
    struct cn_ref tag = ref(number);

    carried_out_add(&done, &tag, now_ms);
}

static enum carried_out_answer judge(uint32_t number, uint64_t age_ms, uint64_t now_ms)
{
    struct cn_ref tag = ref(number);

    return carried_out_judge(done, &tag, age_ms, now_ms);
}

static void begin(void)
{
    done = NULL;
}

/* A call is known by its tag, any other is not; a session without updates knows none. */
START_TEST(known_by_the_tag)
{
    begin();
    ck_assert_int_eq(judge(1, 0, 100), CARRIED_OUT_NOT);
    add(1, 100);
    ck_assert_int_eq(judge(1, 10, 110), CARRIED_OUT_DONE);
    ck_assert_int_eq(judge(2, 10, 110), CARRIED_OUT_NOT);
    done = carried_out_free(done);
}
END_TEST

/* The last 256 are known; an older call may have been carried out, a younger one was not. */
START_TEST(forgotten_is_in_doubt)
{
    begin();
    for (uint32_t i = 0; i < 300; i++)
        add(i, 1000 + i);
    ck_assert_int_eq(judge(299, 0, 1300), CARRIED_OUT_DONE);
    ck_assert_int_eq(judge(44, 0, 1300), CARRIED_OUT_DONE);
    /* 43, of 1043, is the youngest that was forgotten. */
    ck_assert_int_eq(judge(43, 257, 1300), CARRIED_OUT_IN_DOUBT);
    ck_assert_int_eq(judge(1000, 257, 1300), CARRIED_OUT_IN_DOUBT);
    ck_assert_int_eq(judge(1000, 256, 1300), CARRIED_OUT_NOT);
    ck_assert_int_eq(judge(1000, 9999, 1300), CARRIED_OUT_IN_DOUBT);
    done = carried_out_free(done);
}
END_TEST

/* What travels is what was known, with its ages, whatever the other clock says. */
START_TEST(travels)
{
    uint8_t bytes[CARRIED_OUT_BYTES_MAX];
    struct carried_out *old;
    size_t size;

    begin();
    ck_assert_uint_eq(carried_out_write(done, 0, bytes), 0);
    for (uint32_t i = 0; i < 300; i++)
        add(i, 1000 + i);
    carried_out_repeated(&done);
    size = carried_out_write(done, 1300, bytes);
    ck_assert_uint_eq(size, sizeof(bytes));
    old = done;
    ck_assert_int_eq(carried_out_read((struct cn_bytes){bytes, size}, 90000, &done), 0);
    ck_assert(carried_out_repeats(done));
    ck_assert_int_eq(judge(44, 0, 90000), CARRIED_OUT_DONE);
    ck_assert_int_eq(judge(1000, 257, 90000), CARRIED_OUT_IN_DOUBT);
    ck_assert_int_eq(judge(1000, 256, 90000), CARRIED_OUT_NOT);
    add(301, 90001);
    ck_assert_int_eq(judge(44, 0, 90001), CARRIED_OUT_NOT);
    carried_out_free(old);
    done = carried_out_free(done);
}
END_TEST

/* More than anybody remembers is nonsense of a peer, and is not looked at. */
START_TEST(too_many_are_not_counted)
{
    static const uint8_t bytes[CARRIED_OUT_BYTES_MAX + 20];

    begin();
    add(1, 1000);
    ck_assert_uint_eq(carried_out_unknown(done, (struct cn_bytes){bytes, sizeof(bytes) - 20}), 256);
    ck_assert_uint_eq(carried_out_unknown(done, (struct cn_bytes){bytes, sizeof(bytes)}), 0);
    done = carried_out_free(done);
}
END_TEST

/* The bytes are those that the Elixir twin writes: its test has the same ones. */
START_TEST(same_bytes_as_the_twin)
{
    static const uint8_t expected[] = {
        0,    0xff, 0xff, 0xff, 0xff, 0x36, 0x87, 0x40, 0x37, 0xb9, 0x79, 0x19, 0x25,
        0xea, 0x19, 0xf4, 0x8e, 0x72, 0x7b, 0xa8, 0x82, 0,    0,    0,    10,
    };
    uint8_t bytes[CARRIED_OUT_BYTES_MAX];

    begin();
    add(1, 100);
    ck_assert_uint_eq(carried_out_write(done, 110, bytes), sizeof(expected));
    ck_assert_int_eq(memcmp(bytes, expected, sizeof(expected)), 0);
    done = carried_out_free(done);
}
END_TEST

/* Bytes that nobody wrote are refused. */
START_TEST(bad_bytes)
{
    static const uint8_t bytes[5 + 20 * 257] = {0};
    struct carried_out *read;

    ck_assert_int_eq(carried_out_read((struct cn_bytes){bytes, 4}, 0, &read), CN_E_INVALID);
    ck_assert_int_eq(carried_out_read((struct cn_bytes){bytes, 24}, 0, &read), CN_E_INVALID);
    ck_assert_int_eq(carried_out_read((struct cn_bytes){bytes, sizeof(bytes)}, 0, &read),
                     CN_E_INVALID);
    ck_assert_int_eq(carried_out_read((struct cn_bytes){(const uint8_t *)"\2aaaa", 5}, 0, &read),
                     CN_E_INVALID);
    ck_assert_int_eq(carried_out_read((struct cn_bytes){NULL, 0}, 0, &read), 0);
    ck_assert_ptr_null(read);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("carried_out", &tests);

    tcase_add_test(tests, known_by_the_tag);
    tcase_add_test(tests, forgotten_is_in_doubt);
    tcase_add_test(tests, travels);
    tcase_add_test(tests, too_many_are_not_counted);
    tcase_add_test(tests, same_bytes_as_the_twin);
    tcase_add_test(tests, bad_bytes);
    return run_suite(suite);
}
