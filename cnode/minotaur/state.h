/*
 * A game in memory.
 *
 * Numbers are held as numbers; everything that the game only carries (user ids, display names,
 * fields that we do not know) stays in the terms it came in, one after the other in `bytes`, and is
 * named by its offset there. `bytes` and the grid never change once a game exists, so that a copy
 * of a game (game_fork) shares them. Every array is sorted by its first field.
 */
#ifndef CNODE_MINOTAUR_STATE_H
#define CNODE_MINOTAUR_STATE_H

#include "written.h"

enum {
    GAME_STATE_VERSION = 4,
    GAME_ID_BYTES = 36,
};

enum game_status {
    GAME_ACTIVE,
    GAME_CONCLUDED,
};

enum player_status {
    PLAYER_ACTIVE,
    PLAYER_ELIMINATED,
    PLAYER_WON,
};

enum terrain {
    TERRAIN_FLOOR,
    TERRAIN_WALL,
};

enum action_kind {
    ACTION_MOVE,
    ACTION_ATTACK,
};

enum event_kind {
    EVENT_ENTERED_HEX,
    EVENT_LEFT_HEX,
    EVENT_ATTACKED,
};

/** `round_end_s` of a game without an end of its round. */
#define GAME_NO_ROUND_END (-1)

/** A place of the grid, or a step from one (axial coordinates). */
struct coord {
    int64_t q;
    int64_t r;
};

struct hex {
    struct coord coord;
    uint32_t extras; /* the unknown fields: the offset in `bytes` of a map of them; 0: none */
    uint32_t coord_extras;
    uint32_t key_extras; /* of the coordinate that is the grid's key */
    uint8_t terrain;     /* enum terrain */
};

struct player {
    int64_t id;
    uint32_t user_id;      /* the offset of a term in `bytes` */
    uint32_t display_name; /* likewise, a binary */
    uint32_t extras;
    uint8_t status; /* enum player_status */
};

struct character {
    int64_t player_id;
    struct coord position;
    int64_t health;
    int64_t action_points;
    uint32_t extras;
    uint32_t position_extras;
};

struct action {
    int64_t player_id;
    struct coord vector; /* of a move */
    int64_t target_id;   /* of an attack */
    uint32_t extras;
    uint32_t vector_extras;
    uint8_t kind; /* enum action_kind */
};

/** The actions that are registered under one player id, oldest first. */
struct action_list {
    int64_t player_id;
    struct action *items;
    uint32_t count;
    uint32_t capacity;
};

struct event {
    int64_t id;
    int64_t player_id;
    int64_t round;
    struct coord to; /* of entered and left */
    struct coord from;
    int64_t target_id; /* of attacked */
    uint32_t extras;
    uint32_t to_extras;
    uint32_t from_extras;
    uint8_t kind; /* enum event_kind */
};

/** The ids of the events that one player has seen, oldest first (the term has the newest first). */
struct visible_list {
    int64_t player_id;
    int64_t *ids;
    uint32_t count;
    uint32_t capacity;
};

struct game {
    char id[GAME_ID_BYTES];
    uint8_t status;  /* enum game_status */
    bool timed;      /* rounds have a timer on this node */
    bool owns_hexes; /* the grid is not the one that all new games share */
    int64_t round;
    int64_t round_end_s; /* seconds since 1970, or GAME_NO_ROUND_END */

    struct written *written; /* shared with forks */
    uint8_t *bytes;
    size_t bytes_size;
    uint32_t extras; /* of the game itself, its world and its log */
    uint32_t world_extras;
    uint32_t log_extras;

    const struct hex *hexes; /* sorted by q, then r; of the same place the first one counts */
    struct player *players;
    struct character *living;
    struct character *dead;
    struct action_list *actions;
    struct event *events;
    struct visible_list *visible;
    uint32_t hex_count;
    uint32_t player_count;
    uint32_t living_count;
    uint32_t dead_count;
    uint32_t dead_capacity;
    uint32_t action_list_count;
    uint32_t action_list_capacity;
    uint32_t event_count;
    uint32_t event_capacity;
    uint32_t visible_count;
    uint32_t visible_capacity;
};

/** Make a game of zeros. Ownership: the caller's, for game_free. Errors: NULL. */
struct game *game_new(void);
/** Release a game, also a half-built one; NULL is fine. Returns NULL. */
struct game *game_free(struct game *game);

/**
 * Copy what a round may change: players, characters, events and who saw them.
 *
 * The grid and the kept terms are shared with @game, which must outlive the fork; the fork has no
 * registered actions.
 *
 * Ownership: @ret_fork is for game_adopt or game_drop_fork. Errors: -ENOMEM.
 */
int game_fork(const struct game *game, struct game *ret_fork);
/** Let @game become its fork; what it had of its own before is released. Cannot fail. */
void game_adopt(struct game *game, struct game *fork);
/** Release a fork that is not adopted. */
void game_drop_fork(struct game *fork);

/** Tell whether two places are the same. */
bool coord_equal(struct coord a, struct coord b);
/** Find the player with @id, or NULL. */
struct player *game_player(const struct game *game, int64_t id);
/** Find the player with the lowest id whose user_id is exactly @user_id, or NULL. */
struct player *game_player_of_user(const struct game *game, struct cn_term user_id);
/** Find the living character of a player, or NULL. */
struct character *game_living(const struct game *game, int64_t player_id);
/** Find the list of actions registered under @player_id, or NULL. */
struct action_list *game_actions(const struct game *game, int64_t player_id);
/** View the kept term at @offset > 0 of `bytes`. */
struct cn_term game_kept_term(const struct game *game, uint32_t offset);

#endif
