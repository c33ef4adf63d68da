/*
 * Membership: the other hosts that this one knows.
 *
 * A host is known from its hello until its host process ends, it says bye, or another process of
 * the same node says hello. Each member is monitored, so the end of a node or of its connection is
 * seen as the process layer sees it; nobody pings. Source: PROTOCOL.md, "Hosts find each other".
 *
 * How it fails: a hello that finds no memory is as if it had not come; the next change brings
 * another one.
 */
#ifndef SESSION_MEMBERS_H
#define SESSION_MEMBERS_H

#include "session/host.h"

/** Another host. */
struct member {
    struct list link; /* of hosts->members */
    struct cn_pid pid;
    struct cn_ref monitor;
    int64_t incarnation;
    bool draining;
    uint64_t sessions;
    uint64_t capacity;
    uint8_t *info; /* its latest info, one term */
    size_t info_size;
};

/** Say hello to the host process of @node. */
void members_greet(struct hosts *hosts, const char *node);
/** Take {host_hello, Protocol, Info}, {host_bye, Node, Incarnation} or 'DOWN'; false: none of
 * these. */
bool members_message(struct hosts *hosts, struct cn_term message);
/** The load has changed: all known hosts are told, at most once in 100 ms. */
void members_load_changed(struct hosts *hosts);
/** Tell all known hosts how we are, now. */
void members_tell_all(struct hosts *hosts);
/** Tell all known hosts that we are leaving. */
void members_bye(struct hosts *hosts);
/** Find the member on @node; NULL: none. */
struct member *members_find(const struct hosts *hosts, const char *node);
/** View a member's info. */
struct cn_term member_info(const struct member *member);
/** Tell whether @member takes sessions: it is not draining, not full, and reads @state_version. */
bool member_takes(const struct member *member, uint32_t state_version);
/** Compare the version of its application with this host's: > 0 is later; 0 too if it says none. */
int member_version(const struct hosts *hosts, const struct member *member);
/** Tell whether a host was lost, without a bye, in the last two seconds: others may be about to
 * take its sessions over. */
bool members_lost_lately(const struct hosts *hosts);
/** Release all members. */
void members_clear(struct hosts *hosts);

#endif
