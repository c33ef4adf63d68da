/*
 * A gen_server for tests: answers what the request says, and writes down what it sees.
 */
#ifndef TESTS_OTP_SERVER_H
#define TESTS_OTP_SERVER_H

#include "otp/call.h"
#include "otp/gen_server.h"
#include "unit/proc/world.h"

/** What a test server saw. */
struct server {
    char *log[64]; /* "call {..}", "cast {..}", "info {..}", "timer", "reply .." */
    size_t count;
    char ended[256];
    struct gen_from *waiting; /* the caller of `wait` */
    bool freeze;              /* intercept takes everything */
    struct etf_body *body;    /* the answer to `shared`; the test's */
};

/**
 * Requests: `shared` is answered with the body; `wait` keeps the caller; {answer, T} answers the
 * kept one with T; `stop` stops normally after answering; anything else is answered {echo,
 * Request}.
 */
extern const struct gen_server_callbacks server_callbacks;

/** Start a server, registered as @name unless NULL; @server is zeroed. */
struct gen_server *server_start(struct procs *procs, struct server *server, const char *name);
void server_deinit(struct server *server);
/** A call_done that logs; @context is the struct server. */
void server_done(struct gen_server *self, void *context, enum call_outcome outcome,
                 struct cn_term term);
/** The latest line of its log, "" when there is none. */
const char *server_last(const struct server *server);

/** Write a term as text: parse("{a,[1,<<\"x\">>]}"); valid until 8 more were made. */
struct cn_term parse(const char *text);
/** The same with %p for a pid given as const struct cn_pid *, and %t for a struct cn_term *. */
struct cn_term parse_with(const char *text, ...);

#endif
