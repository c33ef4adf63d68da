/*
 * Dates by counting days.
 *
 * The days before a year are 365 for each since 1970 and one more for each leap year between. The
 * way back guesses the year from the days as if all years were leap years, which is never too late,
 * and walks up: 17 steps at most for the year 9999.
 */
#include "datetime.h"

#include "atoms.h"

enum {
    YEAR_MIN = 1970,
    YEAR_MAX = 9999,
    SECONDS_PER_DAY = 86400,
    MICROSECOND_MAX = 999999,
    MICROSECOND_DIGITS_MAX = 6,
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* How many years from 1 to @year are leap years. */
static int64_t leaps_until(int64_t year)
{
    return year / 4 - year / 100 + year / 400;
}

static int64_t days_before_year(int64_t year)
{
    return 365 * (year - YEAR_MIN) + leaps_until(year - 1) - leaps_until(YEAR_MIN - 1);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

bool civil_is_valid(const struct civil *civil)
{
    return civil->year >= YEAR_MIN && civil->year <= YEAR_MAX && civil->month >= 1 &&
           civil->month <= 12 && civil->day >= 1 &&
           civil->day <= days_in_month(civil->year, civil->month) && civil->hour >= 0 &&
           civil->hour <= 23 && civil->minute >= 0 && civil->minute <= 59 && civil->second >= 0 &&
           civil->second <= 59;
}

int64_t civil_to_seconds(const struct civil *civil)
{
    int64_t days = days_before_year(civil->year) + civil->day - 1;

    for (int64_t month = 1; month < civil->month; month++)
        days += days_in_month(civil->year, month);
    return days * SECONDS_PER_DAY + civil->hour * 3600 + civil->minute * 60 + civil->second;
}

struct civil civil_from_seconds(int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t rest = seconds % SECONDS_PER_DAY;
    struct civil civil = {.year = YEAR_MIN + days / 366, .month = 1};

    while (days_before_year(civil.year + 1) <= days)
        civil.year++;
    days -= days_before_year(civil.year);
    while (days >= days_in_month(civil.year, civil.month))
        days -= days_in_month(civil.year, civil.month++);
    civil.day = days + 1;
    civil.hour = rest / 3600;
    civil.minute = rest / 60 % 60;
    civil.second = rest % 60;
    return civil;
}

static bool has_atom(struct cn_term map, const char *key, const char *atom)
{
    struct cn_term value;

    return cn_map_get(map, key, &value) && cn_term_is_atom(value, atom);
}

static bool get_integer(struct cn_term map, const char *key, int64_t *ret_value)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(map, key, &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_integer(&reader, ret_value);
}

static bool has_zero(struct cn_term map, const char *key)
{
    int64_t value;

    return get_integer(map, key, &value) && value == 0;
}

static bool is_utc(struct cn_term map)
{
    struct cn_reader reader;
    struct cn_term zone;
    struct cn_bytes text;

    if (!cn_map_get(map, "time_zone", &zone))
        return false;
    cn_reader_init(&reader, zone);
    return cn_read_binary(&reader, &text) && cn_bytes_equal(text, "Etc/UTC") &&
           has_zero(map, "utc_offset") && has_zero(map, "std_offset");
}

/* Parts of a second are {Microseconds, Digits}. */
static bool has_microsecond(struct cn_term map)
{
    struct cn_reader reader;
    struct cn_term value;
    int64_t microsecond;
    int64_t digits;

    if (!cn_map_get(map, "microsecond", &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_this_tuple(&reader, 2) && cn_read_integer(&reader, &microsecond) &&
           cn_read_integer(&reader, &digits) && microsecond >= 0 &&
           microsecond <= MICROSECOND_MAX && digits >= 0 && digits <= MICROSECOND_DIGITS_MAX;
}

bool datetime_read(struct cn_term term, int64_t *ret_seconds)
{
    struct civil civil;

    if (!has_atom(term, "__struct__", "Elixir.DateTime") ||
        !has_atom(term, "calendar", "Elixir.Calendar.ISO") || !is_utc(term) ||
        !has_microsecond(term))
        return false;
    if (!get_integer(term, "year", &civil.year) || !get_integer(term, "month", &civil.month) ||
        !get_integer(term, "day", &civil.day) || !get_integer(term, "hour", &civil.hour) ||
        !get_integer(term, "minute", &civil.minute) ||
        !get_integer(term, "second", &civil.second) || !civil_is_valid(&civil))
        return false;
    *ret_seconds = civil_to_seconds(&civil);
    return true;
}

static void write_pair(struct cn_writer *writer, enum atom key, int64_t value)
{
    write_atom(writer, key);
    cn_write_integer(writer, value);
}

void datetime_write(struct cn_writer *writer, int64_t seconds)
{
    struct civil civil = civil_from_seconds(seconds);

    cn_write_map(writer, 13);
    write_atom(writer, ATOM_STRUCT);
    write_atom(writer, ATOM_MODULE_DATE_TIME);
    write_atom(writer, ATOM_CALENDAR);
    write_atom(writer, ATOM_MODULE_CALENDAR);
    write_pair(writer, ATOM_DAY, civil.day);
    write_pair(writer, ATOM_HOUR, civil.hour);
    write_atom(writer, ATOM_MICROSECOND);
    cn_write_tuple(writer, 2);
    cn_write_integer(writer, 0);
    cn_write_integer(writer, 0);
    write_pair(writer, ATOM_MINUTE, civil.minute);
    write_pair(writer, ATOM_MONTH, civil.month);
    write_pair(writer, ATOM_SECOND, civil.second);
    write_pair(writer, ATOM_STD_OFFSET, 0);
    write_atom(writer, ATOM_TIME_ZONE);
    cn_write_string(writer, "Etc/UTC");
    write_pair(writer, ATOM_UTC_OFFSET, 0);
    write_pair(writer, ATOM_YEAR, civil.year);
    write_atom(writer, ATOM_ZONE_ABBR);
    cn_write_string(writer, "UTC");
}
