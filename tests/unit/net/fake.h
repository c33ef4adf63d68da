/*
 * A peer played by the test: a bare connection with a name and a cookie of our choosing, which
 * sends no ticks, asks no EPMD and obeys no peer table.
 */
#ifndef TESTS_NET_FAKE_H
#define TESTS_NET_FAKE_H

#include "net/connection.h"
#include "support.h"

struct fake {
    struct world *world;
    struct connections *connections;
    struct connection *connection; /* NULL once closed */
    char name[128];
    bool connected;
    bool up;
    bool closed;
    char detail[256];
    size_t delivered;
    uint64_t seen_ms;
    size_t beats; /* turns in which bytes had arrived */
};

/** Make a fake peer called @name. */
void fake_init(struct fake *fake, struct world *world, const char *name, const char *cookie);
/** Let it dial @node, which listens on 127.0.0.1. */
void fake_dial(struct fake *fake, const struct node *node);
/** Dial and wait until both sides have proven the cookie. */
void fake_dial_up(struct fake *fake, const struct node *node);
/** Release it. */
void fake_deinit(struct fake *fake);
/** Send raw bytes once it is up. */
void fake_send(struct fake *fake, const void *data, size_t size);
/** Run until its connection is closed. */
bool fake_wait_closed(struct fake *fake);
/** A node that EPMD knows and whose port takes connections, but that never says a word. */
struct ghost {
    int epmd; /* keeps it registered */
    int listening;
    uint16_t port;
};

/** Register a ghost under @alive. */
void ghost_start(struct ghost *ghost, const struct world *world, const char *alive);
/** Tell whether somebody has connected to it; each connection is told once. */
bool ghost_was_dialled(struct ghost *ghost);
/** Be gone. */
void ghost_stop(struct ghost *ghost);

/** Greet @node as @name over a plain connection and give its first answer: "ok", "alive", ... */
const char *greet(struct node *node, const char *name, int *ret_fd);
/** Open a plain TCP connection to @node's port; returns the descriptor. */
int plain_connect(const struct node *node);

#endif
