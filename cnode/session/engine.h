/*
 * The functions of the game's Elixir module, for rpc and erpc: GameEngine answered by a C node.
 *
 * The game's table says which functions there are and of which kind; what a kind means is here:
 * CREATE and CONTINUE start a session where placement says (engine_start.h), CALL and its kin find
 * a session and call it (engine_call.h), PURE asks the game. A caller cannot tell this node from a
 * BEAM host.
 *
 * How it fails: every bad argument is an {error, Reason}; a call that timed out raises as
 * GenServer.call does.
 */
#ifndef SESSION_ENGINE_H
#define SESSION_ENGINE_H

#include "session/host.h"

/** Add the game's functions. Errors: as functions_add; -ENOMEM; with none added. */
int engine_start(struct hosts *hosts, struct functions *functions);
/** Release; after nobody can call the functions any more. */
void engine_free(struct hosts *hosts);

#endif
