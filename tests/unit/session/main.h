/*
 * What the tests of session/ share: one cluster, made and taken apart around each test.
 */
#ifndef TESTS_SESSION_MAIN_H
#define TESTS_SESSION_MAIN_H

#include <check.h>
#include <stdlib.h>

#include "unit/session/cluster.h"

/** The cluster of the running test. */
extern struct cluster cluster;

/** Make the cluster: no hosts. */
void setup(void);
void teardown(void);
/** Make a suite with one case around which setup and teardown run. */
Suite *suite_of(const char *name, TCase **ret_case);
/** Run it; gives what main returns. */
int run_suite(Suite *suite);

#endif
