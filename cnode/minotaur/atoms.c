/*
 * The texts of the atoms, in the order of their numbers.
 *
 * Number and text come from one list, so that they cannot fall apart.
 */
#include "atoms.h"

#define ATOM_TEXT(name, text) text,

static const char *const texts[] = {ATOMS(ATOM_TEXT)};

const struct cn_words game_atoms = {ATOM_COUNT, texts};
