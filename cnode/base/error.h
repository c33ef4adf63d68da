/*
 * The conditions that functions of all layers answer with.
 *
 * An error has two signs. Below zero it is -errno: nothing the caller can repair, passed up as it
 * is. Above zero it is one of these: an expected outcome that the function lists in its header and
 * its caller handles. Zero is success. One list for all layers, so that a log line can name any.
 */
#ifndef CNODE_BASE_ERROR_H
#define CNODE_BASE_ERROR_H

enum cn_error {
    CN_E_TAKEN = 1,   /* a name, slot or role belongs to somebody else */
    CN_E_LIMIT,       /* a configured limit is reached */
    CN_E_UNKNOWN,     /* no such name, process, session, node or function */
    CN_E_INVALID,     /* well-formed bytes that make no sense here */
    CN_E_MORE,        /* the input ends before the item does: come back with more bytes */
    CN_E_END,         /* nothing is left */
    CN_E_TRUNCATED,   /* the output did not fit and was cut */
    CN_E_REFUSED,     /* the other side said no */
    CN_E_AUTH,        /* the cookie, digest or seal does not match */
    CN_E_BUSY,        /* a queue is full: try again when it drains */
    CN_E_DRAINING,    /* the node is leaving and takes nothing new */
    CN_E_CLOSED,      /* the connection, process or session has ended */
    CN_E_TIMEOUT,     /* a deadline has passed */
    CN_E_STALE,       /* an older epoch, version, incarnation or round */
    CN_E_DUPLICATE,   /* the same thing once more: already done */
    CN_E_SUSPENDED,   /* frozen or paused: queued, not executed */
    CN_E_UNSUPPORTED, /* known, but not offered by this node or this peer */

    /* What a term can have wrong with it (etf/walk.h). */
    CN_E_TERM_SHORT,      /* the bytes end inside the term */
    CN_E_TERM_TRAILING,   /* bytes follow the term */
    CN_E_TERM_TAG,        /* a tag that is unknown or no longer sent */
    CN_E_TERM_DEEP,       /* more nesting than the limit */
    CN_E_TERM_COUNT,      /* more elements announced than bytes left, or than the tag allows */
    CN_E_TERM_ATOM,       /* an atom too long, or not valid UTF-8 */
    CN_E_TERM_COMPRESSED, /* a compressed term */
    CN_E_TERM_LIMIT,      /* more terms or keys than allowed */
    CN_E_TERM_TWINS,      /* a map that has a key twice */
    CN_E_TERM_VALUE,      /* a value that no BEAM writes: bits, sign, float, inconsistent size */

    CN_E_COUNT_, /* not a condition: their number */
};

/** Name @error for a log line: "taken", "ENOMEM", "ok". The text is static. */
const char *error_name(int error);

#endif
