/*
 * Signals become frames, in the form that both nodes agreed on: the way out, as decoder.h is the
 * way in.
 *
 * With the atom cache a frame begins with a header that names its atoms; the cache changes with
 * each header, so a frame must take its place in the stream right after it was made, or be aborted.
 * Without, a frame is passed through ('p'). A shared body is never copied: the frame points to it.
 *
 * Source: "Distribution Protocol", Distribution Header, ERTS User's Guide.
 */
#ifndef DIST_ENCODER_H
#define DIST_ENCODER_H

#include "base/shared.h"
#include "dist/atom_cache_out.h"
#include "dist/control.h"
#include "dist/frame.h"
#include "etf/body.h"

/** What encoders share: memory for one frame at a time. */
struct encoder_scratch {
    struct cn_writer tuple;
    struct cn_writer frame;
};

/** One direction of one connection. Private. */
struct encoder {
    uint64_t flags;
    struct encoder_scratch *scratch;
    struct atom_cache_out *cache; /* NULL: not used yet */
};

/** A frame in parts, to be written one after the other. Valid until the next frame is made. */
struct encoded_frame {
    struct cn_bytes parts[4];
    size_t count;
    struct cn_bytes tail; /* behind the parts; size 0: none */
    struct shared *owner; /* keeps the tail; NULL: no tail, or it is the caller's to copy */
    uint8_t head[FRAME_HEAD_BYTES];
};

/** Make an empty scratch memory. Allocates nothing. */
void encoder_scratch_init(struct encoder_scratch *scratch);
/** Release it. */
void encoder_scratch_deinit(struct encoder_scratch *scratch);

/** Start encoding for a peer with the effective @flags. Allocates nothing. */
void encoder_init(struct encoder *encoder, uint64_t flags, struct encoder_scratch *scratch);
/** Release what it holds. */
void encoder_deinit(struct encoder *encoder);
/**
 * Make the frame of @control and @message. With a @body (NULL: none) @message is the start of a
 * term, whole heads only, and the body its end.
 *
 * Errors: -ENOTSUP, -ENOMEM, -E2BIG, -EINVAL as control_encode; then nothing was made.
 */
int encoder_frame(struct encoder *encoder, const struct control *control, struct cn_term message,
                  struct etf_body *body, struct encoded_frame *ret_frame);
/** Take back the frame just made: it was not sent, and the cache forgets what it would have told.
 */
void encoder_abort(struct encoder *encoder);

/**
 * Make a pass-through frame for a peer with @flags, without cache or header. @scratch is any
 * writer, reused. Errors: as encoder_frame.
 */
int encode_plain(const struct control *control, struct cn_term message, struct etf_body *body,
                 uint64_t flags, struct cn_writer *scratch, struct encoded_frame *ret_frame);

#endif
