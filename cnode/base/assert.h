/*
 * Assertions that are always on.
 *
 * They state what only a bug of ours can break, so a failed one prints where and aborts: going on
 * with a broken invariant would lose sessions quietly. Bytes from a peer must never reach one; that
 * is the pass criterion of the fuzzers. Not <assert.h>, which NDEBUG switches off.
 */
#ifndef CNODE_BASE_ASSERT_H
#define CNODE_BASE_ASSERT_H

/** Print where and what to standard error, then abort. Never returns. */
_Noreturn void assert_failed(const char *file, int line, const char *text);

/** Abort, naming file and line, unless @condition holds. @condition is always evaluated. */
#define cn_assert(condition) ((condition) ? (void)0 : assert_failed(__FILE__, __LINE__, #condition))

/** Abort where the program can only come by a bug of ours. */
#define cn_unreachable() assert_failed(__FILE__, __LINE__, "unreachable")

#endif
