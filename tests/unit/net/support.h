/*
 * What the tests of net/ share: a loop, an EPMD of their own, networks that write down what they
 * hear, and programs run beside the test.
 *
 * Ports are asked of the kernel, names and cookies are random, and nothing waits for time:
 * world_until runs the loop until a condition holds, and fails the test when it has not come true
 * within WORLD_DEADLINE_MS.
 */
#ifndef TESTS_NET_SUPPORT_H
#define TESTS_NET_SUPPORT_H

#include <check.h>
#include <stdio.h>

#include "net/network.h"

#define WORLD_DEADLINE_MS 20000
#define HEARD_MAX         512

struct node;

/** A program run by the test; it dies with the test. */
struct program {
    pid_t pid;
    int in;  /* its standard input */
    int out; /* its standard output */
    char said[65536];
    size_t said_size;
};

/** One test's world. */
struct world {
    struct loop *loop;
    struct node *nodes[4]; /* whose networks are flushed in each turn */
    uint16_t epmd_port;
    struct program epmd;
    struct program *watched[4]; /* whose output is read while the loop runs */
    bool (*condition)(void *context);
    void *context;
    uint64_t deadline_ms;
    bool came_true;
};

/** A network and what it told. */
struct node {
    struct world *world;
    struct network *network;
    char name[128];
    char cookie[32];
    char heard[HEARD_MAX][256]; /* "up a@b", "down a@b reason", "reads a@b", "ready", "log event:
                                   detail", ... */
    size_t heard_count;
    uint16_t port;
    uint32_t creation;
    uint32_t peer_creation; /* of the latest peer that came up */
    size_t ready_bytes;     /* what waited for the latest peer that reads again */
    bool done;
    int deliver_answer;
    size_t delivered;
    size_t delivered_bytes;
    struct control last; /* its views are gone */
    char last_name[64];
    uint8_t last_message[256];
    size_t last_message_size;
};

/** Make a world with its own EPMD running. */
void world_init(struct world *world);
/** End its programs and release the loop. */
void world_deinit(struct world *world);
/** Start or stop EPMD, always on the same port. */
void world_start_epmd(struct world *world);
void world_stop_epmd(struct world *world);
/** Run the loop until @condition(context) holds; false when the deadline came first. */
bool world_until(struct world *world, bool (*condition)(void *context), void *context);
/** Ask the kernel for a port that is free now. */
uint16_t free_port(void);

/** Give the default configuration of a node with a random name; change it before node_start. */
struct network_config node_init(struct node *node, struct world *world, const char *prefix,
                                const char *cookie);
/** Make and start its network; gives what network_new or network_start gave. */
int node_try_start(struct node *node, const struct network_config *config);
/** The same, and it must work. */
void node_start(struct node *node, const struct network_config *config);
/** Start and wait until it is ready. */
void node_start_ready(struct node *node, const struct network_config *config);
/** Release its network. */
void node_deinit(struct node *node);
/** Tell whether it heard a line that begins with @prefix. */
bool node_heard(const struct node *node, const char *prefix);
/** Count the lines that begin with @prefix. */
size_t node_count(const struct node *node, const char *prefix);
/** Give the index of the first line from @from on that begins with @prefix; HEARD_MAX: none. */
size_t node_find(const struct node *node, const char *prefix, size_t from);
/** Run until @node heard a line with this prefix; prints what it heard when it does not come. */
bool node_wait(struct node *node, const char *prefix);
/** Tell whether @other is among the peers that are up. */
bool node_sees(const struct node *node, const char *other);
/** Print what it heard. */
void node_print(const struct node *node);
/** Send {1, text} from a made-up pid of @node to the registered name @to at @peer. */
int node_send_text(struct node *node, const char *peer, const char *to, const char *text);

/** Run a program with pipes; @arguments ends with NULL. */
void program_start(struct program *program, const char *const *arguments,
                   const char *const *environment);
/** Write to its standard input. */
void program_tell(struct program *program, const char *text);
/** End it and wait for its end. */
void program_stop(struct program *program);
/** Tell whether its output holds @text. */
bool program_said(const struct program *program, const char *text);
/** Start a BEAM node @name (long name) that runs @expression, beside @world's EPMD. */
void beam_start(struct program *program, struct world *world, const char *name, const char *cookie,
                const char *expression);
/** Run @suite; gives the exit code of a test program. */
int run_suite(Suite *suite);
/** Run until @program said @text. */
bool program_wait(struct world *world, struct program *program, const char *text);

#endif
