/*
 * Streams. How it fails: a stream is noticed at its second read, and a call in the midst of one
 * waits for a rest.
 */
#include "net/stream.h"

bool stream_read(struct stream *stream, uint64_t now_us)
{
    uint64_t took_us = now_us - stream->read_us;
    bool is_stream = !stream->answered && stream->frames >= STREAM_FRAMES_MIN &&
                     took_us < (uint64_t)stream->frames * STREAM_US_EACH;

    *stream = (struct stream){.read_us = now_us};
    return is_stream;
}
