/*
 * The node's own clock, randomness and log, as session/ asks for them. Nothing here can fail.
 */
#include "node/game.h"

#include "net/loop.h"
#include "node/log.h"
#include "node/node.h"

#include <sodium.h>

static int64_t wall_ms(void *context)
{
    (void)context;
    return loop_wall_ms();
}

static void random_bytes(void *context, uint8_t *data, size_t size)
{
    (void)context;
    randombytes_buf(data, size);
}

static void on_log(void *context, enum hosts_log level, const char *line)
{
    (void)context;
    log_event((enum log_level)level, "session", line);
}

void game_settings(const struct config *config, struct hosts_config *hosts)
{
    hosts->app_version = config->app_version ? config->app_version : NODE_VERSION;
    hosts->capacity = config->capacity;
    hosts->round_seconds = config->round_seconds;
    hosts->drain_seconds = config->drain_seconds;
    hosts->bytes_per_second = config->drain_bytes_per_second;
    hosts->names_wait_ms = config->names_wait_ms;
    hosts->wall_ms = wall_ms;
    hosts->random = random_bytes;
    hosts->log = on_log;
}
