/*
 * The sending side of a connection.
 *
 * A frame that cannot take its place in the outbox after all is taken back from the encoder, so
 * that no later frame refers to atoms that the peer was never told. What is held back keeps its
 * control tuple as it was encoded, with its atoms written out.
 */
#include "net/sender.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/map.h"
#include "dist/flags.h"
#include "net/sending.h"

/* Who sends: a process of this node; all zero: the node itself. */
struct source {
    uint32_t id;
    uint32_t serial;
};

/* A signal of which some fragments are still to come. */
struct large_signal {
    struct map_handle hh;
    struct list turn;
    struct source source;
    struct fragments_out fragments;
    struct list held; /* struct held_signal: later signals of the same sender */
    size_t held_bytes;
};

/* A signal that waits for a large one. */
struct held_signal {
    struct list link;
    struct etf_body *body;
    size_t bytes; /* of it all */
    size_t tuple_size;
    size_t message_size;
    uint8_t terms[];
};

void sender_init(struct sender *sender, struct outbox *outbox, uint64_t flags,
                 struct encoder_scratch *scratch)
{
    encoder_init(&sender->encoder, flags, scratch);
    sender->outbox = outbox;
    sender->by_source = NULL;
    list_init(&sender->turns);
    sender->waiting_bytes = 0;
}

static void held_free(struct held_signal *held)
{
    etf_body_put(held->body);
    mem_free(held);
}

static void free_all_held(struct list *all)
{
    struct list *link;

    while ((link = list_pop(all)) != NULL)
        held_free(container_of(link, struct held_signal, link));
}

static void large_free(struct sender *sender, struct large_signal *large)
{
    map_remove(sender->by_source, large);
    list_remove(&large->turn);
    fragments_out_deinit(&large->fragments);
    free_all_held(&large->held);
    mem_free(large);
}

void sender_deinit(struct sender *sender)
{
    struct large_signal *large;
    struct large_signal *next;

    map_for_each(sender->by_source, large, next) large_free(sender, large);
    sender->waiting_bytes = 0;
    encoder_deinit(&sender->encoder);
}

size_t sender_bytes(const struct sender *sender)
{
    return outbox_bytes(sender->outbox) + sender->waiting_bytes;
}

static struct large_signal *find_large(const struct sender *sender, const struct source *source)
{
    struct large_signal *large;

    map_find(sender->by_source, source, sizeof(*source), large);
    return large;
}

size_t sender_waiting_bytes(const struct sender *sender, const struct cn_pid *from)
{
    struct source source = {from->id, from->serial};
    const struct large_signal *large = find_large(sender, &source);

    return large != NULL ? fragments_out_bytes(&large->fragments) + large->held_bytes : 0;
}

bool sender_has_fragments(const struct sender *sender)
{
    return !list_empty(&sender->turns);
}

static bool is_full(const struct sender *sender, size_t more)
{
    size_t bytes = sender_bytes(sender);

    return bytes > 0 && bytes + more > sender->outbox->bytes_max;
}

/* The size of a body, which has one form at least. */
static size_t body_size(const struct etf_body *body)
{
    if (body == NULL)
        return 0;
    return body->plain.size > 0 ? body->plain.size : body->indexed.size;
}

/* Keep the signal that was begun until @large has left. */
static int hold_back(struct sender *sender, struct large_signal *large, struct cn_term message,
                     struct etf_body *body)
{
    struct cn_term tuple = encoder_begun(&sender->encoder);
    size_t bytes = tuple.size + message.size + body_size(body);
    struct held_signal *held;

    if (is_full(sender, bytes))
        return CN_E_LIMIT;
    held = mem_alloc(sizeof(*held) + tuple.size + message.size);
    if (held == NULL)
        return -ENOMEM;
    held->body = body;
    if (body != NULL)
        shared_take(&body->shared);
    held->bytes = bytes;
    held->tuple_size = tuple.size;
    held->message_size = message.size;
    memcpy(held->terms, tuple.data, tuple.size);
    if (message.size > 0)
        memcpy(held->terms + tuple.size, message.data, message.size);
    list_init(&held->link);
    list_append(&large->held, &held->link);
    large->held_bytes += bytes;
    sender->waiting_bytes += bytes;
    return 0;
}

/* Put a fragment into the outbox: @start, then the terms that are due. */
static int append_fragment(struct sender *sender, struct fragments_out *fragments,
                           struct cn_bytes start)
{
    struct shared_bytes views[FRAGMENT_PIECES_MAX];
    size_t count = fragments_out_cut(fragments, views);

    return outbox_append_shared(sender->outbox, &start, 1, views, count);
}

/* Send the first fragment of the frame just made, and remember the rest. */
static int start_large(struct sender *sender, const struct source *source,
                       const struct encoded_frame *frame)
{
    struct large_signal *large = mem_zalloc(sizeof(*large));
    int rc;

    if (large == NULL)
        return -ENOMEM;
    large->source = *source;
    list_init(&large->turn);
    list_init(&large->held);
    if (!map_add(sender->by_source, &large->source, sizeof(large->source), large)) {
        mem_free(large);
        return -ENOMEM;
    }
    rc = encoder_split(&sender->encoder, frame, &large->fragments);
    if (rc == 0)
        rc = append_fragment(sender, &large->fragments, frame->parts[0]);
    if (rc != 0) {
        large_free(sender, large);
        return rc;
    }
    list_append(&sender->turns, &large->turn);
    sender->waiting_bytes += fragments_out_bytes(&large->fragments);
    return 0;
}

