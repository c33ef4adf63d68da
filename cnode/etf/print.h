/*
 * Terms as text, for log lines.
 *
 * What an operator reads should look like what iex shows: %{a: 1}, {:error, :noproc},
 * #PID<a@host.123.0>. The text is bounded by its buffer and ends in "..." when it was cut; nesting
 * beyond a few levels is shown as "...". Never fails, whatever the bytes are.
 */
#ifndef CNODE_ETF_PRINT_H
#define CNODE_ETF_PRINT_H

#include <cnode/term.h>

#include "base/text.h"

/** Add @term to @text. */
void etf_print_text(struct text *text, struct cn_term term);
/** Render @term into @buffer of @size > 3 bytes, terminated. Errors: CN_E_TRUNCATED, cut. */
int etf_print(struct cn_term term, char *buffer, size_t size);

#endif
