/*
 * The numbers of a distribution header that both directions share: one place for what must be the
 * same on the way in and on the way out.
 */
#ifndef DIST_ATOM_CACHE_WIRE_H
#define DIST_ATOM_CACHE_WIRE_H

/** Half a byte of flags: this reference brings a text for its slot. */
#define ATOM_CACHE_NEW 0x8
/** Half a byte of flags: the upper three bits of the slot. */
#define ATOM_CACHE_SEGMENT 0x7
/** The half byte after the last reference: lengths of texts have two bytes. */
#define ATOM_CACHE_LONG 0x1
/** Bytes of flags before @count > 0 references. */
#define ATOM_CACHE_FLAG_BYTES(count) ((size_t)(count) / 2 + 1)

#endif
