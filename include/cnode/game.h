/*
 * A game that a node hosts: one table of functions.
 *
 * The node owns processes, names, timers, calls and moves between nodes; the game owns its
 * state and its rules and knows nothing of the rest. It never waits, never does I/O, and keeps
 * no state of its own outside what it returns from `create` and `import`: a session may run on
 * any thread, one call at a time.
 */
#ifndef CNODE_GAME_H
#define CNODE_GAME_H

#include <cnode/term.h>

/** What a game may ask of the world around it. */
struct cn_game_env {
    int64_t now_s;          /* wall clock, seconds since 1970 */
    uint32_t round_seconds; /* the length of a round; 0: rounds have no timer */
    void *random_context;
    /** Fill @size bytes with randomness. */
    void (*random)(void *random_context, uint8_t *data, size_t size);
};

/** What became of a request. */
enum cn_game_outcome {
    CN_GAME_UNCHANGED, /* answered (a call) or ignored (an info); the state is as it was */
    CN_GAME_CHANGED,   /* the state has changed: its version rises */
    CN_GAME_ENDED,     /* the session ends with reason normal, after any answer */
    CN_GAME_UNKNOWN,   /* not a request of this game; nothing was written */
    CN_GAME_STATE,     /* of a call: the answer is the state, as `export` writes it; nothing was
                          written, nothing changed. The node encodes it once per change. */
};

/** How a function of the game's Elixir module (rpc, erpc) is carried out. */
enum cn_game_function_kind {
    CN_GAME_FUNCTION_CREATE,       /* (join_code, Arg) -> {ok, Pid}: a new session, by `create` */
    CN_GAME_FUNCTION_CREATE_MANY,  /* ([{join_code, Arg}]) -> [Answer], of 1 to 256 CREATEs */
    CN_GAME_FUNCTION_CONTINUE,     /* ([join_code,] State) -> {ok, Pid}, by `import` */
    CN_GAME_FUNCTION_CALL,         /* (Id, ...) -> a call to session Id with `request` */
    CN_GAME_FUNCTION_CALL_BY_CODE, /* (JoinCode, ...) -> the same, found by join code */
    CN_GAME_FUNCTION_WHEREIS,      /* (Id) -> Pid | nil */
    CN_GAME_FUNCTION_RESUME,       /* () -> ok: start what is stored and not alive */
    CN_GAME_FUNCTION_PURE,         /* (...) -> `pure`, without a session */
};

/** One function of the game's Elixir module. */
struct cn_game_function {
    const char *name;
    uint32_t arity;
    enum cn_game_function_kind kind;
    /* CALL: the request is this atom, or with arguments after the first the tuple {request,
     * Arg2, ...}. */
    const char *request;
    bool reads;   /* CALL: it changes nothing, so one that broke off is simply made again */
    bool wrap_ok; /* CALL: wrap the session's bare answer as {ok, Answer} */
    /**
     * PURE: answer from the arguments (a list of @arity terms, all validated).
     * Returns 0, or -ENOMEM. Bad arguments are an {error, Reason} in @reply.
     */
    int (*pure)(const struct cn_term *arguments, struct cn_writer *reply);
};

/** The table of functions of a game. `void *state` is one session's state, owned by the session. */
struct cn_game {
    const char *module;             /* where `functions` are found: "Elixir.Minotaur.GameEngine" */
    const char *server_module;      /* what a session says it runs */
    const char *id_registry;        /* sessions are registered in :global as {id_registry, Id} */
    const char *join_code_registry; /* and as {join_code_registry, JoinCode} */
    const char *not_alive;          /* {error, not_alive}: the session is nowhere */
    uint32_t state_version;         /* what `export` writes */
    const uint32_t *state_versions; /* what `import` reads, ended by 0 */
    const struct cn_game_function *functions; /* ended by one without a name */
    /** What states are written with (cn_write_word), as long as the node runs; NULL: nothing. */
    const struct cn_words *words;
    const char *round_event; /* {round_event, Id, Round} goes to subscribers; see `round` */

    /**
     * Make the state of a new session from @argument (create_game's second). Returns 0; 1 with
     * {error, Reason} written to @error; -ENOMEM. Ownership: *@ret_state is the caller's, for
     * `free`.
     */
    int (*create)(const struct cn_game_env *env, struct cn_term argument, void **ret_state,
                  struct cn_writer *error);
    /**
     * Make a state from an exported term of any version it knows, upgrading it. Returns as
     * `create` does.
     */
    int (*import)(const struct cn_game_env *env, struct cn_term term, void **ret_state,
                  struct cn_writer *error);
    /** Write the state as one term. Returns 0 or -ENOMEM/-E2BIG. */
    int (*export)(const void *state, struct cn_writer *writer);
    /** View the session's id (a binary, without its term header); valid as long as the state. */
    struct cn_bytes (*id)(const void *state);
    /**
     * Answer a GenServer call into @reply, which is there to be written only. Returns an enum
     * cn_game_outcome; or with the state unchanged -ENOMEM, or -E2BIG (the reply is beyond the
     * writer's limit, or the work beyond what one call may take).
     */
    int (*call)(const struct cn_game_env *env, void *state, struct cn_term request,
                struct cn_writer *reply);
    /** Take a cast. Returns as `call`. */
    int (*cast)(const struct cn_game_env *env, void *state, struct cn_term message);
    /** Take any other message. Returns as `call`. */
    int (*info)(const struct cn_game_env *env, void *state, struct cn_term message);
    /**
     * Give the moment (seconds since 1970) at which the session wants its timer message; 0:
     * none.
     */
    int64_t (*deadline_s)(const void *state);
    /**
     * Write the message that the session sends itself at that moment, such as
     * {round_timer_expired, 3}.
     */
    int (*timer_message)(const void *state, struct cn_writer *writer);
    /** Give the round: when it changes, subscribers are told. NULL: there are no rounds. */
    uint64_t (*round)(const void *state);
    /** Release a state; NULL is fine. */
    void (*free)(void *state);
};

/** The game of this project. */
extern const struct cn_game cn_minotaur_game;

#endif
