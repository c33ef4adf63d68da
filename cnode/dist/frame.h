/*
 * Frames: the units in which two connected nodes speak.
 *
 * A frame is a 4-byte length and that many bytes; length 0 is a tick, a sign of life. The rest is
 * 'p' (pass through), the control tuple and at most one message, each behind its version byte 131.
 * A reader cuts a stream of bytes into frames: it copies only a frame that arrives in pieces, and
 * its memory grows by the bytes that are there, never by the length that a peer claims.
 * frame_parse then sends both terms through the walker, once; after it nobody checks them again.
 *
 * Frames with a distribution header (atom cache, fragments) are decoder.h's.
 *
 * Source: "Distribution Protocol", Protocol between Connected Nodes, ERTS User's Guide;
 * distribution.md A.2.
 */
#ifndef DIST_FRAME_H
#define DIST_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include <cnode/term.h>

#include "base/bytes.h"

/** Bytes of the length before a frame. */
#define FRAME_LENGTH_BYTES 4
/** Bytes that frame_write_head writes. */
#define FRAME_HEAD_BYTES 6
/** Longest frame when nobody says otherwise: 128 MiB. */
#define FRAME_BYTES_MAX (UINT32_C(128) << 20)

/** Cuts bytes into frames. Private. */
struct frame_reader {
    uint32_t frame_bytes_max;
    const uint8_t *input; /* what frame_reader_feed was given and is not yet cut */
    size_t input_size;
    struct bytes partial; /* the start of a frame, with its length, from earlier input */
    size_t delivered;     /* bytes of `partial` that the latest frame occupies */
};

/** Start a reader for frames of at most @frame_bytes_max bytes (0: FRAME_BYTES_MAX). */
void frame_reader_init(struct frame_reader *reader, uint32_t frame_bytes_max);
/** Release the memory. */
void frame_reader_deinit(struct frame_reader *reader);
/**
 * Give the reader bytes that arrived. They must stay until frame_reader_next has answered
 * CN_E_MORE, which must come before the next feed.
 */
void frame_reader_feed(struct frame_reader *reader, const uint8_t *data, size_t size);
/**
 * Take the next frame, without its length; size 0 is a tick. The view is valid until the next call.
 *
 * Errors: CN_E_MORE when the input holds no further whole frame (the rest is kept); CN_E_LIMIT
 * when a frame claims to be longer than allowed; -ENOMEM. After the last two the connection must
 * be closed.
 */
int frame_reader_next(struct frame_reader *reader, struct cn_bytes *ret_frame);

/**
 * Take a frame apart: its control tuple and its message (size 0 when there is none), both walked.
 *
 * Errors: CN_E_INVALID when it is no pass-through frame; what etf_walk says; CN_E_TERM_TRAILING.
 */
int frame_parse(struct cn_bytes frame, struct cn_term *ret_control, struct cn_term *ret_message);

/**
 * Write the head of a frame whose control tuple has @control_size bytes and whose message has
 * @message_size (0: none): length, 'p' and the first 131. The tuple follows; then, if there is a
 * message, 131 and the message.
 */
void frame_write_head(uint8_t head[FRAME_HEAD_BYTES], size_t control_size, size_t message_size);
/** Count the bytes after the 4-byte length of the frame that frame_write_head starts. */
size_t frame_size(size_t control_size, size_t message_size);

#endif
