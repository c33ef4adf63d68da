/*
 * Older versions of the game's state.
 *
 * Version 1 to 2 added the log, 2 to 3 a list of seen events per player, 3 to 4 a round that counts
 * as the game's rounds do. An upgrade happens while a game is imported; what is malformed is left
 * for the import's checks to name.
 */
#ifndef CNODE_MINOTAUR_UPGRADE_H
#define CNODE_MINOTAUR_UPGRADE_H

#include "record.h"
#include "state.h"

/** The versions that can be imported, ended by 0. */
extern const uint32_t upgrade_versions[];

/** Tell whether a state of @version can be imported. */
bool upgrade_knows(int64_t version);
/** Tell whether the game gets an empty log, having none. */
bool upgrade_makes_log(const struct record *game_record);
/**
 * Give every player without a list of seen events an empty one, if @version asks for it. Errors:
 * -ENOMEM.
 */
int upgrade_visible_lists(int64_t version, struct game *game);
/** Read the round of an event, upgrading it. Errors: as record_integer. */
int upgrade_event_round(const struct record *event, unsigned field, int64_t *ret_round);

#endif
