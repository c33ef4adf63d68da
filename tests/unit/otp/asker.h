/*
 * Node a with its functions, asked by node b: what the tests of rpc and erpc share.
 */
#ifndef TESTS_OTP_ASKER_H
#define TESTS_OTP_ASKER_H

#include "otp/functions.h"
#include "unit/otp/server.h"

extern struct world world;
extern struct functions *functions; /* of node a */
extern struct probe asker;          /* a process of node b */
extern struct process *asker_process;
extern struct server client; /* a gen_server of node b */
extern struct gen_server *client_server;
extern struct apply *kept; /* by test:keep/0, for a later answer */

/**
 * Functions of module `test` on node a: echo/1 returns its argument; fail/2 raises {Class, Reason};
 * keep/0 keeps its apply.
 */
void asker_setup(void);
void asker_teardown(void);
/** erpc:call to node a, settled; gives the exit reason of its process, with 1 for the reference. */
const char *erpc(const char *module, const char *function, struct cn_term arguments);
/** Any spawn request with the option monitor, settled; gives the exit reason. */
const char *spawn(const char *module, const char *function, uint32_t arity,
                  struct cn_term arguments);
/** rpc:call through rex, settled; gives the answer as "reply ...". */
const char *rpc(const char *module, const char *function, struct cn_term arguments);

#endif
