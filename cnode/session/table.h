/*
 * The sessions of this node, by id and by join code.
 *
 * Every session process is in it from its start to its end: also one that is still starting or
 * receiving, so that nobody starts it twice, and one that has moved away, so that late comers are
 * shown the way: until it comes back while its former process is still a forwarder.
 */
#ifndef SESSION_TABLE_H
#define SESSION_TABLE_H

#include "session/session.h"

/** The table; zeroed, and session_table_init: empty. */
struct session_table {
    struct session_key *by_id;
    struct session_key *by_code;
    size_t forwarders;     /* moved away */
    struct list displaced; /* of the forwarders: no longer in by_id; linked by `contested` */
    size_t displaced_count;
    size_t unsettled; /* of those in by_id: starting, receiving or ready */
};

/** Make a zeroed table. */
void session_table_init(struct session_table *table);
/**
 * Put @session in under its id and code, which are free, or those of a forwarder that is displaced
 * next: both are found by them until then, one or the other. Errors: -ENOMEM, nothing changed.
 */
int session_table_add(struct session_table *table, struct session *session);
/** Take @session out, if it is in. */
void session_table_remove(struct session_table *table, struct session *session);
/** Let go of @session, if it is a forwarder: the session has come back. NULL is fine. */
void session_table_displace(struct session_table *table, struct session *session);
/** Enter @session, a displaced forwarder, again, unless what came back is there. */
void session_table_restore(struct session_table *table, struct session *session);
/** Find by id; NULL: none. */
struct session *session_table_by_id(const struct session_table *table, struct cn_bytes id);
/** Find by join code; NULL: none. */
struct session *session_table_by_code(const struct session_table *table, struct cn_bytes code);
/** Count the sessions owned here, starting and receiving ones included, forwarders not. */
size_t session_table_owned(const struct session_table *table);

#endif
