/*
 * What the layers below the public API need of the writer beyond <cnode/term.h>.
 *
 * Frames are bytes that are not all terms (the version byte between control message and payload),
 * and they are written with the same sticky errors.
 */
#ifndef CNODE_ETF_WRITER_H
#define CNODE_ETF_WRITER_H

#include <stddef.h>

#include <cnode/term.h>

/** The most bytes of a writer that was given no limit: the frame limit, 128 MiB. */
#define ETF_SIZE_MAX ((size_t)128 << 20)

/** Append @size bytes as they are. Errors: as every cn_write_*. */
void etf_write_raw(struct cn_writer *writer, const void *data, size_t size);

/**
 * Append @size bytes that the caller will write, and give their place, valid until the next write;
 * NULL after an error.
 */
uint8_t *etf_write_room(struct cn_writer *writer, size_t size);

#endif
