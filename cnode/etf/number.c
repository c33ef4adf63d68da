/*
 * Comparing numbers.
 *
 * Integers compare by sign, length and bytes. To compare one with a float, the float's whole part
 * is written out as such an integer (at most 1024 bits), and the fraction decides between equals.
 */
#include "etf/number.h"

#include <math.h>
#include <string.h>

#define FLOAT_BYTES_MAX 129 /* 1024 bits, and one byte for the shift */

static int compare_magnitudes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    if (a_size != b_size)
        return a_size < b_size ? -1 : 1;
    for (size_t i = a_size; i > 0; i--)
        if (a[i - 1] != b[i - 1])
            return a[i - 1] < b[i - 1] ? -1 : 1;
    return 0;
}

int etf_compare_integers(const struct etf_integer *a, const struct etf_integer *b)
{
    int r;

    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    r = compare_magnitudes(etf_magnitude(a), a->size, etf_magnitude(b), b->size);
    return a->negative ? -r : r;
}

/* Write the whole number @value >= 0, lowest byte first; gives its size. */
static size_t float_magnitude(double value, uint8_t *bytes)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 53);
    size_t size = 0;

    exponent -= 53;
    if (exponent < 0) { /* below 2^53: nothing is lost */
        mantissa >>= exponent > -64 ? -exponent : 63;
        exponent = 0;
    }
    for (; exponent >= 8; exponent -= 8)
        bytes[size++] = 0;
    mantissa <<= exponent; /* 53 + 7 bits */
    for (; mantissa != 0; mantissa >>= 8)
        bytes[size++] = (uint8_t)mantissa;
    return size;
}

int etf_compare_integer_float(const struct etf_integer *a, double b)
{
    uint8_t bytes[FLOAT_BYTES_MAX];
    double whole = trunc(b);
    size_t size;
    int r;

    if (a->negative != (b < 0) && (a->size > 0 || b < 0))
        return a->negative ? -1 : 1;
    size = float_magnitude(fabs(whole), bytes);
    r = compare_magnitudes(etf_magnitude(a), a->size, bytes, size);
    if (r == 0 && whole != b)
        r = -1; /* the fraction makes the float's magnitude greater */
    return b < 0 ? -r : r;
}

int etf_compare_floats(double a, double b, bool exact)
{
    if (a != b)
        return a < b ? -1 : 1;
    return exact ? !!signbit(b) - !!signbit(a) : 0;
}
