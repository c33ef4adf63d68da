/*
 * Dates and Elixir's DateTime, every day of eight thousand years against libc.
 *
 * What is refused is tried field by field, starting from a good DateTime with one edit.
 */
#include "support.h"

#include <time.h>

#include "minotaur/datetime.h"

/* Days that are easy to get wrong, as libc knows them. */
START_TEST(known_moments)
{
    static const struct {
        struct civil civil;
        int64_t seconds;
    } cases[] = {
        {{1970, 1, 1, 0, 0, 0}, 0},
        {{1970, 1, 1, 0, 0, 1}, 1},
        {{1972, 2, 29, 12, 0, 0}, 68212800},
        {{2000, 2, 29, 0, 0, 0}, 951782400},
        {{2000, 3, 1, 0, 0, 0}, 951868800},
        {{2026, 11, 23, 1, 2, 3}, 1795395723},
        {{2100, 2, 28, 23, 59, 59}, 4107542399},
        {{2100, 3, 1, 0, 0, 0}, 4107542400},
        {{9999, 12, 31, 23, 59, 59}, DATETIME_SECONDS_MAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct civil civil = civil_from_seconds(cases[i].seconds);

        ck_assert_int_eq(civil_to_seconds(&cases[i].civil), cases[i].seconds);
        ck_assert_mem_eq(&civil, &cases[i].civil, sizeof civil);
    }
}
END_TEST

/* Every day of the years 1970 to 9999, there and back, and as libc sees it. */
START_TEST(every_day)
{
    for (int64_t seconds = 43200; seconds < DATETIME_SECONDS_MAX; seconds += 86400) {
        struct civil civil = civil_from_seconds(seconds);
        time_t time = seconds;
        struct tm tm;

        if (gmtime_r(&time, &tm) == NULL || civil.year != tm.tm_year + 1900 ||
            civil.month != tm.tm_mon + 1 || civil.day != tm.tm_mday || !civil_is_valid(&civil) ||
            civil_to_seconds(&civil) != seconds)
            ck_abort_msg("at %lld", (long long)seconds);
    }
}
END_TEST

/* Dates and times that do not exist, and years beyond ours. */
START_TEST(unreal_moments)
{
    static const struct civil cases[] = {
        {1969, 12, 31, 23, 59, 59},    {10000, 1, 1, 0, 0, 0}, {2026, 0, 1, 0, 0, 0},
        {2026, 13, 1, 0, 0, 0},        {2026, 4, 31, 0, 0, 0}, {2026, 2, 29, 0, 0, 0},
        {2100, 2, 29, 0, 0, 0},        {2026, 1, 0, 0, 0, 0},  {2026, 1, 1, 24, 0, 0},
        {2026, 1, 1, 0, 60, 0},        {2026, 1, 1, 0, 0, 60}, {2026, 1, 1, -1, 0, 0},
        {2026, 1, 1, 0, -1, 0},        {2026, 1, 1, 0, 0, -1}, {INT64_MAX, 1, 1, 0, 0, 0},
        {2026, INT64_MIN, 1, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(!civil_is_valid(&cases[i]), "case %zu", i);
}
END_TEST

/* What is written is what Elixir would write, and is read again. */
START_TEST(written_and_read)
{
    struct cn_writer writer;
    int64_t seconds;

    cn_writer_init(&writer, 0);
    datetime_write(&writer, 1795395723);
    assert_term(cn_writer_term(&writer), "utc(2026,11,23,1,2,3)");
    ck_assert(datetime_read(cn_writer_term(&writer), &seconds));
    ck_assert_int_eq(seconds, 1795395723);
    cn_writer_free(&writer);
}
END_TEST

/* Every way not to be a DateTime in UTC of our years. */
START_TEST(refused)
{
    static const struct {
        const char *path;
        const char *value;
    } edits[] = {
        {"__struct__", ":date"},
        {"__struct__", NULL},
        {"calendar", "Calendar.Other"},
        {"calendar", NULL},
        {"time_zone", "\"Europe/Rome\""},
        {"time_zone", ":utc"},
        {"time_zone", NULL},
        {"utc_offset", "3600"},
        {"utc_offset", NULL},
        {"std_offset", "1"},
        {"std_offset", ":none"},
        {"year", "1969"},
        {"year", "10000"},
        {"year", "2026.0"},
        {"month", "13"},
        {"day", "31"},
        {"day", "18446744073709551615"},
        {"hour", "24"},
        {"minute", NULL},
        {"second", "60"},
        {"microsecond", "0"},
        {"microsecond", "{0, 7}"},
        {"microsecond", "{1000000, 6}"},
        {"microsecond", "{-1, 6}"},
        {"microsecond", "{0, 0, 0}"},
        {"microsecond", NULL},
        {"microsecond", "{0, :six}"},
    };
    struct cn_term good = term("utc(2026,11,23,1,2,3)");
    int64_t seconds = 77;

    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
        ck_assert_msg(!datetime_read(edited(good, edits[i].path, edits[i].value), &seconds),
                      "%s = %s", edits[i].path, edits[i].value);
    ck_assert(!datetime_read(term("[]"), &seconds));
    ck_assert_int_eq(seconds, 77);
}
END_TEST

/* The abbreviation of the zone and unknown fields do not matter; parts of a second are cut off. */
START_TEST(accepted)
{
    static const struct {
        const char *path;
        const char *value;
    } edits[] = {
        {"zone_abbr", "\"Z\""},
        {"zone_abbr", NULL},
        {"more", "1"},
        {"microsecond", "{999999, 3}"},
    };
    struct cn_term good = term("utc(2026,11,23,1,2,3)");

    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        int64_t seconds;

        ck_assert(datetime_read(edited(good, edits[i].path, edits[i].value), &seconds));
        ck_assert_int_eq(seconds, 1795395723);
    }
}
END_TEST

TEST_MAIN("datetime", known_moments, every_day, unreal_moments, written_and_read, refused, accepted)
