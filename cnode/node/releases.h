/*
 * Releases: which OTP each peer runs, for the few answers that depend on the asker.
 *
 * sys:get_state takes the bare state on OTP 26 and older and {ok, State} on 27 and later. A visible
 * or hidden peer is asked for erlang:system_info(otp_release) when it comes up; until it has
 * answered it counts as old, and so does one that never answers.
 */
#ifndef NODE_RELEASES_H
#define NODE_RELEASES_H

#include "proc/process.h"

struct releases;

/** Start asking, and tell sys what is learnt. Errors: CN_E_LIMIT, -ENOMEM. */
int releases_new(struct procs *procs, struct releases **ret_releases);
/** Release, after procs_free; returns NULL. */
struct releases *releases_free(struct releases *releases);
/** A peer is up. Errors: -ENOMEM. */
int releases_peer_up(struct releases *releases, const char *node);
/** A peer is gone. */
void releases_peer_down(struct releases *releases, const char *node);
/** Give the release of @node, such as 25; 0 when it is not known. */
uint32_t releases_of(const struct releases *releases, const char *node);

#endif
