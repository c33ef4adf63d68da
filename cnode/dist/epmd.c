/*
 * EPMD's protocol, byte by byte.
 *
 * Lengths in replies are 16 bits and are only compared with what arrived, never trusted for memory.
 */
#include "dist/epmd.h"

#include <string.h>

#include "base/error.h"

#define REQ_ALIVE2       120
#define REQ_PORT_PLEASE2 122
#define RESP_ALIVE2_OLD  121
#define RESP_ALIVE2      118
#define RESP_PORT        119
#define NODE_VISIBLE     77
#define NODE_HIDDEN      72
#define PROTOCOL_TCP     0
#define LOOKUP_FIXED_BYTES \
    12 /* before the name: tag, result, port, type, protocol, versions, size */

int epmd_write_register(struct bytes *out, const char *alive, uint16_t port, bool hidden)
{
    size_t alive_size = strlen(alive);
    uint8_t head[13];
    int rc;

    be16_put(head, (uint16_t)(sizeof(head) - 2 + alive_size + 2));
    head[2] = REQ_ALIVE2;
    be16_put(head + 3, port);
    head[5] = hidden ? NODE_HIDDEN : NODE_VISIBLE;
    head[6] = PROTOCOL_TCP;
    be16_put(head + 7, EPMD_DIST_VERSION);
    be16_put(head + 9, EPMD_DIST_VERSION - 1);
    be16_put(head + 11, (uint16_t)alive_size);
    rc = bytes_append(out, head, sizeof(head));
    if (rc == 0)
        rc = bytes_append(out, alive, alive_size);
    if (rc == 0)
        rc = bytes_append_u16(out, 0); /* no extra */
    return rc;
}

int epmd_read_register_reply(const uint8_t *data, size_t size, uint32_t *ret_creation)
{
    size_t needed;

    if (size == 0)
        return CN_E_MORE;
    if (data[0] != RESP_ALIVE2 && data[0] != RESP_ALIVE2_OLD)
        return CN_E_INVALID;
    if (size >= 2 && data[1] != 0)
        return CN_E_TAKEN;
    needed = data[0] == RESP_ALIVE2 ? 6 : 4;
    if (size < needed)
        return CN_E_MORE;
    *ret_creation = data[0] == RESP_ALIVE2 ? be32_get(data + 2) : be16_get(data + 2);
    return 0;
}

int epmd_write_lookup(struct bytes *out, const char *alive)
{
    size_t alive_size = strlen(alive);
    int rc = bytes_append_u16(out, (uint16_t)(1 + alive_size));

    if (rc == 0)
        rc = bytes_append_u8(out, REQ_PORT_PLEASE2);
    if (rc == 0)
        rc = bytes_append(out, alive, alive_size);
    return rc;
}

int epmd_read_lookup_reply(const uint8_t *data, size_t size, const char *alive,
                           struct epmd_node *ret_node)
{
    size_t alive_size = strlen(alive);
    size_t name_size;
    struct epmd_node node;

    if (size >= 1 && data[0] != RESP_PORT)
        return CN_E_INVALID;
    if (size >= 2 && data[1] != 0)
        return CN_E_UNKNOWN;
    if (size < LOOKUP_FIXED_BYTES)
        return CN_E_MORE;
    name_size = be16_get(data + 10);
    if (name_size != alive_size)
        return CN_E_INVALID;
    if (size < LOOKUP_FIXED_BYTES + name_size)
        return CN_E_MORE;
    if (memcmp(data + LOOKUP_FIXED_BYTES, alive, alive_size) != 0)
        return CN_E_INVALID;
    node.port = be16_get(data + 2);
    node.hidden = data[4] == NODE_HIDDEN;
    node.version_high = be16_get(data + 6);
    node.version_low = be16_get(data + 8);
    if (data[5] != PROTOCOL_TCP || node.port == 0 || node.version_high < EPMD_DIST_VERSION ||
        node.version_low > EPMD_DIST_VERSION)
        return CN_E_UNSUPPORTED;
    *ret_node = node;
    return 0;
}
