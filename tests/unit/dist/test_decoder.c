/*
 * The decoder: forms of frames need their flags; what is damaged ends in an error and never in
 * anything worse. That it understands what BEAM nodes send is seen in test_conversations.c.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dist/decoder.h"
#include "dist/flags.h"
#include "conversations.h"

static struct decoder_scratch scratch;
static struct conversation conversation;

static void setup(void)
{
    decoder_scratch_init(&scratch);
    conversation_read(&conversation, 0);
}

static void teardown(void)
{
    decoder_scratch_deinit(&scratch);
    conversation_free(&conversation);
}

/* Forms that were not agreed on. */
START_TEST(forms_need_their_flags)
{
    struct cn_bytes header = from_hex("8344006804610658770161000000010000000000000001770077017a6a");
    struct cn_bytes first = from_hex("83450000000000000001000000000000000100"
                                     "6804610658770161000000010000000000000001770077017a6a");
    struct decoder decoder;
    struct cn_term tuple;
    struct cn_term message;

    decoder_init(&decoder, FLAGS_OURS & ~(FLAG_FRAGMENTS | FLAG_DIST_HDR_ATOM_CACHE), 0, &scratch);
    ck_assert_int_eq(decoder_take(&decoder, header, &tuple, &message), CN_E_INVALID);
    decoder.flags |= FLAG_DIST_HDR_ATOM_CACHE;
    ck_assert_int_eq(decoder_take(&decoder, header, &tuple, &message), 0);
    ck_assert_uint_eq(message.size, 1);
    ck_assert_int_eq(decoder_take(&decoder, first, &tuple, &message), CN_E_INVALID);
    decoder_deinit(&decoder);
    decoder_init(&decoder, FLAGS_OURS & ~FLAG_DIST_HDR_ATOM_CACHE, 0, &scratch);
    ck_assert_int_eq(decoder_take(&decoder, first, &tuple, &message), 0);
    ck_assert_int_eq(decoder_take(&decoder, header, &tuple, &message), 0);
    ck_assert_int_eq(decoder_take(&decoder, from_hex("8344010800016152006a"), &tuple, &message),
                     CN_E_INVALID);
    ck_assert_int_eq(decoder_take(&decoder, from_hex("7083680161"), &tuple, &message),
                     CN_E_TERM_SHORT);
    ck_assert_int_eq(decoder_take(&decoder, from_hex("708368016101"), &tuple, &message), 0);
    decoder_deinit(&decoder);
}
END_TEST

/* Frames that end too early, go on too long, or are of no known form. */
START_TEST(hostile_frames)
{
    static const char *const hex[] = {
        "83",
        "8344",
        "834400",
        "8347006101",
        "834400610161016101",
        "83440061015200",
        "83440161",
        "834500000000000000010000000000000002",
        "83450000000000000001000000000000000000610161",
        "8346000000000000000100000000000000016101",
        "8346",
    };

    for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
        struct cn_bytes bytes = from_hex(hex[i]);
        uint8_t *frame = exact(bytes.data, bytes.size);
        struct decoder decoder;
        struct cn_term tuple;
        struct cn_term message;
        int rc;

        decoder_init(&decoder, FLAGS_OURS, 0, &scratch);
        rc = decoder_take(&decoder, (struct cn_bytes){frame, bytes.size}, &tuple, &message);
        ck_assert_msg(rc > 0 && rc != CN_E_MORE, "%s", hex[i]);
        decoder_deinit(&decoder);
        free(frame);
    }
}
END_TEST

/* The recorded frames with random damage, cuts and repetitions. */
START_TEST(damaged_frames)
{
    size_t errors = 0;

    seed_random(3);
    for (int round = 0; round < 40; round++) {
        struct decoder decoder;
        int rc = 0;

        decoder_init(&decoder, FLAGS_OURS, 1 << 21, &scratch);
        for (size_t i = 0; i < conversation.frame_count && (rc == 0 || rc == CN_E_MORE); i++) {
            size_t number = random_below(40) == 0 ? random_below((uint32_t)conversation.frame_count)
                                                  : i;
            uint8_t *frame = exact(conversation.frames[number].data,
                                   conversation.frames[number].size);
            size_t size = conversation.frames[number].size;
            struct cn_term tuple;
            struct cn_term message;

            if (random_below(10) == 0)
                mutate(frame, size < 400 ? size : 400);
            if (random_below(40) == 0)
                size = random_below((uint32_t)size);
            if (size > 0)
                rc = decoder_take(&decoder, (struct cn_bytes){frame, size}, &tuple, &message);
            free(frame);
        }
        errors += rc == 0 || rc == CN_E_MORE ? 0 : 1;
        decoder_deinit(&decoder);
    }
    ck_assert_uint_gt(errors, 20);
}
END_TEST

/* Take a frame as a signal, and as terms that are decoded then: both say the same. */
static void take_both_ways(struct decoder *terms, struct decoder *signals, struct cn_bytes frame)
{
    const struct control *signal;
    struct cn_term heard;
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;
    int rc = decoder_take(terms, frame, &tuple, &payload);

    ck_assert_int_eq(decoder_signal(signals, frame, &signal, &heard), rc);
    if (rc == CN_E_MORE)
        return;
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(control_decode(tuple, payload, &control, &message), 0);
    ck_assert_int_eq(signal->op, control.op);
    ck_assert(cn_pid_equal(&signal->to, &control.to));
    ck_assert(cn_ref_equal(&signal->ref, &control.ref));
    ck_assert_uint_eq(heard.size, message.size);
    ck_assert(heard.size == 0 || memcmp(heard.data, message.data, heard.size) == 0);
    ck_assert(heard.size == 0 ||
              (signal->owner == NULL) == (decoder_owner(terms, message) == NULL));
}

/* Every recorded frame gives the signal that its terms are. */
START_TEST(signals_are_what_the_terms_are)
{
    struct decoder_scratch other_scratch;
    struct decoder terms;
    struct decoder signals;

    decoder_scratch_init(&other_scratch);
    decoder_init(&terms, FLAGS_OURS, 1 << 21, &scratch);
    decoder_init(&signals, FLAGS_OURS, 1 << 21, &other_scratch);
    for (size_t i = 0; i < conversation.frame_count; i++) {
        uint8_t *frame = exact(conversation.frames[i].data, conversation.frames[i].size);

        take_both_ways(&terms, &signals, (struct cn_bytes){frame, conversation.frames[i].size});
        free(frame);
    }
    decoder_deinit(&terms);
    decoder_deinit(&signals);
    decoder_scratch_deinit(&other_scratch);
}
END_TEST

/* A tuple that is no control message of ours is told apart from a frame that is none. */
START_TEST(unknown_messages_have_their_error)
{
    const struct control *control;
    struct cn_term message;
    struct decoder decoder;

    decoder_init(&decoder, FLAGS_OURS, 0, &scratch);
    ck_assert_int_eq(decoder_signal(&decoder, from_hex("83440068016163"), &control, &message),
                     CN_E_UNKNOWN);
    ck_assert_int_eq(decoder_signal(&decoder, from_hex("83440068026163"), &control, &message),
                     CN_E_TERM_SHORT);
    decoder_deinit(&decoder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decoder");
    TCase *tcase = tcase_create("decoder");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, forms_need_their_flags);
    tcase_add_test(tcase, hostile_frames);
    tcase_add_test(tcase, damaged_frames);
    tcase_add_test(tcase, signals_are_what_the_terms_are);
    tcase_add_test(tcase, unknown_messages_have_their_error);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
