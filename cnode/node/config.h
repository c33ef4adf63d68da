/*
 * Configuration: what the command line and the environment say, checked before anything starts.
 *
 * Every flag has an environment variable; the flag wins. A bad value is one clear line that
 * names the flag (or the variable) and what it should be. The cookie is not part of this: see
 * cookie.h.
 */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "node/log.h"

#include <stdbool.h>
#include <stdint.h>

/** Most --connect nodes. */
#define CONFIG_CONNECT_MAX 64
/** Bytes of an IP address as text, its end included. */
#define CONFIG_ADDRESS_MAX 64

/** Bytes of the name of a Phoenix.PubSub. */
#define CONFIG_PUBSUB_MAX 200

/** What the node was told. Strings belong to argv, the environment, or the config itself. */
struct config {
    const char *name;
    const char *cookie_file;                     /* NULL: $RELEASE_COOKIE, then ~/.erlang.cookie */
    const char *connect[CONFIG_CONNECT_MAX + 1]; /* ended by NULL */
    uint32_t connect_count;
    char *connect_text; /* the variable's value, cut into `connect` */
    char listen_address[CONFIG_ADDRESS_MAX];
    uint16_t listen_port;
    const char *epmd_address; /* NULL: as OTP does; or epmd_text */
    char epmd_text[CONFIG_ADDRESS_MAX];
    uint16_t epmd_port;
    bool hidden;
    enum log_format log_format;
    enum log_level log_level;
    uint32_t net_ticktime_s;
    uint32_t stall_ms; /* the loop stood still: its connections are closed */
    uint32_t round_seconds;
    uint32_t drain_seconds;
    uint32_t drain_bytes_per_second; /* 0: no limit */
    uint32_t names_wait_ms;
    const char *app_version; /* NULL: that of this program */
    uint32_t capacity;       /* most sessions */
    const char *pubsub;      /* a Phoenix.PubSub, without "Elixir."; NULL: none */
    bool stdin_lifeline;     /* end when standard input ends: for harnesses */
    bool show_version;
    bool show_help;
};

/**
 * Read @argv over the environment over the defaults into @config.
 *
 * Ownership: free it with config_deinit, also after an error.
 * Errors: CN_E_INVALID with one line in @error (of @error_size bytes); -ENOMEM.
 */
int config_read(struct config *config, int argc, char **argv, char *error, size_t error_size);
/** Release what config_read took; safe after an error too. */
void config_deinit(struct config *config);

/** The text of --help. */
const char *config_help(void);

#endif
