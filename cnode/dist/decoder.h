/*
 * The decoder: frames of a connection become control tuples and messages.
 *
 * It knows the three forms of a frame: pass-through ('p'), with a distribution header ('D'), and
 * fragments of one with a header ('E', 'F'). Whatever the form, the terms that come out have been
 * walked, once, and stand for themselves: nobody above knows of caches or fragments.
 *
 * Source: "Protocol between Connected Nodes", ERTS User's Guide; distribution.md A.2.
 */
#ifndef DIST_DECODER_H
#define DIST_DECODER_H

#include "dist/control.h"
#include "dist/fragments.h"

/** Memory that decoders of one thread share; it holds one signal at a time. */
struct decoder_scratch {
    struct cn_writer tuple;
    struct cn_writer message;
    struct atom_table atoms;
    struct control control;
};

/** The decoder of a connection. Private. */
struct decoder {
    uint64_t flags;
    uint32_t frame_bytes_max;
    struct decoder_scratch *scratch;
    struct atom_cache_in *cache; /* NULL: not negotiated, or not used yet */
    struct fragments fragments;
    struct fragment_sequence *done; /* whose terms were given out last */
};

/** Make an empty scratch memory. Allocates nothing. */
void decoder_scratch_init(struct decoder_scratch *scratch);
/** Release it. */
void decoder_scratch_deinit(struct decoder_scratch *scratch);

/**
 * Make a decoder for a connection with the effective @flags, whose frames and reassembled signals
 * have at most @frame_bytes_max bytes (0: FRAME_BYTES_MAX). Allocates nothing.
 */
void decoder_init(struct decoder *decoder, uint64_t flags, uint32_t frame_bytes_max,
                  struct decoder_scratch *scratch);
/** Release what it holds, unfinished fragments too. */
void decoder_deinit(struct decoder *decoder);
/**
 * Take a frame, without its length and no tick, and give the control tuple and the message (size 0
 * when there is none). Both are valid until the next call that shares the scratch memory.
 *
 * Errors: CN_E_MORE when it was a fragment and its signal is not complete; otherwise the connection
 * must be closed: CN_E_INVALID for a form that is unknown or was not negotiated, or a header or
 * fragment against the rules; CN_E_LIMIT; CN_E_TERM_*; -ENOMEM.
 */
int decoder_take(struct decoder *decoder, struct cn_bytes frame, struct cn_term *ret_control,
                 struct cn_term *ret_message);
/**
 * Take a frame and give its signal, with its owner: what decoder_take and control_decode do, but
 * what comes in masses is read without writing its atoms out. *@ret_control is valid until the next
 * call that shares the scratch memory.
 *
 * Errors: as decoder_take; CN_E_UNKNOWN when control_decode refuses the tuple.
 */
int decoder_signal(struct decoder *decoder, struct cn_bytes frame,
                   const struct control **ret_control, struct cn_term *ret_message);
/**
 * Give who keeps @message, which was just taken or is a part of what was: it stays valid as long as
 * it is shared. NULL when that is short-lived memory.
 */
struct shared *decoder_owner(const struct decoder *decoder, struct cn_term message);

#endif
