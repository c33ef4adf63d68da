/*
 * Two hash maps over the same sessions; the keys lie in the session, so a session costs two map
 * handles and no allocation of its own.
 */
#include "session/table.h"

#include <errno.h>

static struct session *find(struct session_key *map, struct cn_bytes key)
{
    struct session_key *item = NULL;

    if (key.size == 0)
        return NULL;
    map_find(map, key.data, key.size, item);
    return item == NULL ? NULL : item->session;
}

void session_table_init(struct session_table *table)
{
    list_init(&table->displaced);
}

int session_table_add(struct session_table *table, struct session *session)
{
    struct cn_bytes id = session_id(session);
    struct cn_bytes code = session_code(session);
    struct session_key *by_id = &session->by_id;
    struct session_key *by_code = &session->by_code;

    if (!map_add(table->by_id, id.data, id.size, by_id))
        return -ENOMEM;
    if (code.size > 0 && !map_add(table->by_code, code.data, code.size, by_code)) {
        map_remove(table->by_id, by_id);
        return -ENOMEM;
    }
    /* nothing can fail below */
    by_id->session = session;
    if (code.size > 0)
        by_code->session = session;
    return 0;
}

void session_table_remove(struct session_table *table, struct session *session)
{
    struct session_key *by_id = &session->by_id;
    struct session_key *by_code = &session->by_code;

    if (by_id->session != NULL)
        map_remove(table->by_id, by_id);
    if (by_code->session != NULL)
        map_remove(table->by_code, by_code);
    by_id->session = NULL;
    by_code->session = NULL;
}

void session_table_displace(struct session_table *table, struct session *session)
{
    if (session == NULL || session->displaced || session_state(session) != SESSION_FORWARDING)
        return;
    session_table_remove(table, session);
    session->displaced = true;
    list_append(&table->displaced, &session->contested);
    table->displaced_count++;
}

void session_table_restore(struct session_table *table, struct session *session)
{
    if (session_table_by_id(table, session_id(session)) != NULL ||
        session_table_by_code(table, session_code(session)) != NULL ||
        session_table_add(table, session) != 0)
        return;
    session->displaced = false;
    list_remove(&session->contested);
    table->displaced_count--;
}

struct session *session_table_by_id(const struct session_table *table, struct cn_bytes id)
{
    return find(table->by_id, id);
}

struct session *session_table_by_code(const struct session_table *table, struct cn_bytes code)
{
    return find(table->by_code, code);
}

size_t session_table_owned(const struct session_table *table)
{
    return map_count(table->by_id) - (table->forwarders - table->displaced_count);
}
