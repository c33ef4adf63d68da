/*
 * Elixir's DateTime in UTC, whole seconds, between a term and seconds since 1970.
 *
 * Source: Elixir's modules DateTime and Calendar.ISO (proleptic Gregorian calendar, no leap
 * seconds).
 */
#ifndef CNODE_MINOTAUR_DATETIME_H
#define CNODE_MINOTAUR_DATETIME_H

#include <cnode/term.h>

/** The last second of the year 9999. */
#define DATETIME_SECONDS_MAX 253402300799

/** A date and a time of day. */
struct civil {
    int64_t year;
    int64_t month; /* from 1 */
    int64_t day;   /* from 1 */
    int64_t hour;
    int64_t minute;
    int64_t second;
};

/** Tell whether this is a real date and time of the years 1970 to 9999. */
bool civil_is_valid(const struct civil *civil);
/** Give the seconds since 1970 of a valid date and time. */
int64_t civil_to_seconds(const struct civil *civil);
/** Give the date and time of @seconds, from 0 to DATETIME_SECONDS_MAX. */
struct civil civil_from_seconds(int64_t seconds);

/** Read a DateTime; false when @term is none, or not in UTC, or not of the years 1970 to 9999. */
bool datetime_read(struct cn_term term, int64_t *ret_seconds);
/** Write a DateTime of @seconds, from 0 to DATETIME_SECONDS_MAX. */
void datetime_write(struct cn_writer *writer, int64_t seconds);

#endif
