/*
 * Exchange: two tables become one.
 *
 * Each side settles what it lacks of the other's names; of a name that both have, the node with
 * the smaller name lets the method decide, on the node of its own process. What follows for our
 * partition are `ops`, what follows for the other are `verdicts`. A resolver that cannot be
 * reached, or does not know the method, means that the other side's process keeps the name. A
 * choice may take its time, here as there; the meeting waits for the last of them.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "etf/writer.h"
#include "registry/global_resolve.h"
#include "registry/member_internal.h"

/* A name that both have, while its resolver is asked. Everything is a copy. */
struct conflict {
    struct question question;
    struct member *member;
    char node[CN_NODE_NAME_MAX + 1];
    uint64_t tag;
    struct kept his; /* his entry */
    struct cn_pid pid;
    struct kept method;
};

bool entry_read(struct cn_reader *reader, struct entry *ret_entry)
{
    return cn_read_this_tuple(reader, 3) && cn_read_term(reader, &ret_entry->name) &&
           cn_read_pid(reader, &ret_entry->pid) && cn_read_term(reader, &ret_entry->method);
}

static void add_insert(struct elements *elements, const struct entry *entry)
{
    cn_write_tuple(&elements->writer, 2);
    cn_write_atom(&elements->writer, "insert");
    cn_write_tuple(&elements->writer, 3);
    cn_write_term(&elements->writer, entry->name);
    cn_write_pid(&elements->writer, &entry->pid);
    cn_write_term(&elements->writer, entry->method);
    elements->count++;
}

static void add_delete(struct elements *elements, struct cn_term name)
{
    cn_write_tuple(&elements->writer, 2);
    cn_write_atom(&elements->writer, "delete");
    cn_write_term(&elements->writer, name);
    elements->count++;
}

static void write_elements(struct cn_writer *writer, const struct elements *elements)
{
    if (elements->count > 0)
        cn_write_list(writer, elements->count);
    etf_write_raw(writer, elements->writer.data, elements->writer.size);
    cn_write_nil(writer);
}

/* Who keeps the name. */
enum verdict {
    VERDICT_HIS,
    VERDICT_OURS,
    VERDICT_NOBODY,
};

static void settle(struct peer *peer, const struct entry *his, const struct entry *ours,
                   enum verdict verdict)
{
    struct meeting *meeting = &peer->meeting;

    switch (verdict) {
    case VERDICT_HIS:
        add_insert(&meeting->ops, his);
        break;
    case VERDICT_OURS:
        add_insert(&meeting->verdicts, ours);
        break;
    case VERDICT_NOBODY:
        add_delete(&meeting->ops, his->name);
        add_delete(&meeting->verdicts, his->name);
        break;
    }
}

static void conflict_free(struct conflict *conflict)
{
    list_remove(&conflict->question.link);
    kept_clear(&conflict->his);
    kept_clear(&conflict->method);
    mem_free(conflict);
}

static void conflict_release(struct question *question)
{
    conflict_free(container_of(question, struct conflict, question));
}

static void finish_if_settled(struct peer *peer);

static enum verdict read_verdict(enum call_outcome outcome, struct cn_term term,
                                 const struct cn_pid *his, const struct cn_pid *ours)
{
    struct cn_reader reader;
    struct cn_pid pid;
    uint32_t arity = 0;

    cn_reader_init(&reader, term);
    if (outcome != CALL_REPLY)
        return VERDICT_HIS;
    if (cn_peek(&reader) == CN_TYPE_PID && cn_read_pid(&reader, &pid)) {
        if (cn_pid_equal(&pid, his))
            return VERDICT_HIS;
        return cn_pid_equal(&pid, ours) ? VERDICT_OURS : VERDICT_NOBODY;
    }
    return cn_read_tuple(&reader, &arity) && cn_read_this_atom(&reader, "badrpc") ? VERDICT_HIS
                                                                                  : VERDICT_NOBODY;
}

/* The choice is made; nobody needs it any more if the meeting was cancelled meanwhile. */
static void conflict_end(struct conflict *conflict, const struct entry *his, enum verdict verdict)
{
    struct peer *peer = meeting_find(conflict->member, conflict->node, conflict->tag);
    struct entry ours = {his->name, conflict->pid, kept_term(&conflict->method)};

    if (peer != NULL) {
        settle(peer, his, &ours, verdict);
        peer->meeting.open--;
        finish_if_settled(peer);
    }
    conflict_free(conflict);
}

static struct entry his_entry(const struct conflict *conflict)
{
    struct cn_reader reader;
    struct entry his;

    cn_reader_init(&reader, kept_term(&conflict->his));
    (void)entry_read(&reader, &his); /* as it was before it was kept */
    return his;
}

static void on_verdict(struct gen_server *self, void *context, enum call_outcome outcome,
                       struct cn_term term)
{
    struct conflict *conflict = context;
    struct entry his = his_entry(conflict);

    conflict_end(conflict, &his, read_verdict(outcome, term, &his.pid, &conflict->pid));
}

