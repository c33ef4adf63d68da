/*
 * Two handshakes that talk to each other through memory: alice@a dials bob@b.
 *
 * What one says is carried to the other in one piece or in random ones; a test can stop in
 * the middle, change what is carried, or play one side itself.
 */
#ifndef TESTS_UNIT_DIST_HANDSHAKE_PAIR_H
#define TESTS_UNIT_DIST_HANDSHAKE_PAIR_H

#include "dist/handshake.h"
#include "support.h"

extern struct handshake dialling;
extern struct handshake accepting;
extern uint32_t reflected; /* a challenge that counts as given out elsewhere; 0: none */
extern bool one_node;      /* both handshakes are of the same node */
extern bool cutting;       /* hand bytes over in random pieces */

/** Start each test with nothing, and release both sides after it. */
void pair_setup(void);
void pair_teardown(void);
/** Fill a buffer from the seeded generator. */
void test_random(void *buffer, size_t size);
/** Start alice@a, who dials bob@b. */
void start_dialling(const char *cookie);
/** Start bob@b. */
void start_accepting(const char *cookie);
/** Move what @from has to say to @to, which may stop early; tell whether anything moved. */
bool carry(struct handshake *from, struct handshake *to);
/** Let both talk until nothing moves; the accepting side answers @answer. */
void talk(enum handshake_answer answer);
/** Feed the bytes of @message to @to. */
void say(struct handshake *to, const struct bytes *message);

#endif
