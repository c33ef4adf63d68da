/*
 * One structure per call, with a place for each answer; whoever answers last frees it. How it
 * fails: without memory for the structure nothing is started.
 */
#include "session/engine_many.h"

#include "base/alloc.h"
#include "session/engine_start.h"
#include "session/words.h"

/* An answer; size 0: not there, or there was no memory to keep it. */
struct place {
    uint8_t *data;
    size_t size;
};

struct many {
    struct operation operation;
    struct apply *apply;
    uint32_t count;
    uint32_t waiting; /* answers that are still to come */
    struct place places[];
};

static void many_free(struct many *many)
{
    operation_end(&many->operation);
    for (uint32_t i = 0; i < many->count; i++)
        mem_free(many->places[i].data);
    mem_free(many);
}

static void many_release(struct operation *operation)
{
    many_free(container_of(operation, struct many, operation));
}

static struct many *many_new(struct hosts *hosts, struct apply *apply, uint32_t count)
{
    struct many *many = mem_zalloc(sizeof(*many) + count * sizeof(many->places[0]));

    if (many == NULL)
        return NULL;
    many->apply = apply;
    many->count = count;
    many->waiting = count;
    operation_begin(hosts, &many->operation, many_release);
    return many;
}

static void finish(struct many *many)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, many->count);
    for (uint32_t i = 0; i < many->count; i++) {
        struct place *place = &many->places[i];

        cn_write_term(&writer, place->size > 0 ? (struct cn_term){place->data, place->size}
                                               : words_no_memory());
    }
    cn_write_nil(&writer);
    apply_return(many->apply, words_answer(&writer));
    cn_writer_free(&writer);
    many_free(many);
}

void many_answer(struct many *many, uint32_t index, struct cn_term answer)
{
    struct place *place = &many->places[index];

    place->data = mem_dup(answer.data, answer.size);
    place->size = place->data != NULL ? answer.size : 0;
    if (--many->waiting == 0)
        finish(many);
}

/* Say what is wrong with the list, or with its element @index if that is not negative. */
static void refuse(struct apply *apply, int64_t index, const char *expected)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "invalid_games");
    if (index >= 0) {
        cn_write_list(&writer, 1);
        cn_write_integer(&writer, index);
    }
    cn_write_nil(&writer);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "expected");
    if (expected != NULL) {
        cn_write_atom(&writer, expected);
    } else {
        cn_write_tuple(&writer, 3);
        cn_write_atom(&writer, "length");
        cn_write_integer(&writer, 1);
        cn_write_integer(&writer, ENGINE_MANY_MAX);
    }
    apply_return(apply, words_answer(&writer));
    cn_writer_free(&writer);
}

static bool read_pair(struct cn_reader *reader, struct cn_term *ret_code, struct cn_term *ret_game)
{
    return cn_read_this_tuple(reader, 2) && cn_read_term(reader, ret_code) &&
           cn_read_term(reader, ret_game);
}

/* Tell whether @games is a list of pairs, of a length that may be; if not @apply was answered. */
static bool check(struct apply *apply, struct cn_term games, uint32_t *ret_count)
{
    struct cn_term code, game;
    struct cn_reader reader;

    cn_reader_init(&reader, games);
    if (!cn_read_list(&reader, ret_count)) {
        refuse(apply, -1, "list");
        return false;
    }
    if (*ret_count == 0 || *ret_count > ENGINE_MANY_MAX) {
        refuse(apply, -1, NULL);
        return false;
    }
    for (uint32_t i = 0; i < *ret_count; i++) {
        if (!read_pair(&reader, &code, &game)) {
            refuse(apply, i, "pair");
            return false;
        }
    }
    if (!cn_read_nil(&reader)) {
        refuse(apply, -1, "list");
        return false;
    }
    return true;
}

void engine_many_run(struct hosts *hosts, struct apply *apply, struct cn_term games)
{
    struct cn_reader reader;
    struct many *many;
    uint32_t count;

    if (!check(apply, games, &count))
        return;
    many = many_new(hosts, apply, count);
    if (many == NULL) {
        apply_return(apply, words_no_memory());
        return;
    }
    cn_reader_init(&reader, games);
    (void)cn_read_list(&reader, &count);
    /* the last answer, which may come at once, frees `many` */
    for (uint32_t i = 0; i < count; i++) {
        struct cn_term code, game;

        (void)read_pair(&reader, &code, &game);
        engine_start_create(hosts, &(struct engine_asker){.many = many, .index = i}, code, game);
    }
}
