/*
 * A map by id; its order of insertion is that of the ends, so the oldest is its first item.
 */
#include "session/ended.h"

#include <string.h>

#include "base/alloc.h"
#include "session/host.h"
#include "session/words.h"

/* A session that has ended. */
struct ended {
    struct map_handle hh;
    uint64_t epoch;
    uint64_t at_ms;
    uint32_t id_size;
    uint8_t id[];
};

static struct ended *find(struct hosts *hosts, struct cn_bytes id)
{
    struct ended *ended;

    map_find(hosts->ended, id.data, id.size, ended);
    return ended;
}

static void forget(struct hosts *hosts, struct ended *ended)
{
    map_remove(hosts->ended, ended);
    mem_free(ended);
}

/* Keep fewer than @count, none of which is too old. */
static void forget_oldest(struct hosts *hosts, size_t count)
{
    uint64_t now_ms = procs_now_ms(hosts->procs);
    struct ended *ended, *next;

    map_for_each(hosts->ended, ended, next)
    {
        if (map_count(hosts->ended) < count && now_ms - ended->at_ms < ENDED_MS)
            return;
        forget(hosts, ended);
    }
}

void ended_note(const struct session *session)
{
    struct hosts *hosts = session->hosts;
    struct cn_bytes id = session_id(session);
    struct ended *ended;

    if (session->epoch < 2)
        return;
    ended = find(hosts, id);
    if (ended != NULL)
        forget(hosts, ended);
    forget_oldest(hosts, ENDED_MAX);
    ended = mem_alloc(sizeof(*ended) + id.size);
    if (ended == NULL)
        return;
    ended->epoch = session->epoch;
    ended->at_ms = procs_now_ms(hosts->procs);
    ended->id_size = (uint32_t)id.size;
    memcpy(ended->id, id.data, id.size);
    if (!map_add(hosts->ended, ended->id, ended->id_size, ended))
        mem_free(ended);
}

bool ended_find(struct hosts *hosts, struct cn_bytes id, uint64_t *ret_epoch, uint64_t *ret_age_ms)
{
    const struct ended *ended;

    forget_oldest(hosts, SIZE_MAX);
    ended = find(hosts, id);
    if (ended == NULL)
        return false;
    *ret_epoch = ended->epoch;
    *ret_age_ms = procs_now_ms(hosts->procs) - ended->at_ms;
    return true;
}

bool ended_answer(struct hosts *hosts, struct cn_term request, struct cn_writer *writer)
{
    struct cn_bytes id = {.size = 0};
    struct cn_reader reader;
    struct cn_term term;
    uint64_t epoch, age_ms;

    if (!words_read_pair(request, "ended", &term))
        return false;
    cn_reader_init(&reader, term);
    if (!cn_read_binary(&reader, &id) || !ended_find(hosts, id, &epoch, &age_ms)) {
        cn_write_atom(writer, "nil");
        return true;
    }
    cn_write_tuple(writer, 3);
    cn_write_atom(writer, "ended");
    cn_write_unsigned(writer, epoch);
    cn_write_unsigned(writer, age_ms);
    return true;
}

bool ended_in_order(struct cn_term reason)
{
    struct cn_term detail;

    return cn_term_is_atom(reason, "normal") || cn_term_is_atom(reason, "shutdown") ||
           words_read_pair(reason, "shutdown", &detail);
}

void ended_clear(struct hosts *hosts)
{
    struct ended *ended, *next;

    map_for_each(hosts->ended, ended, next) forget(hosts, ended);
}
