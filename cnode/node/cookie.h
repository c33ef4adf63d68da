/*
 * The cookie: the cluster's shared secret, read once from a file or the environment.
 *
 * It is never an argument and never logged, lives in locked memory, and is wiped from the
 * environment once read. A cookie file that others can read is refused, as OTP refuses it.
 */
#ifndef NODE_COOKIE_H
#define NODE_COOKIE_H

#include <stddef.h>

/** Longest cookie in bytes, as OTP: a cookie is an atom. */
#define COOKIE_BYTES_MAX 255

struct cookie {
    char text[COOKIE_BYTES_MAX + 1];
};

/**
 * Read the cookie: from @file, else from $RELEASE_COOKIE, else from ~/.erlang.cookie. The variable
 * is wiped whichever it was.
 *
 * Ownership: @cookie must stay where it is until cookie_deinit, for its memory is locked.
 * Errors: CN_E_INVALID with one line in @error, which names the file or the variable.
 */
int cookie_read(struct cookie *cookie, const char *file, char *error, size_t error_size);
/** Wipe and unlock. */
void cookie_deinit(struct cookie *cookie);

#endif
