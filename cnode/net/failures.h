/*
 * Failed handshakes, counted per address.
 *
 * Somebody who guesses cookies is slowed: after FAILURES_FREE failures each further handshake of
 * that address waits before it is read. A success, or a minute of quiet, forgets. The table is
 * small and fixed; when it is full the address that failed longest ago makes room.
 */
#ifndef NET_FAILURES_H
#define NET_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

/** Addresses that are remembered. */
#define FAILURES_ADDRESSES 256
/** Failures that cost nothing. */
#define FAILURES_FREE 10
/** The longest wait. */
#define FAILURES_DELAY_MAX_MS 3000
/** Quiet time after which an address starts anew. */
#define FAILURES_FORGET_MS 60000

struct failure {
    char host[ADDRESS_TEXT_MAX]; /* "": free */
    uint32_t count;
    uint64_t last_ms;
};

/** The table; zeroed it is empty. */
struct failures {
    struct failure rows[FAILURES_ADDRESSES];
};

/** Count a failure of @host; returns how many there were by now. */
uint32_t failures_note(struct failures *failures, const char *host, uint64_t now_ms);
/** Forget @host: it has proven the cookie. */
void failures_forget(struct failures *failures, const char *host);
/** Give the milliseconds that the next handshake of @host should wait. */
uint32_t failures_delay_ms(const struct failures *failures, const char *host, uint64_t now_ms);
/** Tell whether the @count-th failure is worth a log line: the first ones, then ever fewer. */
bool failures_worth_telling(uint32_t count);

#endif
