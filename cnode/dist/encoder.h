/*
 * Signals become frames, in the form that both nodes agreed on: the way out, as decoder.h is the
 * way in.
 *
 * With the atom cache a frame begins with a header that names its atoms; the cache changes with
 * each header, so a frame must take its place in the stream right after it was made, or be aborted.
 * Without, a frame is passed through ('p'). A shared body is never copied: the frame points to it.
 *
 * A signal with more than 64 kB of terms becomes fragments when both sides know them. Only the
 * first has a header, so the others can leave at any later time, between other frames.
 *
 * Source: "Distribution Protocol", Distribution Header, ERTS User's Guide.
 */
#ifndef DIST_ENCODER_H
#define DIST_ENCODER_H

#include "base/shared.h"
#include "dist/atom_cache_out.h"
#include "dist/control.h"
#include "dist/fragments_out.h"
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
    uint64_t next_sequence;       /* of fragments */
};

/** A frame in parts, to be written one after the other. Valid until the next frame is made. */
struct encoded_frame {
    struct cn_bytes parts[4];
    size_t count;
    struct shared_bytes tail; /* behind the parts; size 0: none; without owner: to be copied */
    uint64_t fragments;       /* 1; more: see encoder_split */
    size_t size;              /* bytes of parts and tail */
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
/**
 * Begin a signal: keep its tuple in the scratch memory. *@message becomes empty when it went into
 * the tuple. Errors: as encoder_frame.
 */
int encoder_tuple(struct encoder *encoder, const struct control *control, struct cn_term *message);
/** Give the tuple that was begun; valid until the next one. */
struct cn_term encoder_begun(const struct encoder *encoder);
/** Begin a signal anew with a tuple that was kept elsewhere. Errors: -ENOMEM. */
int encoder_resume(struct encoder *encoder, struct cn_term tuple);
/** Make the frame of the signal that was begun. Errors: as encoder_frame. */
int encoder_finish(struct encoder *encoder, struct cn_term message, struct etf_body *body,
                   struct encoded_frame *ret_frame);
/**
 * Take over the terms of @frame, which was just made and has several fragments: parts[0] is then
 * what comes before the terms of the first one, and the rest of it is in @ret_out.
 *
 * Ownership: @ret_out is the caller's, for fragments_out_deinit. Errors: -ENOMEM; nothing changed.
 */
int encoder_split(struct encoder *encoder, const struct encoded_frame *frame,
                  struct fragments_out *ret_out);
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
