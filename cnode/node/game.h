/*
 * What a hosted game gets of its node: settings, the clock, chance, and the log.
 */
#ifndef NODE_GAME_H
#define NODE_GAME_H

#include "node/config.h"
#include "session/hosts.h"

/** Fill in all of @hosts but what the node itself is called for, and the scopes. */
void game_settings(const struct config *config, struct hosts_config *hosts);

#endif