/* Give the frame that was just made its place; a frame without one is taken back. */
static int place(struct sender *sender, const struct source *source,
                 const struct encoded_frame *frame, bool limited)
{
    int rc;

    if (limited && is_full(sender, frame->size))
        rc = CN_E_LIMIT;
    else if (frame->fragments > 1)
        rc = start_large(sender, source, frame);
    else
        rc = outbox_append_shared(sender->outbox, frame->parts, frame->count, &frame->tail, 1);
    if (rc != 0)
        encoder_abort(&sender->encoder);
    return rc;
}

/* The same with a message that must be whole, since it goes into the tuple. */
static int append_whole(struct sender *sender, const struct control *control, struct cn_term start,
                        struct etf_body *body)
{
    struct cn_writer whole;
    int rc;

    cn_writer_init(&whole, 0);
    rc = etf_body_join(&whole, start, body);
    if (rc == 0)
        rc = sender_append(sender, control, cn_writer_term(&whole), NULL);
    cn_writer_free(&whole);
    return rc;
}

int sender_append(struct sender *sender, const struct control *control, struct cn_term message,
                  struct etf_body *body)
{
    struct source source = {control->from.id, control->from.serial};
    struct large_signal *large = find_large(sender, &source);
    struct encoded_frame frame;
    int rc;

    if (body != NULL && control->op == CONTROL_MONITOR_EXIT &&
        (sender->encoder.flags & FLAG_EXIT_PAYLOAD) == 0)
        return append_whole(sender, control, message, body);
    if (large != NULL) {
        rc = encoder_tuple(&sender->encoder, control, &message);
        return rc != 0 ? rc : hold_back(sender, large, message, body);
    }
    rc = encoder_frame(&sender->encoder, control, message, body, &frame);
    return rc != 0 ? rc : place(sender, &source, &frame, true);
}

static int send_held(struct sender *sender, const struct source *source,
                     const struct held_signal *held)
{
    struct cn_term message = {held->terms + held->tuple_size, held->message_size};
    struct encoded_frame frame;
    int rc = encoder_resume(&sender->encoder, (struct cn_term){held->terms, held->tuple_size});

    if (rc == 0)
        rc = encoder_finish(&sender->encoder, message, held->body, &frame);
    return rc != 0 ? rc : place(sender, source, &frame, false);
}

/* The last fragment has its place: go on with what was held back, up to the next large signal. */
static int finish_large(struct sender *sender, struct large_signal *large)
{
    struct source source = large->source;
    size_t bytes = large->held_bytes;
    struct list held;
    struct list *link;
    int rc = 0;

    list_init(&held);
    list_splice(&held, &large->held);
    large_free(sender, large);
    while (rc == 0 && (link = list_pop(&held)) != NULL) {
        struct held_signal *first = container_of(link, struct held_signal, link);

        bytes -= first->bytes;
        sender->waiting_bytes -= first->bytes;
        rc = send_held(sender, &source, first);
        held_free(first);
        large = find_large(sender, &source);
        if (large != NULL) {
            list_splice(&large->held, &held);
            large->held_bytes = bytes;
        }
    }
    free_all_held(&held);
    return rc;
}

static int next_fragment(struct sender *sender, struct large_signal *large)
{
    struct fragments_out *fragments = &large->fragments;
    size_t before = fragments_out_bytes(fragments);
    uint8_t head[FRAGMENT_HEAD_BYTES];
    int rc;

    fragments_out_write_head(fragments, false, 0, head);
    rc = append_fragment(sender, fragments, (struct cn_bytes){head, sizeof(head)});
    sender->waiting_bytes -= before - fragments_out_bytes(fragments);
    if (rc != 0)
        return rc;
    if (fragments->left == 0)
        return finish_large(sender, large);
    list_remove(&large->turn);
    list_append(&sender->turns, &large->turn);
    return 0;
}

int sender_fill(struct sender *sender, size_t bytes)
{
    int rc = 0;

    while (rc == 0 && !list_empty(&sender->turns)) {
        rc = next_fragment(sender, container_of(sender->turns.next, struct large_signal, turn));
        if (outbox_bytes(sender->outbox) >= bytes)
            break;
    }
    return rc;
}

/* Send one of our own plain frames. */
static int move_frame(struct sender *sender, struct cn_bytes frame)
{
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;
    int rc;

    cn_assert(frame_parse(frame, &tuple, &payload) == 0);
    cn_assert(control_decode(tuple, payload, &control, &message) == 0);
    rc = sender_append(sender, &control, message, NULL);
    return rc == -ENOTSUP ? 0 : rc;
}

int sender_move(struct sender *sender, struct outbox *from)
{
    struct cn_bytes piece;
    int rc = 0;

    while (rc >= 0 && outbox_view(from, &piece, 1) == 1) {
        uint32_t size = be32_get(piece.data);

        rc = move_frame(sender, (struct cn_bytes){piece.data + FRAME_LENGTH_BYTES, size});
        outbox_consume(from, FRAME_LENGTH_BYTES + (size_t)size);
    }
    outbox_deinit(from);
    return rc < 0 ? rc : 0;
}
