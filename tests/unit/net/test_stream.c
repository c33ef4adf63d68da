/*
 * What is a stream, and what only looks like one: few frames, slow ones, and calls, which are
 * answered. Time is given by the test.
 */
#include "net/stream.h"

#include <check.h>

#include <stdlib.h>

static struct stream stream;

static void setup(void)
{
    stream = (struct stream){0};
    (void)stream_read(&stream, 1000);
}

static bool read_frames(uint32_t frames, uint64_t now_us)
{
    while (frames-- > 0)
        stream_add(&stream);
    return stream_read(&stream, now_us);
}

/* Many frames in a short time are a stream, read after read. */
START_TEST(many_frames_are_a_stream)
{
    ck_assert(read_frames(100, 1000 + 100 * STREAM_US_EACH - 1));
    ck_assert(read_frames(1000, 5000));
    ck_assert(read_frames(STREAM_FRAMES_MIN, 5001));
}
END_TEST

/* Few frames are none, nor are many in a long time. */
START_TEST(few_frames_are_not)
{
    ck_assert(!read_frames(STREAM_FRAMES_MIN - 1, 1001));
    ck_assert(!read_frames(100, 1001 + 100 * STREAM_US_EACH));
    ck_assert(!read_frames(0, 2000));
}
END_TEST

/* Where something was sent somebody may wait for it: until the next read. */
START_TEST(who_is_answered_is_not)
{
    stream_answer(&stream);
    ck_assert(!read_frames(100, 1010));
    ck_assert(read_frames(100, 1020));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *tcase = tcase_create("stream");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, many_frames_are_a_stream);
    tcase_add_test(tcase, few_frames_are_not);
    tcase_add_test(tcase, who_is_answered_is_not);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
