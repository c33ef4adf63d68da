/*
 * Which updates a session has carried out: so that one that is asked for again is not done twice.
 *
 * A caller whose call broke off (the node was lost, the process moved) cannot know whether it was
 * carried out, so it asks once more with the tag of the first call. A session remembers the tags of
 * its last CARRIED_OUT_MAX updates, as the first 16 bytes of a BLAKE2b-512 each, and hands them on
 * when it moves. How it fails: a tag that may have been forgotten gives CARRIED_OUT_IN_DOUBT, never
 * a guess. Source: PROTOCOL.md, "A call that broke off".
 */
#ifndef SESSION_CARRIED_OUT_H
#define SESSION_CARRIED_OUT_H

#include <cnode/term.h>

/** How many updates are remembered. */
#define CARRIED_OUT_MAX 256u

struct carried_out;

/** What is known of a call. */
enum carried_out_answer {
    CARRIED_OUT_NOT,
    CARRIED_OUT_DONE,
    CARRIED_OUT_IN_DOUBT, /* it may be one of those that are not remembered any more */
};

/**
 * Note at @now_ms that the call @tag was carried out, making the memory when *@done is NULL.
 * Without memory for it, it counts as forgotten, if there is something to note that in.
 */
void carried_out_add(struct carried_out **done, const struct cn_ref *tag, uint64_t now_ms);
/** Tell what became of the call @tag, made @age_ms before @now_ms. @done may be NULL. */
enum carried_out_answer carried_out_judge(const struct carried_out *done, const struct cn_ref *tag,
                                          uint64_t age_ms, uint64_t now_ms);
/**
 * From now on a call may come twice, or after its repetition: see carried_out_repeats. Makes the
 * memory when *@done is NULL; without room for that, what comes twice is done twice.
 */
void carried_out_repeated(struct carried_out **done);
/** Tell whether calls must be looked up before they are carried out. @done may be NULL. */
bool carried_out_repeats(const struct carried_out *done);
/** Count the calls in @bytes, as carried_out_write wrote them, that @done has not; it may be NULL.
 */
size_t carried_out_unknown(const struct carried_out *done, struct cn_bytes bytes);
/** How many bytes carried_out_write writes at most. */
#define CARRIED_OUT_BYTES_MAX (5u + CARRIED_OUT_MAX * 20u)
/** Write it to @to, for a snapshot; gives the number of bytes, 0 for NULL. */
size_t carried_out_write(const struct carried_out *done, uint64_t now_ms,
                         uint8_t to[CARRIED_OUT_BYTES_MAX]);
/**
 * Read what carried_out_write wrote; size 0 gives NULL. Ownership: the caller's, for
 * carried_out_free. Errors: CN_E_INVALID; -ENOMEM.
 */
int carried_out_read(struct cn_bytes bytes, uint64_t now_ms, struct carried_out **ret_done);
/** Release; returns NULL, takes NULL. */
struct carried_out *carried_out_free(struct carried_out *done);

#endif
