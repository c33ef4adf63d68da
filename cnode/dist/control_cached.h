/*
 * Control messages as they are behind a distribution header: atoms by number.
 *
 * A call brings a MONITOR_P, a SEND and a DEMONITOR_P, whose few atoms are nodes and names. To
 * write these out, walk the tuple and read it again costs more than to handle it. So the messages
 * that come in masses are read where they are, with the header's table at hand; whatever looks
 * otherwise goes the long way (expand.h, control_decode), with the same result.
 */
#ifndef DIST_CONTROL_CACHED_H
#define DIST_CONTROL_CACHED_H

#include <stdbool.h>

#include "dist/atom_cache_out.h"
#include "dist/control.h"

/**
 * Read the control tuple at the start of @terms, all that follows a header, if it is a send, a
 * MONITOR_P or a DEMONITOR_P in which each atom is ATOM_CACHE_REF i, for the text @atoms[i],
 * i < @count, and a message follows or not as it must; *@size counts the tuple's bytes.
 *
 * Ownership: names view @atoms and are valid as long as its texts.
 * Errors: false: it is something else, or wrong; then @control is undefined. control_decode knows.
 */
bool control_read_cached(struct cn_bytes terms, const struct cn_bytes *atoms, uint32_t count,
                         struct control *control, size_t *size);
/**
 * Tell whether control_write_cached knows @control for a peer with the effective @flags: an answer
 * to an alias, or a message to a pid that tells its sender.
 */
bool control_is_cached(const struct control *control, uint64_t flags);
/**
 * Append the tuple of such a message as control_encode would, but with its atoms as references into
 * the frame that was begun in @cache.
 *
 * Errors: false, with nothing appended, when the header has no room for its atoms.
 */
bool control_write_cached(const struct control *control, struct atom_cache_out *cache,
                          struct cn_writer *writer);

#endif
