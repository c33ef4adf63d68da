/*
 * A session's names: its id, and its join code if it has one, as {Registry, Key}.
 *
 * Wishes are carried out in the order in which they come: while an answer of the registry is
 * awaited, a later wish replaces what is still to be done and starts from the first name again, so
 * that a handoff that failed half-way ends with all names where they belong.
 */
#ifndef SESSION_NAMING_H
#define SESSION_NAMING_H

#include "session/session.h"

/** What is wished. */
enum naming_kind {
    NAMING_REGISTER, /* take both names if nobody has them */
    NAMING_MOVE,     /* give both to a pid, whoever has them */
    NAMING_LOOK,     /* find out how many of them a pid has */
};

/** What came of it. @result: 0; CN_E_TAKEN by @holder, @of_code telling which name; another error.
 */
struct naming_result {
    int error;
    bool of_code;
    const struct cn_pid *holder; /* NULL: not known */
    unsigned names;              /* how many the session has */
    unsigned held;               /* a look: how many of them lead to the pid */
};

/** Called once, unless the session ends first or another wish replaces this one. */
typedef void (*naming_done)(struct session *session, const struct naming_result *result);

/**
 * Wish that @target has the names of @session, or look whether it has. @done may be NULL, and may
 * be called at once. Errors: -ENOMEM; then nothing changes.
 */
int naming_wish(struct session *session, enum naming_kind kind, const struct cn_pid *target,
                naming_done done);
/** The session ends: nobody is told any more; names that it has or is about to get are given up. */
void naming_session_ends(struct session *session);
/** Tell the registry that another node gave this session its names. */
void naming_adopt(struct session *session);

#endif
