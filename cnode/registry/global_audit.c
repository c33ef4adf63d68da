/*
 * Audits: does this BEAM node have our names?
 *
 * The names are asked for in batches, one batch at a time: one rpc maps global:whereis_name over
 * BATCH_NAMES names, so a hundred thousand names cost some hundred messages. A marker in the list
 * of all names remembers how far it came, whatever comes and goes meanwhile. A missing name is
 * registered again at that node; one in other hands is a conflict, unless it is being moved or
 * given up just now. An audit that cannot go on stops: the next one starts from the first name.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "registry/global_internal.h"

#define BATCH_NAMES      256u
#define AUDIT_TIMEOUT_MS 60000u

/* A batch under way: the names asked for, in order, as one list. It outlives the neighbour. */
struct batch {
    struct question question;
    struct global *global;
    uint64_t incarnation;
    struct cn_writer names;
    char node[];
};

static struct batch *batch_free(struct batch *batch)
{
    list_remove(&batch->question.link);
    cn_writer_free(&batch->names);
    mem_free(batch);
    return NULL;
}

static void batch_release(struct question *question)
{
    batch_free(container_of(question, struct batch, question));
}

/* Count the names behind @cursor, at most a batch. */
static uint32_t count_names(const struct global *global, const struct place *cursor)
{
    uint32_t count = 0;

    for (struct list *item = cursor->list.next; item != &global->all && count < BATCH_NAMES;
         item = item->next)
        count += container_of(item, struct place, list)->marker ? 0 : 1;
    return count;
}

/* Write @count names and move the cursor behind them. */
static void take_names(struct neighbour *neighbour, uint32_t count, struct cn_writer *writer)
{
    struct list *item = neighbour->cursor.list.next;

    cn_write_list(writer, count);
    while (count > 0) {
        struct place *place = container_of(item, struct place, list);

        item = item->next;
        if (place->marker)
            continue;
        cn_write_term(writer, names_term(container_of(place, struct held_name, place)));
        count--;
    }
    cn_write_nil(writer);
    list_remove(&neighbour->cursor.list);
    list_add_before(item, &neighbour->cursor.list);
}

static struct batch *batch_new(struct neighbour *neighbour, uint32_t count)
{
    size_t size = strlen(neighbour->node) + 1;
    struct batch *batch = mem_zalloc(sizeof(*batch) + size);

    if (batch == NULL)
        return NULL;
    batch->question.release = batch_release;
    list_append(&neighbour->global->questions, &batch->question.link);
    batch->global = neighbour->global;
    batch->incarnation = neighbour->incarnation;
    memcpy(batch->node, neighbour->node, size);
    cn_writer_init(&batch->names, 0);
    take_names(neighbour, count, &batch->names);
    return batch;
}

static void on_batch(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term);

/* [fun global:whereis_name/1, Names] */
static int send_batch(struct batch *batch)
{
    static const uint8_t whereis[] = "\x71\x77\x06global\x77\x0cwhereis_name\x61\x01";
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, 2);
    cn_write_term(&writer, (struct cn_term){whereis, sizeof(whereis) - 1});
    cn_write_term(&writer, cn_writer_term(&batch->names));
    cn_write_nil(&writer);
    r = cn_writer_error(&batch->names) != 0 ? -ENOMEM : cn_writer_error(&writer);
    if (r == 0)
        r = call_rpc(batch->global->server, batch->node, "lists", "map", cn_writer_term(&writer),
                     AUDIT_TIMEOUT_MS, on_batch, batch, NULL);
    cn_writer_free(&writer);
    return r;
}

static void audit_next(struct neighbour *neighbour)
{
    uint32_t count = count_names(neighbour->global, &neighbour->cursor);
    struct batch *batch = count > 0 ? batch_new(neighbour, count) : NULL;

    if (batch == NULL) {
        bool again = neighbour->audit_again && count == 0;

        audit_stop(neighbour);
        if (again)
            audit_start(neighbour);
    } else if (send_batch(batch) != 0) {
        batch_free(batch);
        audit_stop(neighbour);
    }
}

void audit_start(struct neighbour *neighbour)
{
    if (neighbour->auditing) {
        neighbour->audit_again = true;
        return;
    }
    trace("registry", "audit of %s", neighbour->node);
    neighbour->auditing = true;
    list_prepend(&neighbour->global->all, &neighbour->cursor.list);
    audit_next(neighbour);
}

void audit_stop(struct neighbour *neighbour)
{
    neighbour->auditing = false;
    neighbour->audit_again = false;
    list_remove(&neighbour->cursor.list);
}

/* One name and what the neighbour says of it: a pid, or undefined. */
static void check_name(struct batch *batch, struct cn_term name, struct cn_term answer)
{
    struct global *global = batch->global;
    struct held_name *held = names_find(global, name);
    struct cn_reader reader;
    struct cn_pid other;
    struct cn_pid ours;

    if (held == NULL || requests_busy(global, name))
        return;
    ours = held->owner->pid;
    cn_reader_init(&reader, answer);
    if (!cn_read_pid(&reader, &other)) {
        trace("registry", "a name is missing at %s", batch->node);
        (void)requests_add(
            global, &(struct wish){
                        .kind = REQUEST_REPAIR, .name = name, .pid = &ours, .node = batch->node});
    } else if (!cn_pid_equal(&other, &ours)) {
        trace("registry", "a name is in other hands at %s", batch->node);
        names_release(global, held);
        if (global->hooks.on_conflict != NULL)
            global->hooks.on_conflict(global->hooks.context, name, &ours, &other);
    }
}

/* Walk over names and answers side by side. Returns false when they do not fit. */
static bool check_batch(struct batch *batch, struct cn_term answers)
{
    struct cn_reader names;
    struct cn_reader reader;
    uint32_t count = 0;
    uint32_t answered = 0;

    cn_reader_init(&names, cn_writer_term(&batch->names));
    cn_reader_init(&reader, answers);
    if (!cn_read_list(&names, &count) || !cn_read_list(&reader, &answered) || count != answered)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct cn_term name;
        struct cn_term answer;

        if (!cn_read_term(&names, &name) || !cn_read_term(&reader, &answer))
            return false;
        check_name(batch, name, answer);
    }
    return true;
}

static void on_batch(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct batch *batch = context;
    struct neighbour *neighbour = neighbours_find(batch->global, batch->node);
    bool good = false;

    if (neighbour != NULL && neighbour->incarnation == batch->incarnation) {
        good = outcome == CALL_REPLY && check_batch(batch, term);
        /* A hook may have changed anything. */
        neighbour = neighbours_find(batch->global, batch->node);
        if (neighbour != NULL && neighbour->incarnation == batch->incarnation) {
            if (good)
                audit_next(neighbour);
            else
                audit_stop(neighbour);
        }
    }
    batch_free(batch);
    requests_pump(gen_server_state(self));
}
