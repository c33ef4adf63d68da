/*
 * A scope of pg, two peers that say what they like, and a model that counts.
 *
 * Each step is a byte that names it and the bytes that it needs. Peers come and go, discover, tell
 * what they have, join and leave, as pg does; and lie: of processes of the other node, in lists
 * that have no end, in the wrong kind of message, in terms of any form. A lie changes nothing.
 * After each step each group has, of each process, as many members as the model counts; only after
 * a message whose bytes are the fuzzer's own, which may have been a right one, it is not counted
 * any more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "etf/walk.h"
#include "proc/process.h"
#include "registry/pg.h"

#define STEPS_MAX 100
#define PEERS     2
#define GROUPS    3
#define PIDS      3
#define OURS      PEERS /* the place of this node's processes in the model */
#define SCOPE_ID  50
#define CREATION  7

static const char *const peer_names[PEERS] = {"p@fuzz", "q@fuzz"};
static const char *const group_names[GROUPS] = {"g", "h", "i"};

static struct procs *procs;
static struct pg *pg;
static struct cn_pid ours[PIDS];
static bool up[PEERS];
static bool known[PEERS];
static uint32_t creation[PEERS];
static uint32_t counts[PEERS + 1][GROUPS][PIDS];
static bool counted;

static int on_send(void *context, const char *node, const struct control *control,
                   struct cn_term message)
{
    return 0;
}

static void on_message(struct process *self, void *state, struct cn_term message)
{
}

static const struct process_behaviour behaviour = {.module = "fuzz", .message = on_message};

static struct cn_pid pid_of(int peer, uint32_t id)
{
    struct cn_pid pid = {.id = id, .creation = creation[peer]};

    (void)snprintf(pid.node, sizeof(pid.node), "%s", peer_names[peer]);
    return pid;
}

static struct cn_pid member_of(int peer, int index)
{
    return peer == OURS ? ours[index] : pid_of(peer, 1 + (uint32_t)index);
}

/* Messages of a peer. */

static void deliver(int peer, struct cn_term message)
{
    struct control control;

    control_clear(&control);
    control.op = CONTROL_REG_SEND;
    control.has_from = true;
    control.from = pid_of(peer, SCOPE_ID);
    control.to_name = (struct cn_bytes){(const uint8_t *)"scope", 5};
    (void)procs_deliver(procs, peer_names[peer], creation[peer], &control, message);
}

static void say(int peer, struct cn_writer *body, bool cast)
{
    struct cn_writer writer;

    cn_assert(cn_writer_error(body) == 0);
    cn_writer_init(&writer, 0);
    if (cast) {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "$gen_cast");
    }
    cn_write_term(&writer, cn_writer_term(body));
    deliver(peer, cn_writer_term(&writer));
    cn_writer_free(&writer);
    cn_writer_free(body);
}

/* Begin {Verb, Peer, ..} of @arity. */
static void begin_words(struct cn_writer *writer, int peer, const char *verb, uint32_t arity)
{
    struct cn_pid pid = pid_of(peer, SCOPE_ID);

    cn_writer_init(writer, 0);
    cn_write_tuple(writer, arity);
    cn_write_atom(writer, verb);
    cn_write_pid(writer, &pid);
}

/* How the pids of a message are wrong, if they are. */
enum lie {
    TRUE_WORDS,
    OTHER_NODE,
    NO_END,
    NO_PID,
    LIES,
};

/* Write the pids of @peer whose bits are in @mask. */
static void write_pids(struct cn_writer *writer, int peer, uint8_t mask, enum lie lie)
{
    uint32_t count = lie == TRUE_WORDS ? 0 : 1;
    struct cn_pid pid;

    for (int i = 0; i < PIDS; i++)
        count += mask >> i & 1;
    cn_write_list(writer, count);
    for (int i = 0; i < PIDS; i++) {
        pid = member_of(peer, i);
        if ((mask >> i & 1) != 0)
            cn_write_pid(writer, &pid);
    }
    pid = lie == OTHER_NODE ? member_of(1 - peer, 0) : member_of(peer, 0);
    if (lie == NO_PID)
        cn_write_atom(writer, "no_pid");
    else if (lie != TRUE_WORDS)
        cn_write_pid(writer, &pid);
    if (lie == NO_END)
        cn_write_atom(writer, "no_end");
    else
        cn_write_nil(writer);
}

