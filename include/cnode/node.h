/*
 * A node of a BEAM cluster as a program: main() describes an application and hands over.
 *
 * The node reads its name, its cookie and the rest from the command line and the environment, joins
 * the cluster, says `ready NAME port=N` on standard output once others can reach it, and runs until
 * SIGTERM, SIGINT or `:init.stop` by rpc. A program that cannot start says why in one line. --help
 * lists all options.
 */
#ifndef CNODE_NODE_H
#define CNODE_NODE_H

#include <cnode/game.h>
#include <cnode/global.h>

/** How a function that another node applied has ended. */
enum cn_function_outcome {
    CN_RETURN, /* with the written term as its value */
    CN_ERROR,  /* with it as the reason of an error */
    CN_THROW,  /* with it thrown */
};

/** A function that other nodes may apply by rpc and erpc. All others are undef there. */
struct cn_function {
    const char *module; /* as on the wire: "erlang", "Elixir.Enum" */
    const char *name;
    uint32_t arity;
    /** Carry it out: write one term. @arguments: @arity terms, valid during the call. */
    enum cn_function_outcome (*run)(const struct cn_term *arguments, struct cn_writer *result);
};

/** What a program makes of its node. All parts but the name may be NULL. */
struct cn_application {
    const char *name;           /* of the program, in what it prints */
    const struct cn_game *game; /* its sessions are hosted, and moved when the node leaves */
    const struct cn_function *functions; /* ended by one without a name */
    /** Start servers, before others can reach the node. Returns 0; else the node does not start. */
    int (*start)(struct cn_node *node);
};

/**
 * Run a node from its command line to its end. Returns the exit code: 0 it left as asked, and all
 * its sessions moved; 64 a mistake in the command line; 70 sessions were lost; 71 it could not
 * start.
 */
int cn_node_main(const struct cn_application *application, int argc, char **argv);

/** Write the list of the nodes that are connected, hidden ones too, as Node.list(:connected). */
void cn_write_nodes(const struct cn_node *node, struct cn_writer *writer);

#endif
