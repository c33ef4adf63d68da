/*
 * UUIDs: the bits that say version and variant, and the form of those that come in.
 *
 * Ids are compared with text written by hand.
 */
#include "support.h"

#include "minotaur/uuid.h"

static bool is_valid(const char *uuid)
{
    return uuid_is_valid((struct cn_bytes){(const uint8_t *)uuid, strlen(uuid)});
}

/* Random bytes become a UUID whose version is 4 and whose variant is that of RFC 9562. */
START_TEST(version_and_variant)
{
    static const uint8_t zeros[16];
    static const uint8_t counted[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    uint8_t ones[16];
    char out[UUID_TEXT_BYTES + 1] = "";

    memset(ones, 0xff, sizeof ones);
    uuid_format(zeros, out);
    ck_assert_str_eq(out, "00000000-0000-4000-8000-000000000000");
    uuid_format(ones, out);
    ck_assert_str_eq(out, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    uuid_format(counted, out);
    ck_assert_str_eq(out, "01234567-89ab-4def-8123-456789abcdef");
    ck_assert(is_valid(out));
}
END_TEST

/* Ids of any version are taken; another length, place of a dash or digit is not. */
START_TEST(form)
{
    ck_assert(is_valid("00000000-0000-0000-0000-000000000000"));
    ck_assert(is_valid("01234567-89ab-cdef-0123-456789abcdef"));
    ck_assert(!is_valid(""));
    ck_assert(!is_valid("01234567-89ab-cdef-0123-456789abcde"));
    ck_assert(!is_valid("01234567-89ab-cdef-0123-456789abcdef0"));
    ck_assert(!is_valid("01234567-89ab-cdef-0123-456789abcdeF"));
    ck_assert(!is_valid("01234567-89ab-cdef-0123-456789abcdeg"));
    ck_assert(!is_valid("0123456-789ab-cdef-0123-456789abcdef"));
    ck_assert(!is_valid("01234567089ab-cdef-0123-456789abcdef"));
    ck_assert(!is_valid("01234567-89ab-cdef-0123-45678-abcdef"));
}
END_TEST

TEST_MAIN("uuid", version_and_variant, form)