static void step_discover(int peer, uint8_t how)
{
    struct cn_writer writer;
    uint32_t arity = 2 + how % 3;

    begin_words(&writer, peer, "discover", arity);
    for (uint32_t i = 2; i < arity; i++)
        cn_write_integer(&writer, 1);
    say(peer, &writer, how / 3 % 4 == 0);
    if (arity <= 3 && how / 3 % 4 != 0)
        known[peer] = true;
}

/* {sync, Peer, [{Group, Pids}]}: it is all that there is. */
static void step_sync(int peer, struct input *input, enum lie lie)
{
    uint8_t masks[GROUPS];
    struct cn_writer writer;

    begin_words(&writer, peer, "sync", 3);
    cn_write_list(&writer, GROUPS);
    for (int group = 0; group < GROUPS; group++) {
        masks[group] = input_u8(input);
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, group_names[group]);
        write_pids(&writer, peer, masks[group], group == GROUPS - 1 ? lie : TRUE_WORDS);
    }
    cn_write_nil(&writer);
    say(peer, &writer, true);
    if (lie != TRUE_WORDS)
        return;
    known[peer] = true;
    for (int group = 0; group < GROUPS; group++)
        for (int i = 0; i < PIDS; i++)
            counts[peer][group][i] = masks[group] >> i & 1;
}

static void step_join(int peer, uint8_t group, uint8_t mask, enum lie lie)
{
    struct cn_writer writer;

    begin_words(&writer, peer, "join", 4);
    cn_write_atom(&writer, group_names[group % GROUPS]);
    write_pids(&writer, peer, mask, lie);
    say(peer, &writer, false);
    if (lie != TRUE_WORDS || !known[peer])
        return;
    for (int i = 0; i < PIDS; i++)
        counts[peer][group % GROUPS][i] += mask >> i & 1;
}

/* {leave, Peer, Pids, Groups} */
static void step_leave(int peer, uint8_t groups, uint8_t mask, enum lie lie)
{
    struct cn_writer writer;
    uint32_t named = 0;

    begin_words(&writer, peer, "leave", 4);
    write_pids(&writer, peer, mask, lie);
    for (int group = 0; group < GROUPS; group++)
        named += groups >> group & 1;
    cn_write_list(&writer, named);
    for (int group = 0; group < GROUPS; group++)
        if ((groups >> group & 1) != 0)
            cn_write_atom(&writer, group_names[group]);
    cn_write_nil(&writer);
    say(peer, &writer, false);
    for (int group = 0; group < GROUPS && lie == TRUE_WORDS; group++)
        for (int i = 0; i < PIDS; i++)
            if ((groups >> group & mask >> i & 1) != 0 && counts[peer][group][i] > 0)
                counts[peer][group][i]--;
}

/* A term of the fuzzer's own, if its bytes are one. */
static void step_any(int peer, struct input *input)
{
    struct cn_bytes bytes = input_bytes(input, input_u8(input));
    struct cn_term copy = fuzz_exact((struct cn_term){bytes.data, bytes.size});
    struct cn_term term;

    if (etf_check(copy.data, copy.size, NULL, &term) == 0 && term.size == copy.size) {
        deliver(peer, term);
        counted = false;
    }
    free((void *)copy.data);
}

/* Come, come back as a new incarnation, or go. */
static void step_peer(int peer, bool comes)
{
    if (up[peer]) {
        procs_peer_down(procs, peer_names[peer]);
        pg_peer_down(pg, peer_names[peer]);
    }
    known[peer] = false;
    memset(counts[peer], 0, sizeof(counts[peer]));
    procs_run(procs, 0);
    up[peer] = comes;
    if (!comes)
        return;
    creation[peer]++;
    cn_assert(procs_peer_up(procs, peer_names[peer], creation[peer]) == 0);
    cn_assert(pg_peer_up(pg, peer_names[peer]) == 0);
}

