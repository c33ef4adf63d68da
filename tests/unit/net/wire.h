/*
 * A sending side and a decoder of the same flags, with an outbox between them: what the tests of
 * sender.h share.
 */
#ifndef TESTS_NET_WIRE_H
#define TESTS_NET_WIRE_H

#include "dist/decoder.h"
#include "net/sender.h"

/** Forms of a frame: with and without atom cache and fragments. */
#define WIRE_FORMS 4

/** The only one. */
struct wire {
    struct outbox outbox;
    struct encoder_scratch scratch;
    struct sender sender;
    struct decoder_scratch decoding;
    struct decoder decoder;
};

extern struct wire wire;
/** Flags for each of the forms. */
extern const uint64_t wire_flags[WIRE_FORMS];

/** Make both sides. */
void wire_start(uint64_t flags);
/** Release them. */
void wire_stop(void);
/** Give a control message from 1 at a@a. */
struct control wire_control(enum control_op op);
/** Take one frame with its length out of the outbox. Ownership: the caller's, for free. */
uint8_t *wire_take_frame(size_t *ret_size);
/**
 * Decode the next frame; gives what decoder_take says, CN_E_CLOSED when there is none. Views of
 * *@ret_message stay until the next.
 */
int wire_take(struct control *ret_control, struct cn_term *ret_message);

#endif
