/*
 * Streams: many small frames in a row that nobody waits for an answer to.
 *
 * Read as they come they cost a system call and a wake-up each, here and even more at a BEAM that
 * sends: its every signal goes out by itself as long as the socket takes it. Left alone for
 * a moment, both sides handle them by the hundred: casts from a BEAM come at twice the rate, for a
 * quarter of the processor time. So a connection rests for STREAM_REST_MS after each read that was
 * part of a stream; others are read meanwhile. A peer to which anything was sent since its last
 * read may be waiting for that, and is no stream.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stdint.h>

/** Frames of one read from which on they may be a stream. */
#define STREAM_FRAMES_MIN 48
/** How fast they then come, on the average since the read before; nobody calls so often. */
#define STREAM_US_EACH 6
/** How long a stream is left alone after each read. */
#define STREAM_REST_MS 4

/** What a connection read lately. All zero at the start. Private. */
struct stream {
    uint64_t read_us;
    uint32_t frames;
    bool answered;
};

/** Note that a frame was read. */
static inline void stream_add(struct stream *stream)
{
    stream->frames++;
}

/** Note that something was sent. */
static inline void stream_answer(struct stream *stream)
{
    stream->answered = true;
}

/** A read is over: tell whether it was part of a stream, and start anew. */
bool stream_read(struct stream *stream, uint64_t now_us);

#endif
