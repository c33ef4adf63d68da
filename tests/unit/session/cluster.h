/*
 * A cluster of hosts in one program: three nodes of the world of tests/unit/proc, each with a
 * client that makes calls; hosts and a shared table of names where the test wants them.
 */
#ifndef TESTS_SESSION_CLUSTER_H
#define TESTS_SESSION_CLUSTER_H

#include "session/host.h"
#include "unit/otp/server.h"
#include "unit/session/names.h"
#include "unit/session/toy.h"

#define CLUSTER_NODES WORLD_NODES
#define CLUSTER_LOGS  64

/** One node. */
struct cluster_node {
    struct cluster *cluster;
    struct functions *functions;
    struct hosts *hosts; /* NULL: not a host */
    struct server client_log;
    struct gen_server *client;
    char logs[CLUSTER_LOGS][200];
    size_t logs_count;
    int drain_started;
    int drained; /* times */
    int exit_code;
    struct hosts_summary summary;
};

/** All of it. */
struct cluster {
    struct world world;
    struct cluster_node nodes[CLUSTER_NODES];
    struct names names;
    int64_t wall_offset_ms;
    char started[200]; /* the answer to the latest cluster_start; empty: none yet */
};

/** Make three connected nodes with clients, without hosts. */
void cluster_init(struct cluster *cluster);
void cluster_deinit(struct cluster *cluster);
/** The settings of tests: no timers of rounds, capacity 100, names waited for 5 s. */
struct hosts_config cluster_config(struct cluster *cluster, int node);
/** Make @node a host of the toy game and let the others know. */
struct hosts *cluster_host(struct cluster *cluster, int node);
/** The same of @game with @config. */
struct hosts *cluster_host_of(struct cluster *cluster, int node, const struct cn_game *game,
                              const struct hosts_config *config);
/** Cut @a and @b for good: who tries again to reach the other is told that it cannot be. Settled.
 */
void cluster_lose(struct cluster *cluster, int a, int b);
/** Run, deliver and answer until nothing moves. */
void cluster_settle(struct cluster *cluster);
/** Let time pass, in steps of at most 10 ms, settling each. */
void cluster_pass(struct cluster *cluster, uint64_t ms);
const char *cluster_name(struct cluster *cluster, int node);

/** Let the client of @node call @pid; the answer is noted as "reply ...", "down ...", "timeout
 * ...". */
void cluster_ask(struct cluster *cluster, int node, const struct cn_pid *pid,
                 struct cn_term request);
/** The same, settled; returns the answer. */
const char *cluster_call(struct cluster *cluster, int node, const struct cn_pid *pid,
                         struct cn_term request);
/** Call the host process of @to, settled. */
const char *cluster_call_host(struct cluster *cluster, int node, int to, struct cn_term request);
/** Apply a function of the toy's module on @to by rpc from @node, settled. */
const char *cluster_rpc(struct cluster *cluster, int node, int to, const char *function,
                        struct cn_term arguments);
/** Send @message to @pid from the client of @node. */
void cluster_send(struct cluster *cluster, int node, const struct cn_pid *pid,
                  struct cn_term message);
/** The latest answer the client of @node has got. */
const char *cluster_last(struct cluster *cluster, int node);
/** How many answers it has got. */
size_t cluster_answers(struct cluster *cluster, int node);

/**
 * Start a toy on @node, without placement, and settle. @code may be NULL. NULL: it did not start,
 * see `started`.
 */
struct session *cluster_start(struct cluster *cluster, int node, const char *id, const char *code);
/** The same, and when @fail is not 0 the allocation of that number fails, once the state is there.
 */
struct session *cluster_start_fed(struct cluster *cluster, int node, const char *id,
                                  const char *code, size_t fail);
/** Find the live session @id on @node; NULL: none. */
struct session *cluster_find(struct cluster *cluster, int node, const char *id);
/** Tell whether a log line of @node contains @text. */
bool cluster_logged(struct cluster *cluster, int node, const char *text);
/** Write the toy %{id, deadline: 0, adds: [], ballast: ""}; valid until 8 more were made. */
struct cn_term cluster_toy(const char *id);

#endif
