/*
 * Capability flags: the arithmetic and the names.
 *
 * A bit without a name is shown as a number, so that a log line about a newer peer still tells all.
 */
#include "dist/flags.h"

#include <inttypes.h>

#include "base/text.h"

_Static_assert(FLAGS_OURS == UINT64_C(0xd07df7fbd), "the set of OTP 25");
_Static_assert(FLAGS_MANDATORY_25 == UINT64_C(0x1070f94), "what OTP 25 calls mandatory");

static const struct {
    uint64_t flag;
    const char *name;
} flag_names[] = {
    {FLAG_PUBLISHED, "PUBLISHED"},
    {FLAG_EXTENDED_REFERENCES, "EXTENDED_REFERENCES"},
    {FLAG_DIST_MONITOR, "DIST_MONITOR"},
    {FLAG_FUN_TAGS, "FUN_TAGS"},
    {FLAG_DIST_MONITOR_NAME, "DIST_MONITOR_NAME"},
    {FLAG_NEW_FUN_TAGS, "NEW_FUN_TAGS"},
    {FLAG_EXTENDED_PIDS_PORTS, "EXTENDED_PIDS_PORTS"},
    {FLAG_EXPORT_PTR_TAG, "EXPORT_PTR_TAG"},
    {FLAG_BIT_BINARIES, "BIT_BINARIES"},
    {FLAG_NEW_FLOATS, "NEW_FLOATS"},
    {FLAG_UNICODE_IO, "UNICODE_IO"},
    {FLAG_DIST_HDR_ATOM_CACHE, "DIST_HDR_ATOM_CACHE"},
    {FLAG_SMALL_ATOM_TAGS, "SMALL_ATOM_TAGS"},
    {FLAG_UTF8_ATOMS, "UTF8_ATOMS"},
    {FLAG_MAP_TAG, "MAP_TAG"},
    {FLAG_BIG_CREATION, "BIG_CREATION"},
    {FLAG_SEND_SENDER, "SEND_SENDER"},
    {FLAG_BIG_SEQTRACE_LABELS, "BIG_SEQTRACE_LABELS"},
    {FLAG_EXIT_PAYLOAD, "EXIT_PAYLOAD"},
    {FLAG_FRAGMENTS, "FRAGMENTS"},
    {FLAG_HANDSHAKE_23, "HANDSHAKE_23"},
    {FLAG_UNLINK_ID, "UNLINK_ID"},
    {FLAG_MANDATORY_25_DIGEST, "MANDATORY_25_DIGEST"},
    {FLAG_SPAWN, "SPAWN"},
    {FLAG_NAME_ME, "NAME_ME"},
    {FLAG_V4_NC, "V4_NC"},
    {FLAG_ALIAS, "ALIAS"},
    {FLAG_ALTACT_SIG, "ALTACT_SIG"},
};

uint64_t flags_expand(uint64_t flags)
{
    return (flags & FLAG_MANDATORY_25_DIGEST) != 0 ? flags | FLAGS_MANDATORY_25 : flags;
}

uint64_t flags_missing(uint64_t flags)
{
    return FLAGS_REQUIRED & ~flags;
}

void flags_describe(uint64_t flags, char *text, size_t text_size)
{
    struct text line;
    const char *comma = "";

    text_init(&line, text, text_size);
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
        if ((flags & flag_names[i].flag) == 0)
            continue;
        text_add_format(&line, "%s%s", comma, flag_names[i].name);
        flags &= ~flag_names[i].flag;
        comma = ", ";
    }
    if (flags != 0)
        text_add_format(&line, "%s0x%" PRIx64, comma, flags);
}
