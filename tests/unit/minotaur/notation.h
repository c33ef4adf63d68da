/*
 * Terms for tests, written as Elixir writes them.
 *
 * Besides plain literals (atoms, integers, floats, "binaries", lists, tuples, maps, structs,
 * modules) there are short forms for what the game is made of:
 *
 *   (1,-1)  %Coord{q: 1, r: -1}            <0,1>  %Vector{q: 0, r: 1}
 *   hex((0,0), :floor)                     player(1, "u1", :active, "Ann")
 *   pc(1, (0,0), 3, 2)                     health 3, 2 action points
 *   move(1, <0,1>)   attack(1, 2)
 *   entered(0, 1, (to), (from), 3)   left(...)   attacked(0, 1, 2, 3)
 *   board()                                the grid of new games, made from its formula
 *   utc(2026,11,23,1,2,3)                  a DateTime
 *
 * A module of one part is one of the game's; DateTime and Calendar.ISO are Elixir's.
 */
#ifndef TESTS_MINOTAUR_NOTATION_H
#define TESTS_MINOTAUR_NOTATION_H

#include <cnode/term.h>

/** Write the term @text; anything that is not understood fails the test. */
void notation_write(struct cn_writer *writer, const char *text);

#endif
