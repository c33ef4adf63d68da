/*
 * Control messages: what one node tells another about processes.
 *
 * Inside the node a control message has one canonical form, whatever form the wire used: the
 * trace-token variants (_TT), the payload forms of exits (EXIT_PAYLOAD) and op 22 or 37 for a
 * send all decode into the same few operations, and the encoder picks the form that the peer's
 * flags ask for. So the layers above know nothing of flags.
 *
 * Source: "Distribution Protocol", ERTS User's Guide; distribution.md A.2.
 */
#ifndef DIST_CONTROL_H
#define DIST_CONTROL_H

#include <cnode/term.h>

#include "base/shared.h"

/** The canonical operations. "message" is the payload handed beside the control message. */
enum control_op {
    CONTROL_SEND,          /* from (may be absent), to; message */
    CONTROL_REG_SEND,      /* from, to_name; message */
    CONTROL_ALIAS_SEND,    /* from, ref; message */
    CONTROL_LINK,          /* from, to */
    CONTROL_UNLINK,        /* from, to; id 0 from peers without UNLINK_ID */
    CONTROL_UNLINK_ACK,    /* from, to, id */
    CONTROL_EXIT,          /* from, to; message is the reason: a broken link */
    CONTROL_EXIT2,         /* from, to; message is the reason: exit/2 */
    CONTROL_MONITOR,       /* from, to or to_name, ref */
    CONTROL_DEMONITOR,     /* from, to or to_name, ref */
    CONTROL_MONITOR_EXIT,  /* from or from_name, to (the watcher), ref; the reason */
    CONTROL_SPAWN_REQUEST, /* ref, from, group_leader, module ... options; arguments */
    CONTROL_SPAWN_REPLY,   /* ref, to, flags, result (a pid, or an atom that says why not) */
    CONTROL_GROUP_LEADER,  /* from (the leader), to; ignored by us */
};

/** Flags of a spawn reply. */
#define CONTROL_SPAWN_LINK    1u
#define CONTROL_SPAWN_MONITOR 2u

/**
 * One control message. Only the fields named beside its operation count. Views point into the
 * frame (decoding) or to the caller's memory (encoding): valid during the call only.
 */
struct control {
    enum control_op op;
    bool has_from; /* SEND from peers without SEND_SENDER has no sender */
    struct cn_pid from;
    struct cn_pid to;
    struct cn_bytes to_name;   /* size 0: by pid */
    struct cn_bytes from_name; /* size 0: by pid */
    struct cn_ref ref;
    uint64_t id;
    uint32_t flags;
    struct cn_pid group_leader;
    struct cn_bytes module;
    struct cn_bytes function;
    uint32_t arity;
    struct cn_term options;
    struct cn_term result;
    struct shared *owner; /* decoding: keeps the message if it is large; NULL: it must be copied */
};

/** Make every field empty, as zeros do, without passing over all the room for names. */
void control_clear(struct control *control);

/**
 * Decode the control tuple @tuple and, for operations that have one, take the message from @payload
 * (size 0 when the frame held none); exits with an inline reason yield it as @ret_message.
 *
 * Errors: CN_E_INVALID when the tuple is no control message of ours, or lacks or has a payload
 * against its rule: the connection must be closed.
 */
int control_decode(struct cn_term tuple, struct cn_term payload, struct control *ret_control,
                   struct cn_term *ret_message);

/**
 * Append the tuple (without version byte) for a peer whose effective flags are @flags. @message
 * is the payload or the reason, written inside the tuple when the peer lacks EXIT_PAYLOAD. Sets
 * *@ret_payload_follows when @message must follow the tuple in the frame.
 *
 * Errors: -ENOTSUP when the peer cannot understand the operation at all (no ALIAS, SPAWN,
 * monitors); -ENOMEM.
 */
int control_encode(const struct control *control, struct cn_term message, uint64_t flags,
                   struct cn_writer *writer, bool *ret_payload_follows);

#endif
