/*
 * Which of two versions of the application is the newer one.
 *
 * A version is any text, "1.12.3-rc1" or "2026.11.28". Its numbers count, from left to right; what
 * is between them does not, and a number that is missing is smaller than any. So a deploy is seen
 * whatever its versions look like, as long as they rise.
 */
#ifndef SESSION_APP_VERSION_H
#define SESSION_APP_VERSION_H

#include <cnode/term.h>

/** Compare the numbers of @a and @b: < 0, 0 or > 0. Beyond 18 digits a number counts as 10^18. */
int app_version_compare(struct cn_bytes a, struct cn_bytes b);

#endif
