/*
 * A game as its term, in the current version of the state.
 *
 * An imported game is written as it came, unless it was upgraded or its time had parts of a second.
 */
#ifndef CNODE_MINOTAUR_EXPORT_H
#define CNODE_MINOTAUR_EXPORT_H

#include "state.h"

/**
 * Write @game as one term. Equal games give equal bytes.
 *
 * Errors: those of @writer, which the caller asks (cn_writer_error).
 */
void game_export(const struct game *game, struct cn_writer *writer);

#endif
