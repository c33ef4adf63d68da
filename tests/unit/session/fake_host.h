/*
 * A host that the test plays: it says hello and answers every call with one term, or not at all.
 */
#ifndef TESTS_SESSION_FAKE_HOST_H
#define TESTS_SESSION_FAKE_HOST_H

#include "unit/session/cluster.h"

struct fake_host {
    struct gen_server *server;
    struct cluster *cluster;
    int node;
    uint8_t reply[512]; /* the term */
    size_t reply_size;  /* 0: no answer */
    char asked[400];    /* the latest request */
    char told[400];     /* the latest other message */
    int calls;
    int offers; /* of the calls */
    int hellos; /* received */
    /* What the next hello says. */
    int64_t protocol;
    const char *says_node; /* NULL: its own */
    bool draining;
    int64_t sessions;
    int64_t capacity;
    const char *app_version; /* NULL: it says none */
};

/** Start it on @node, registered; hellos are not sent yet. */
void fake_host_start(struct fake_host *fake, struct cluster *cluster, int node);
/** Answer calls with @reply from now on. */
void fake_host_answer(struct fake_host *fake, struct cn_term reply);
/** Say hello to the host of node @to, settled. */
void fake_host_hello(struct fake_host *fake, int to);
/** Its pid. */
const struct cn_pid *fake_host_pid(const struct fake_host *fake);

#endif
