/*
 * Capability flags: what two nodes agree to speak.
 *
 * Each side sends its set in the handshake; what both have is the effective set. A flag promises
 * behaviour, so we set only what is built. DIST_MONITOR and DIST_MONITOR_NAME belong together: a
 * BEAM that sees only one of them sends no monitor at all.
 *
 * Source: "Distribution Protocol", Distribution Flags, ERTS User's Guide; distribution.md A.1.
 */
#ifndef DIST_FLAGS_H
#define DIST_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAG_PUBLISHED           UINT64_C(0x1) /* visible, in nodes() */
#define FLAG_EXTENDED_REFERENCES UINT64_C(0x4)
#define FLAG_DIST_MONITOR        UINT64_C(0x8)
#define FLAG_FUN_TAGS            UINT64_C(0x10)
#define FLAG_DIST_MONITOR_NAME   UINT64_C(0x20)
#define FLAG_NEW_FUN_TAGS        UINT64_C(0x80)
#define FLAG_EXTENDED_PIDS_PORTS UINT64_C(0x100)
#define FLAG_EXPORT_PTR_TAG      UINT64_C(0x200)
#define FLAG_BIT_BINARIES        UINT64_C(0x400)
#define FLAG_NEW_FLOATS          UINT64_C(0x800)
#define FLAG_UNICODE_IO          UINT64_C(0x1000)
#define FLAG_DIST_HDR_ATOM_CACHE UINT64_C(0x2000)
#define FLAG_SMALL_ATOM_TAGS     UINT64_C(0x4000)
#define FLAG_UTF8_ATOMS          UINT64_C(0x10000)
#define FLAG_MAP_TAG             UINT64_C(0x20000)
#define FLAG_BIG_CREATION        UINT64_C(0x40000)
#define FLAG_SEND_SENDER         UINT64_C(0x80000)
#define FLAG_BIG_SEQTRACE_LABELS UINT64_C(0x100000)
#define FLAG_EXIT_PAYLOAD        UINT64_C(0x400000)
#define FLAG_FRAGMENTS           UINT64_C(0x800000)
#define FLAG_HANDSHAKE_23        UINT64_C(0x1000000)
#define FLAG_UNLINK_ID           UINT64_C(0x2000000)
#define FLAG_MANDATORY_25_DIGEST UINT64_C(0x4000000) /* stands for FLAGS_MANDATORY_25 */
#define FLAG_SPAWN               UINT64_C(0x100000000)
#define FLAG_NAME_ME             UINT64_C(0x200000000) /* wants a name from us: refused */
#define FLAG_V4_NC               UINT64_C(0x400000000)
#define FLAG_ALIAS               UINT64_C(0x800000000)
#define FLAG_ALTACT_SIG          UINT64_C(0x2000000000)

/** What every node since OTP 25 must have. */
#define FLAGS_MANDATORY_25                                                                        \
    (FLAG_EXTENDED_REFERENCES | FLAG_FUN_TAGS | FLAG_NEW_FUN_TAGS | FLAG_EXTENDED_PIDS_PORTS |    \
     FLAG_EXPORT_PTR_TAG | FLAG_BIT_BINARIES | FLAG_NEW_FLOATS | FLAG_UTF8_ATOMS | FLAG_MAP_TAG | \
     FLAG_BIG_CREATION | FLAG_HANDSHAKE_23)

/**
 * What a peer must have to talk to us. V4_NC is a duty since OTP 26 only, but every node since OTP
 * 24 has it, and nothing could be done for one that has not: our pids' ids outgrow the 15 bits of
 * the older form at 32,768 processes, and pids and references of newer nodes, which messages carry
 * through us (who waits for an answer, who subscribes), are not ours to change.
 */
#define FLAGS_REQUIRED (FLAGS_MANDATORY_25 | FLAG_V4_NC)

/** What a hidden node of ours advertises. */
#define FLAGS_OURS_HIDDEN                                                                          \
    (FLAGS_MANDATORY_25 | FLAG_MANDATORY_25_DIGEST | FLAG_DIST_MONITOR | FLAG_DIST_MONITOR_NAME |  \
     FLAG_UNICODE_IO | FLAG_SMALL_ATOM_TAGS | FLAG_SEND_SENDER | FLAG_BIG_SEQTRACE_LABELS |        \
     FLAG_EXIT_PAYLOAD | FLAG_DIST_HDR_ATOM_CACHE | FLAG_FRAGMENTS | FLAG_UNLINK_ID | FLAG_SPAWN | \
     FLAG_V4_NC | FLAG_ALIAS)

/** What a visible node of ours advertises. */
#define FLAGS_OURS (FLAGS_OURS_HIDDEN | FLAG_PUBLISHED)

/** Give the flags a peer's set means: the digest flag stands for all of FLAGS_MANDATORY_25. */
uint64_t flags_expand(uint64_t flags);
/** Give the required flags that @flags, already expanded, lacks; 0 when it may talk to us. */
uint64_t flags_missing(uint64_t flags);
/** Write the names of @flags to @text of @text_size > 0 bytes, for a log line: "V4_NC, MAP_TAG". */
void flags_describe(uint64_t flags, char *text, size_t text_size);

#endif