static void step_own(uint8_t group, uint8_t index, bool joins)
{
    struct cn_writer name;
    uint32_t *count = &counts[OURS][group % GROUPS][index % PIDS];
    int result;

    cn_writer_init(&name, 0);
    cn_write_atom(&name, group_names[group % GROUPS]);
    if (joins)
        result = pg_join(pg, cn_writer_term(&name), &ours[index % PIDS]);
    else
        result = pg_leave(pg, cn_writer_term(&name), &ours[index % PIDS]);
    cn_writer_free(&name);
    cn_assert((result == 0) == (joins || *count > 0));
    if (result == 0)
        *count += joins ? 1 : (uint32_t)-1;
}

static void step(struct input *input)
{
    uint8_t kind = input_u8(input);
    uint8_t how = input_u8(input);
    int peer = kind / 8 % PEERS;
    enum lie lie = how < 128 ? TRUE_WORDS : how % LIES;
    uint8_t mask;

    if (kind % 8 == 0)
        step_peer(peer, how % 4 != 0);
    else if (kind % 8 == 1)
        step_own(how, how / 4, how < 128);
    else if (!up[peer])
        step_peer(peer, true);
    else if (kind % 8 == 2)
        step_discover(peer, how);
    else if (kind % 8 == 3)
        step_sync(peer, input, lie);
    else if (kind % 8 == 4)
        step_any(peer, input);
    else {
        mask = input_u8(input);
        if (kind % 2 == 1)
            step_join(peer, how, mask, lie);
        else
            step_leave(peer, how, mask, lie);
    }
}

/* Count the members of a group that are @pid. */
static uint32_t count_in(struct cn_term list, const struct cn_pid *pid)
{
    struct cn_reader reader;
    struct cn_pid member;
    uint32_t length = 0;
    uint32_t count = 0;

    cn_reader_init(&reader, list);
    cn_assert(cn_read_list(&reader, &length));
    for (uint32_t i = 0; i < length; i++) {
        cn_assert(cn_read_pid(&reader, &member));
        count += cn_pid_equal(&member, pid) ? 1 : 0;
    }
    return count;
}

static void check_group(int group)
{
    struct cn_writer name, members;

    cn_writer_init(&name, 0);
    cn_writer_init(&members, 0);
    cn_write_atom(&name, group_names[group]);
    pg_write_members(pg, cn_writer_term(&name), false, &members);
    cn_assert(cn_writer_error(&members) == 0);
    for (int owner = 0; owner <= OURS; owner++)
        for (int i = 0; i < PIDS; i++) {
            struct cn_pid pid = member_of(owner, i);

            cn_assert(count_in(cn_writer_term(&members), &pid) == counts[owner][group][i]);
        }
    cn_writer_free(&members);
    cn_writer_free(&name);
}

static void begin(void)
{
    struct transport transport = {NULL, on_send};
    struct pg_config config = {.scope = "scope"};
    struct process *process = NULL;

    memset(up, 0, sizeof(up));
    memset(known, 0, sizeof(known));
    memset(counts, 0, sizeof(counts));
    creation[0] = creation[1] = 10;
    counted = true;
    cn_assert(procs_new("us@fuzz", CREATION, &transport, NULL, &procs) == 0);
    cn_assert(pg_new(procs, &config, &pg) == 0);
    for (int i = 0; i < PIDS; i++) {
        cn_assert(process_start(procs, &behaviour, NULL, &process) == 0);
        ours[i] = *process_pid(process);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint64_t from_ms = fuzz_cpu_ms();

    begin();
    for (int i = 0; i < STEPS_MAX && input.size > 0; i++) {
        step(&input);
        procs_run(procs, 0);
        for (int group = 0; group < GROUPS && counted; group++)
            check_group(group);
    }
    for (int peer = 0; peer < PEERS; peer++)
        step_peer(peer, false);
    cn_assert(pg_peers(pg) == 0);
    procs_free(procs);
    pg = pg_free(pg);
    fuzz_check_time(from_ms, 1000);
    return 0;
}
