/*
 * Order of numbers: integers of any size and floats, exactly.
 *
 * A float is never rounded towards an integer nor the other way round: 2^53 + 1 and the float 2^53
 * differ, as they do on a BEAM.
 */
#ifndef CNODE_ETF_NUMBER_H
#define CNODE_ETF_NUMBER_H

#include "etf/raw.h"

/** Compare two integers: < 0, 0, > 0. */
int etf_compare_integers(const struct etf_integer *a, const struct etf_integer *b);
/** Compare an integer with a finite float by value: < 0, 0, > 0. */
int etf_compare_integer_float(const struct etf_integer *a, double b);
/** Compare two finite floats; -0.0 is below 0.0 when @exact, else equal to it. */
int etf_compare_floats(double a, double b, bool exact);

#endif