static void on_chosen(void *context, const struct cn_pid *winner)
{
    struct conflict *conflict = context;
    struct entry his = his_entry(conflict);
    enum verdict verdict = VERDICT_NOBODY;

    if (winner != NULL)
        verdict = cn_pid_equal(winner, &his.pid) ? VERDICT_HIS : VERDICT_OURS;
    global_tell_killed(conflict->member->procs, &conflict->member->hooks, his.name, &conflict->pid,
                       &his.pid);
    conflict_end(conflict, &his, verdict);
}

/* [Method, Name, His, Ours] at the node of ours. */
static int ask_resolver(struct conflict *conflict, const struct entry *his)
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, 4);
    cn_write_term(&writer, kept_term(&conflict->method));
    cn_write_term(&writer, his->name);
    cn_write_pid(&writer, &his->pid);
    cn_write_pid(&writer, &conflict->pid);
    cn_write_nil(&writer);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = call_rpc(conflict->member->server, conflict->pid.node, "global", "resolve_it",
                     cn_writer_term(&writer), 0, on_verdict, conflict, NULL);
    cn_writer_free(&writer);
    return r;
}

static struct conflict *conflict_new(struct peer *peer, struct cn_term entry,
                                     const struct name *ours)
{
    struct conflict *conflict = mem_zalloc(sizeof(*conflict));

    if (conflict == NULL)
        return NULL;
    conflict->question.release = conflict_release;
    list_append(&peer->member->questions, &conflict->question.link);
    conflict->member = peer->member;
    memcpy(conflict->node, peer->node, sizeof(conflict->node));
    conflict->tag = peer->meeting.my_tag;
    conflict->pid = watched_pid(ours->watched);
    if (kept_set(&conflict->his, entry) == 0 &&
        kept_set(&conflict->method, roster_method(ours)) == 0)
        return conflict;
    conflict_free(conflict);
    return NULL;
}

/* The process of our side lives on a third node. */
static int resolve_there(struct conflict *conflict, const struct entry *his)
{
    int r = ask_resolver(conflict, his);

    if (r != 0)
        conflict_free(conflict);
    return r;
}

static void resolve_here(struct conflict *conflict, const struct entry *his)
{
    struct member *member = conflict->member;

    if (!global_resolve(member->procs, &member->hooks, kept_term(&conflict->method), his->name,
                        &his->pid, &conflict->pid, on_chosen, conflict))
        on_chosen(conflict, &his->pid);
}

/* Settle one of his names. Errors: -ENOMEM. */
static int take_entry(struct peer *peer, struct cn_term term)
{
    const char *us = procs_node(peer->member->procs);
    struct conflict *conflict = NULL;
    struct name *ours = NULL;
    struct cn_reader reader;
    struct entry his;

    cn_reader_init(&reader, term);
    if (!entry_read(&reader, &his))
        return 0;
    ours = roster_find(peer->member, his.name);
    if (ours == NULL)
        add_insert(&peer->meeting.ops, &his);
    if (ours == NULL || watched_is(ours->watched, &his.pid) || strcmp(us, peer->node) > 0)
        return 0;
    conflict = conflict_new(peer, term, ours);
    if (conflict == NULL)
        return -ENOMEM;
    trace("registry", "a name is in two hands, on %s and %s", conflict->pid.node, his.pid.node);
    peer->meeting.open++;
    if (strcmp(conflict->pid.node, us) != 0)
        return resolve_there(conflict, &his);
    resolve_here(conflict, &his);
    return 0;
}

void exchange_begin(struct peer *peer, struct cn_term message)
{
    struct cn_reader reader;
    uint32_t count = 0;
    int r = 0;

    sm_move(&peer->meeting.sm, MEETING_RESOLVING);
    trace("registry", "meeting with %s: locked -> resolving", peer->node);
    peer->meeting.open++; /* until all were looked at: a choice may be made at once */
    cn_reader_init(&reader, message);
    (void)cn_read_this_tuple(&reader, 5);
    (void)cn_skip(&reader);
    (void)cn_skip(&reader);
    (void)cn_read_list(&reader, &count);
    for (; count > 0 && r == 0; count--) {
        struct cn_term entry;

        if (!cn_read_term(&reader, &entry))
            break;
        r = take_entry(peer, entry);
    }
    peer->meeting.open--;
    if (r == 0)
        finish_if_settled(peer);
    else
        member_part(peer->member, peer->node);
}

/* All is settled: our verdicts go out. */
static void finish_if_settled(struct peer *peer)
{
    struct member *member = peer->member;
    struct meeting *meeting = &peer->meeting;
    struct cn_writer writer;

    if (meeting->open > 0)
        return;
    if (cn_writer_error(&meeting->ops.writer) != 0 ||
        cn_writer_error(&meeting->verdicts.writer) != 0) {
        member_part(member, peer->node);
        return;
    }
    sm_move(&meeting->sm, MEETING_RESOLVED);
    trace("registry", "meeting with %s: resolving -> resolved", peer->node);
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 7);
    cn_write_atom(&writer, "resolved");
    cn_write_atom(&writer, procs_node(member->procs));
    write_elements(&writer, &meeting->verdicts);
    known_write_known(member, meeting->version, &writer);
    cn_write_atom(&writer, "unused");
    roster_write_external(member, &writer);
    cn_write_term(&writer, kept_term(&meeting->his_tag));
    member_cast(member, peer->node, &writer);
    if (meeting->resolved.data != NULL)
        exchange_finish(peer, kept_term(&meeting->resolved));
}
