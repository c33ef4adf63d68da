/*
 * Flags: what we advertise, whom we refuse. The numbers are those seen on the wire of real nodes,
 * so a flag that slips out of the sets shows here before a peer finds out.
 */
#include "support.h"

#include <string.h>

#include "dist/flags.h"

#define OTP_25_ADVERTISES UINT64_C(0xd07df7fbd)
#define EI_ADVERTISES     UINT64_C(0x407074f9c)

/* We advertise what OTP 25 does. */
START_TEST(ours_is_the_designed_set)
{
    ck_assert_uint_eq(FLAGS_OURS, OTP_25_ADVERTISES);
    ck_assert_uint_eq(FLAGS_OURS & FLAG_ALTACT_SIG, 0);
    ck_assert_uint_eq(FLAGS_OURS_HIDDEN, FLAGS_OURS & ~FLAG_PUBLISHED);
}
END_TEST

/* Real peers may talk to us: OTP 25 to 29, and C nodes on ei. */
START_TEST(real_peers_lack_nothing)
{
    ck_assert_uint_eq(flags_missing(flags_expand(OTP_25_ADVERTISES)), 0);
    ck_assert_uint_eq(flags_missing(flags_expand(EI_ADVERTISES)), 0);
    ck_assert_uint_eq(flags_missing(flags_expand(FLAGS_OURS)), 0);
}
END_TEST

/* The digest flag stands for the eleven flags that OTP 25 made mandatory, and for no other. */
START_TEST(digest_stands_for_the_mandatory_flags)
{
    uint64_t sent = FLAG_MANDATORY_25_DIGEST | FLAG_V4_NC;

    ck_assert_uint_eq(flags_missing(flags_expand(sent)), 0);
    ck_assert_uint_eq(flags_expand(sent), sent | FLAGS_MANDATORY_25);
    ck_assert_uint_eq(flags_missing(sent), FLAGS_MANDATORY_25);
    ck_assert_uint_eq(flags_expand(FLAG_V4_NC), FLAG_V4_NC);
}
END_TEST

/* Each required flag is required by itself. */
START_TEST(each_required_flag_is_missed)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t flag = UINT64_C(1) << bit;
        uint64_t sent = FLAGS_REQUIRED & ~flag;

        ck_assert_uint_eq(flags_missing(sent), FLAGS_REQUIRED & flag);
    }
}
END_TEST

/* A log line names what is missing, and shows a bit without a name as a number. */
START_TEST(description_names_the_flags)
{
    char text[64];

    flags_describe(FLAG_V4_NC | FLAG_MAP_TAG, text, sizeof(text));
    ck_assert_str_eq(text, "MAP_TAG, V4_NC");
    flags_describe(FLAG_ALIAS | UINT64_C(0x8000000000000000), text, sizeof(text));
    ck_assert_str_eq(text, "ALIAS, 0x8000000000000000");
    flags_describe(0, text, sizeof(text));
    ck_assert_str_eq(text, "");
    flags_describe(UINT64_MAX, text, 16);
    ck_assert_uint_lt(strlen(text), 16);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flags");
    TCase *tcase = tcase_create("flags");

    tcase_add_test(tcase, ours_is_the_designed_set);
    tcase_add_test(tcase, real_peers_lack_nothing);
    tcase_add_test(tcase, digest_stands_for_the_mandatory_flags);
    tcase_add_test(tcase, each_required_flag_is_missed);
    tcase_add_test(tcase, description_names_the_flags);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
