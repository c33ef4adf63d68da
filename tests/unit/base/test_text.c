/*
 * Bounded text: cut where it must be, never inside a character, and always reported.
 */
#include "base/text.h"

#include <check.h>

#include <string.h>

#include "base/error.h"

static bool valid(const char *text)
{
    return utf8_valid(text, strlen(text), NULL);
}

/* A copy that fits is whole, one that does not is cut, terminated and reported. */
START_TEST(copies_are_bounded)
{
    char to[4];

    ck_assert_int_eq(text_copy(to, sizeof(to), "abc"), 0);
    ck_assert_str_eq(to, "abc");
    ck_assert_int_eq(text_copy(to, sizeof(to), "abcd"), CN_E_TRUNCATED);
    ck_assert_str_eq(to, "abc");
    ck_assert_int_eq(text_copy(to, 1, "a"), CN_E_TRUNCATED);
    ck_assert_str_eq(to, "");
    ck_assert_int_eq(text_format(to, sizeof(to), "%d", 123), 0);
    ck_assert_int_eq(text_format(to, sizeof(to), "%d", 1234), CN_E_TRUNCATED);
    ck_assert_str_eq(to, "123");
}
END_TEST

/* Wherever text of characters of 1 to 4 bytes is cut, what is left is valid. */
START_TEST(cuts_respect_characters)
{
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb2z\xc3\xa9";
    char to[32];

    for (size_t size = 1; size <= strlen(text); size++) {
        ck_assert_int_eq(text_copy(to, size, text), CN_E_TRUNCATED);
        ck_assert(valid(to));
        ck_assert_int_eq(strncmp(to, text, strlen(to)), 0);
        ck_assert_uint_ge(strlen(to) + 4, size);
        ck_assert_int_eq(text_format(to, size, "%s", text), CN_E_TRUNCATED);
        ck_assert(valid(to));
        ck_assert_uint_ge(strlen(to) + 4, size);
    }
}
END_TEST

/* Valid UTF-8 passes with its count of characters, everything RFC 3629 forbids does not. */
START_TEST(utf8_is_checked)
{
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc3",
        "\xc3(",        "\xe0\x80\x80",     "\xe2\x82",         "\xed\xa0\x80",
        "\xf0\x9f\x8e", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "abcdefgh\xc3",
    };
    size_t characters = 99;

    ck_assert(utf8_valid("", 0, &characters));
    ck_assert_uint_eq(characters, 0);
    ck_assert(utf8_valid("abcdefghijk", 11, &characters));
    ck_assert_uint_eq(characters, 11);
    ck_assert(utf8_valid("abcdefgh\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb2", 17, &characters));
    ck_assert_uint_eq(characters, 11);
    ck_assert(utf8_valid("\xf4\x8f\xbf\xbf\xed\x9f\xbf", 7, &characters));
    ck_assert_uint_eq(characters, 2);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!valid(bad[i]), "accepted %zu", i);
}
END_TEST

/* A character is decoded to its number. */
START_TEST(characters_are_decoded)
{
    uint32_t character = 0;

    ck_assert_uint_eq(utf8_decode((const uint8_t *)"A", 1, &character), 1);
    ck_assert_uint_eq(character, 'A');
    ck_assert_uint_eq(utf8_decode((const uint8_t *)"\xe2\x82\xac", 3, &character), 3);
    ck_assert_uint_eq(character, 0x20ac);
    ck_assert_uint_eq(utf8_decode((const uint8_t *)"\xe2\x82\xac", 2, &character), 0);
    ck_assert_uint_eq(character, 0x20ac);
}
END_TEST

/* Numbers are read whole, in range, or not at all. */
START_TEST(numbers_are_checked)
{
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1x", "65536", "99999999999999"};
    uint64_t number = 7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(text_to_number(bad[i], 65535, &number), CN_E_INVALID);
    ck_assert_uint_eq(number, 7);
    ck_assert_int_eq(text_to_number("65535", 65535, &number), 0);
    ck_assert_uint_eq(number, 65535);
    ck_assert_int_eq(text_to_number("18446744073709551615", UINT64_MAX, &number), 0);
    ck_assert(number == UINT64_MAX);
    ck_assert_int_eq(text_to_number("18446744073709551616", UINT64_MAX, &number), CN_E_INVALID);
    ck_assert_int_eq(text_to_number("5", 3, &number), CN_E_INVALID);
    ck_assert(text_begins("--name", "--"));
    ck_assert(!text_begins("-", "--"));
}
END_TEST

/* A line grows piece by piece, is cut once, and then stays as it is. */
START_TEST(lines_grow_until_full)
{
    char buffer[12];
    struct text text;

    text_init(&text, buffer, sizeof(buffer));
    text_add(&text, "ab");
    text_add_format(&text, "%d-", 12);
    text_add_bytes(&text, "xyz", 2);
    ck_assert_str_eq(buffer, "ab12-xy");
    ck_assert(!text.truncated);
    text_add(&text, "123\xc3\xa9");
    ck_assert(text.truncated);
    ck_assert_str_eq(buffer, "ab12-xy123");
    text_add(&text, "z");
    ck_assert_str_eq(buffer, "ab12-xy123");
    ck_assert_uint_eq(text.size, strlen(buffer));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = tcase_create("text");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, copies_are_bounded);
    tcase_add_test(tcase, cuts_respect_characters);
    tcase_add_test(tcase, utf8_is_checked);
    tcase_add_test(tcase, characters_are_decoded);
    tcase_add_test(tcase, numbers_are_checked);
    tcase_add_test(tcase, lines_grow_until_full);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
