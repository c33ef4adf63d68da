/*
 * Reading offers, and the reasons to refuse one. It allocates nothing, so it fails only by what an
 * offer says, or leaves out.
 */
#include "session/offer.h"

#include "session/events.h"
#include "session/failpoint.h"
#include "session/words.h"

static bool read_transfer(struct cn_term map, struct cn_ref *ret_transfer)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(map, "transfer", &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_ref(&reader, ret_transfer);
}

bool offer_read(struct cn_term map, struct offer *offer)
{
    struct cn_term code;

    if (!cn_map_get(map, "subscribers", &offer->subscribers) ||
        offer->subscribers.size > EVENTS_OFFERED_BYTES_MAX)
        offer->subscribers = (struct cn_term){0};
    return read_transfer(map, &offer->transfer) && words_get_binary(map, "id", &offer->id) &&
           offer->id.size > 0 && offer->id.size <= WORDS_ID_BYTES_MAX &&
           cn_map_get(map, "join_code", &code) && words_read_code(code, &offer->code) &&
           words_get_unsigned(map, "epoch", &offer->epoch) &&
           words_get_unsigned(map, "version", &offer->version) &&
           words_get_unsigned(map, "state_version", &offer->state_version) &&
           words_get_unsigned(map, "bytes", &offer->bytes) &&
           words_get_pid(map, "source", &offer->source);
}

static bool reads_version(const struct hosts *hosts, uint64_t state_version)
{
    for (const uint32_t *version = hosts->game->state_versions; *version != 0; version++)
        if (*version == state_version)
            return true;
    return false;
}

/* A session that left, and whose forwarder is still here, may come back. */
static bool is_taken(const struct session *session)
{
    return session != NULL && session_state(session) != SESSION_FORWARDING;
}

const char *offer_refusal(const struct hosts *hosts, const struct offer *offer)
{
    if (host_draining(hosts))
        return "draining";
    if (failpoint_refuses("in_offer"))
        return "failpoint";
    if (!reads_version(hosts, offer->state_version))
        return "unsupported_state_version";
    if (is_taken(session_table_by_id(&hosts->table, offer->id)) ||
        is_taken(session_table_by_code(&hosts->table, offer->code)))
        return "already_owner";
    if (host_full(hosts) || offer->bytes > hosts->config.snapshot_bytes_max)
        return "full";
    return NULL;
}
