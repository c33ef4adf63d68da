/*
 * The distribution handshake, both roles, as a machine that eats bytes and makes bytes.
 *
 * Two nodes prove to each other that they know the same cookie before either listens to the other.
 * Nothing here reads a socket or a clock: the caller feeds what arrived, in any cuts, sends
 * what handshake_output holds, and gives up after its own deadline. Messages have a 2-byte length.
 *
 *        dialling                                       accepting
 *
 *      ┌──────────┐   'N' flags creation name        ┌──────────┐
 *      │  STATUS  │ ───────────────────────────────► │   NAME   │──► named: the caller decides
 *      └──────────┘                                  └──────────┘
 *        │  │   's' ok | ok_simultaneous | alive       │  │   │ nok, not_allowed
 *        │  │ ◄────────────────────────────────────────┘  │   └─────────────► REFUSED
 *        │  │   nok: DEFERRED, the peer's own dial wins   │ alive
 *        │  │   's' true (only after alive)          ┌─────────┐
 *        │  │ ──────────────────────────────────────►│  ALIVE  │
 *        ▼  │   'N' flags challenge creation name    └─────────┘
 *      ┌───────────┐ ◄───────────────────────────────┐   │
 *      │ CHALLENGE │  'r' challenge digest          ┌───────┐
 *      └───────────┘ ─────────────────────────────► │ REPLY │  proven: the caller may look, then
 *        │          'a' digest                      └───────┘  handshake_accept
 *      ┌─────┐ ◄─────────────────────────────────────┘   │
 *      │ ACK │                                           │
 *      └─────┘──► DONE                                   └──► DONE
 *
 * Any state falls to REFUSED; the reason is in handshake_reason. Bytes after a message's last
 * field are ignored, as the protocol asks, for later versions to use.
 *
 * Against a stranger: the digest is compared in constant time; a challenge of the peer that equals
 * one that we have given out to anybody is refused, else somebody without the cookie could let us
 * answer our own question; sizes are bounded; a name counts for nothing before the digest.
 *
 * Source: "Distribution Protocol", Distribution Handshake, ERTS User's Guide; distribution.md B.1.
 */
#ifndef DIST_HANDSHAKE_H
#define DIST_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnode/term.h>

#include "base/bytes.h"
#include "base/sm.h"

/** Bytes of the digest. */
#define HANDSHAKE_DIGEST_BYTES 16
/** The longest message that is listened to, without its length. */
#define HANDSHAKE_MESSAGE_MAX 1024

/** handshake_reason after our own HANDSHAKE_NOK: nobody's fault. */
#define HANDSHAKE_LOST_TIE "we dial this peer ourselves, and our name is greater"

enum handshake_state {
    HANDSHAKE_NAME,   /* accepting: waits for the peer's name */
    HANDSHAKE_NAMED,  /* accepting: the caller must call handshake_answer */
    HANDSHAKE_ALIVE,  /* accepting: said alive, waits for true */
    HANDSHAKE_REPLY,  /* accepting: sent its challenge, waits for the digest */
    HANDSHAKE_PROVEN, /* accepting: the cookie is proven, the caller must call handshake_accept */
    HANDSHAKE_STATUS, /* dialling: sent its name, waits for the status */
    HANDSHAKE_CHALLENGE, /* dialling: waits for the challenge */
    HANDSHAKE_ACK,       /* dialling: sent digest and challenge, waits for the peer's digest */
    HANDSHAKE_DONE,      /* both sides have proven the cookie; frames follow */
    HANDSHAKE_DEFERRED,  /* dialling: the peer said nok, since it dials us and wins */
    HANDSHAKE_REFUSED,   /* over, by either side */
};

/** What the accepting side says to a name. */
enum handshake_answer {
    HANDSHAKE_OK,
    HANDSHAKE_OK_SIMULTANEOUS, /* we dial it too, and its dial wins */
    HANDSHAKE_NOK,             /* we dial it too, and our dial wins */
    HANDSHAKE_NOT_ALLOWED,
    HANDSHAKE_IS_ALIVE, /* we believe to be connected with it */
};

/** What a handshake needs to know. Strings must live as long as the handshake. */
struct handshake_config {
    const char *name;   /* our node name */
    const char *cookie; /* at most 255 bytes */
    const char *peer;   /* dialling: the name that must answer; NULL: accepting */
    uint64_t flags;     /* what we advertise */
    uint32_t creation;
    /** Fill @size bytes with unpredictable ones. */
    void (*random)(void *buffer, size_t size);
    /** Tell whether we have given out @challenge in a handshake that is not over yet. */
    bool (*outstanding)(void *context, uint32_t challenge);
    void *context;
};

/** A handshake. Private but for the functions below. */
struct handshake {
    struct sm sm;
    struct handshake_config config;
    struct bytes in;
    struct bytes out;
    char peer_name[CN_NODE_NAME_MAX + 1];
    uint64_t peer_flags; /* expanded */
    uint32_t peer_creation;
    uint32_t challenge; /* ours */
    bool challenge_given;
    uint32_t peer_challenge;
    char reason[256];
};

/** Start: a dialling side has output at once. @id tells traces apart. Errors: -ENOMEM. */
int handshake_init(struct handshake *handshake, const struct handshake_config *config, uint64_t id);
/** Release what it holds; also of a zeroed structure. */
void handshake_deinit(struct handshake *handshake);

/**
 * Take bytes that arrived. Stops at the first moment that needs the caller (NAMED, PROVEN) or ends
 * it (DONE, DEFERRED, REFUSED): look at handshake_state, then feed the rest. Sets *@ret_used to
 * the bytes taken; after DONE what is left are frames.
 *
 * Errors: -ENOMEM, the connection must be closed.
 */
int handshake_feed(struct handshake *handshake, const uint8_t *data, size_t size, size_t *ret_used);
/** In NAMED: say what we think of the name. Errors: -ENOMEM. */
int handshake_answer(struct handshake *handshake, enum handshake_answer answer);
/** In PROVEN: acknowledge; DONE. Errors: -ENOMEM. */
int handshake_accept(struct handshake *handshake);
/** End it from our side, unless it has ended; @reason goes to handshake_reason. */
void handshake_refuse(struct handshake *handshake, const char *reason);

/** Give the state. */
enum handshake_state handshake_state(const struct handshake *handshake);
/** View the bytes to send; bytes_consume them when they were sent. */
struct bytes *handshake_output(struct handshake *handshake);
/** Say why it was refused: "wrong cookie", "the peer lacks V4_NC", ... "" otherwise. Printable. */
const char *handshake_reason(const struct handshake *handshake);
/** Give the peer's name; "" before NAMED when accepting. Unproven before PROVEN or DONE. */
const char *handshake_peer(const struct handshake *handshake);
/** Give the flags that both sides have; valid from NAMED or ACK on. */
uint64_t handshake_flags(const struct handshake *handshake);
/** Give the peer's creation; valid from NAMED or ACK on. */
uint32_t handshake_peer_creation(const struct handshake *handshake);
/** Tell whether this handshake has given out @challenge and is not over. */
bool handshake_has_given(const struct handshake *handshake, uint32_t challenge);

/**
 * Compute MD5 of @cookie followed by @challenge in decimal. Errors: -EIO when libcrypto has no
 * MD5.
 */
int handshake_digest(const char *cookie, uint32_t challenge,
                     uint8_t ret_digest[HANDSHAKE_DIGEST_BYTES]);

#endif
