/*
 * Hosting sessions: what a node plugs in and what it gets.
 *
 * `struct hosts` is everything of one node that has to do with sessions of one game: the process
 * registered as HOSTS_NAME that speaks with the other hosts, the session processes, the functions
 * of the game's Elixir module, and the drain. It knows the game by its table only, names by a table
 * of functions, the time and chance by what the configuration hands in, so a simulator runs several
 * of them in one program. All protocol is in PROTOCOL.md.
 *
 * How it fails: running out of memory or into a limit costs the one request that hit it. A host
 * process or a supervisor that somebody kills starts again; see host.h.
 */
#ifndef SESSION_HOSTS_H
#define SESSION_HOSTS_H

#include <cnode/game.h>
#include "otp/functions.h"

/** The registered name of the host process, on C nodes and BEAM nodes alike. */
#define HOSTS_NAME "Elixir.Minotaur.SessionHost"
/** The registered name under which a BEAM node's supervisor of session processes is asked. */
#define HOSTS_SUPERVISOR_NAME "Elixir.Minotaur.GameEngine.SessionSupervisor"
/** The version of PROTOCOL.md that this code speaks. */
#define HOSTS_PROTOCOL 1
/** Exit codes of a drained node. */
#define HOSTS_EXIT_MOVED 0
#define HOSTS_EXIT_LOST  70

struct hosts;
struct pg;

/**
 * Called exactly once, now or later, with 0 or what the function lists. @pid: who has the name,
 * NULL when nobody does or when it was not asked; valid during the call.
 */
typedef void (*session_names_done)(void *context, int result, const struct cn_pid *pid);

/** A name, and who shall have it. */
struct session_move {
    struct cn_term name;
    struct cn_pid pid; /* of any node */
};

/**
 * Cluster-wide names, as a table that node/ fills (`:global` by its registry). Names are terms;
 * their bytes are valid during the call only. A returned error (-ENOMEM, CN_E_LIMIT) means that
 * @done will not be called.
 */
struct session_names {
    void *context;
    /** Give @name to the local process @pid. Result: 0; CN_E_TAKEN: somebody else has it. */
    int (*register_name)(void *context, struct cn_term name, const struct cn_pid *pid,
                         session_names_done done, void *done_context);
    /**
     * Give each of @count > 0 names to its pid, whoever has it (`:global.re_register_name`), under
     * as few locks as there can be: what is asked at the same time, here or by other calls, is done
     * under one. Result: 0 when all have moved, CN_E_TIMEOUT when some may not have; @pid is NULL.
     * Each name moves in one step, but not all in the same.
     */
    int (*move_names)(void *context, const struct session_move *moves, size_t count,
                      session_names_done done, void *done_context);
    /** Find who has @name. Result: 0 with the pid, or with NULL. */
    int (*whereis_name)(void *context, struct cn_term name, session_names_done done,
                        void *done_context);
    /** Take @name from the local process @pid; nothing happens when somebody else has it. */
    void (*unregister_name)(void *context, struct cn_term name, const struct cn_pid *pid);
    /** Take note that another node gave @name to the local process @pid. NULL: nobody cares. */
    void (*adopt_name)(void *context, struct cn_term name, const struct cn_pid *pid);
};

/** How much a log line matters. */
enum hosts_log {
    HOSTS_LOG_DEBUG,
    HOSTS_LOG_INFO,
    HOSTS_LOG_WARNING,
    HOSTS_LOG_ERROR,
};

/** What a drain did. */
struct hosts_summary {
    uint64_t sessions; /* owned here when it began, or come in after that */
    uint64_t moved;
    uint64_t lost; /* not moved, or not known to be */
    uint64_t ms;
    uint64_t bytes; /* of the states that moved */
    /* For how long sessions stood still: the middle one, the 99th of 100, the longest. */
    uint64_t stall_p50_ms;
    uint64_t stall_p99_ms;
    uint64_t stall_max_ms;
};

