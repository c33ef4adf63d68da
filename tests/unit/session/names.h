/*
 * Cluster-wide names for tests: one table that all nodes share, whose answers come when the test
 * lets them.
 */
#ifndef TESTS_SESSION_NAMES_H
#define TESTS_SESSION_NAMES_H

#include "session/hosts.h"

#define NAMES_MAX 256

/** A name, as shown, and who has it. */
struct name {
    char text[160];
    struct cn_pid pid;
    bool held;
};

struct name_answer {
    session_names_done done;
    void *context;
    int result;
    bool has_pid;
    struct cn_pid pid;
};

/** The table, and the answers that wait. */
struct names {
    struct name names[NAMES_MAX];
    size_t count;
    struct name_answer answers[NAMES_MAX];
    size_t answers_count;
    size_t adopted;
    bool hold;     /* answers wait */
    bool stay;     /* names do not move, whatever is answered */
    bool unsure;   /* a taken name's holder is not told */
    int fail_next; /* result of the next answers but whereis; 0: none */
};

/** Fill a table of functions over @names. */
void names_functions(struct names *names, struct session_names *ret_functions);
/** Give the answers that wait; false when there are none, or they are held. */
bool names_step(struct names *names);
/** Who has the name {@registry, <<@key>>}; NULL: nobody. */
const struct cn_pid *names_holder(struct names *names, const char *registry, const char *key);
/** Nobody will get the answers that wait. */
void names_forget_answers(struct names *names);
/** Count the names that somebody has. */
size_t names_held(const struct names *names);
/** Nobody has any name. */
void names_clear(struct names *names);
/** Let @pid have the name from outside. */
void names_give(struct names *names, const char *registry, const char *key,
                const struct cn_pid *pid);

#endif
