/*
 * Names of errors, for log lines and trace lines.
 *
 * A table beside the enum; a missing row would show as "unknown condition", which a test looks for.
 */
#include "base/error.h"

#include <string.h>

static const char *const names[CN_E_COUNT_] = {
    [0] = "ok",
    [CN_E_TAKEN] = "taken",
    [CN_E_LIMIT] = "limit",
    [CN_E_UNKNOWN] = "unknown",
    [CN_E_INVALID] = "invalid",
    [CN_E_MORE] = "more",
    [CN_E_END] = "end",
    [CN_E_TRUNCATED] = "truncated",
    [CN_E_REFUSED] = "refused",
    [CN_E_AUTH] = "auth",
    [CN_E_BUSY] = "busy",
    [CN_E_DRAINING] = "draining",
    [CN_E_CLOSED] = "closed",
    [CN_E_TIMEOUT] = "timeout",
    [CN_E_STALE] = "stale",
    [CN_E_DUPLICATE] = "duplicate",
    [CN_E_SUSPENDED] = "suspended",
    [CN_E_UNSUPPORTED] = "unsupported",
    [CN_E_TERM_SHORT] = "term cut short",
    [CN_E_TERM_TRAILING] = "bytes after the term",
    [CN_E_TERM_TAG] = "unknown term tag",
    [CN_E_TERM_DEEP] = "term nested too deep",
    [CN_E_TERM_COUNT] = "impossible element count",
    [CN_E_TERM_ATOM] = "invalid atom",
    [CN_E_TERM_COMPRESSED] = "compressed term",
    [CN_E_TERM_LIMIT] = "a term too large",
    [CN_E_TERM_TWINS] = "twin keys in a map",
    [CN_E_TERM_VALUE] = "invalid value in a term",
};

static const char *errno_name(int error)
{
#ifdef __GLIBC__
    const char *name = strerrorname_np(error);

    return name != NULL ? name : "unknown errno";
#else
    return strerror(error);
#endif
}

const char *error_name(int error)
{
    if (error < 0)
        return errno_name(-error);
    if (error >= CN_E_COUNT_ || names[error] == NULL)
        return "unknown condition";
    return names[error];
}