/** Settings; 0 means the default in brackets. All strings and functions outlive the hosts. */
struct hosts_config {
    const char *app_version;     /* told to the other hosts ["0"] */
    uint32_t capacity;           /* sessions [1,000,000] */
    uint32_t round_seconds;      /* handed to the game; 0: rounds have no timer */
    uint32_t drain_seconds;      /* the drain's deadline [30] */
    uint32_t held_messages_max;  /* queued in one session while it moves or starts [100,000] */
    uint64_t held_bytes_max;     /* their bytes [67,108,864] */
    uint32_t orders_max;         /* moves that are ordered one by one, at a time [100,000] */
    uint32_t listed_max;         /* sessions in one answer [100,000]; more hold the node up */
    uint32_t snapshot_bytes_max; /* of one session [67,108,864] */
    uint32_t bytes_per_second;   /* of states that leave; 0: no limit */
    uint32_t names_wait_ms;      /* for which a moving session waits for its names [4] */

    void *context; /* handed to the functions below */
    /** The wall clock in milliseconds since 1970. */
    int64_t (*wall_ms)(void *context);
    /** Fill @size bytes with randomness. */
    void (*random)(void *context, uint8_t *data, size_t size);
    /** Take a log line without a newline; NULL: none wanted. */
    void (*log)(void *context, enum hosts_log level, const char *line);
    /** The drain begins: readiness ends. NULL: nobody cares. */
    void (*drain_started)(void *context);
    struct pg *pubsub;           /* the scope of subscribers; NULL: nobody is told of events */
    struct pg *phoenix;          /* the scope of Phoenix.PubSub's adapters; NULL: none */
    const char *phoenix_adapter; /* their group there, an atom's text */
    /** The drain is over; the node sends what is queued, closes and exits with @exit_code. */
    void (*drained)(void *context, int exit_code, const struct hosts_summary *summary);
};

/** Figures for logs. */
struct hosts_counts {
    size_t sessions;   /* owned here, starting and incoming ones included */
    size_t forwarders; /* moved away, still passing messages on */
    size_t hosts;      /* other hosts known */
    bool draining;
};

/**
 * Start hosting @game on the node behind @procs: registers both names and adds the game's
 * functions. Ownership: the caller's, for hosts_free; @config and @names are copied, everything
 * else outlives it. Errors: CN_E_TAKEN (name or functions), CN_E_LIMIT, -ENOMEM, with nothing
 * started.
 */
int hosts_new(struct procs *procs, struct functions *functions, const struct session_names *names,
              const struct cn_game *game, const struct hosts_config *config,
              struct hosts **ret_hosts);
/** Say nothing to anybody any more: everything is about to be released. Call it before procs_free.
 */
void hosts_close(struct hosts *hosts);
/**
 * Release; returns NULL. Call it after procs_free and after everything that still holds a callback
 * of ours (functions, names), for the processes' states live here.
 */
struct hosts *hosts_free(struct hosts *hosts);
/** A visible peer is up: say hello to its host process, if it has one. */
void hosts_node_up(struct hosts *hosts, const char *node);
/**
 * Hand all sessions to other hosts, then call `drained` once. Begins in the next procs_run; asking
 * again changes nothing.
 */
void hosts_drain(struct hosts *hosts);
/** The second signal: what is not done in one second is given up. */
void hosts_drain_hurry(struct hosts *hosts);
/**
 * Names work no more. A drain that has moved everything leaves its forwarders one second then:
 * their names cannot follow, so whoever finds a session by one would keep it for the whole time;
 * the new owners take the names when this node has gone.
 */
void hosts_names_closed(struct hosts *hosts);
/** The third signal: give up now; `drained` is called before this returns. */
void hosts_drain_abort(struct hosts *hosts);
/** Count for logs and metrics. */
void hosts_counts(const struct hosts *hosts, struct hosts_counts *ret_counts);

#endif
