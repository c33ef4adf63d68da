/*
 * Socket addresses, on libuv's helpers. IPv4 seen through an IPv6 socket is shown as IPv4, so that
 * a host has one name however it comes in.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/text.h"

static const struct sockaddr_in *in4(const struct address *address)
{
    return (const struct sockaddr_in *)&address->storage;
}

static const struct sockaddr_in6 *in6(const struct address *address)
{
    return (const struct sockaddr_in6 *)&address->storage;
}

int address_parse(const char *text, uint16_t port, struct address *ret_address)
{
    struct address address;

    memset(&address, 0, sizeof(address));
    if (uv_ip4_addr(text, port, (struct sockaddr_in *)&address.storage) != 0 &&
        uv_ip6_addr(text, port, (struct sockaddr_in6 *)&address.storage) != 0)
        return CN_E_INVALID;
    *ret_address = address;
    return 0;
}

int address_copy(const struct sockaddr *from, struct address *ret_address)
{
    size_t size;

    if (from->sa_family == AF_INET)
        size = sizeof(struct sockaddr_in);
    else if (from->sa_family == AF_INET6)
        size = sizeof(struct sockaddr_in6);
    else
        return CN_E_INVALID;
    memset(ret_address, 0, sizeof(*ret_address));
    memcpy(&ret_address->storage, from, size);
    return 0;
}

const struct sockaddr *address_sockaddr(const struct address *address)
{
    return (const struct sockaddr *)&address->storage;
}

uint16_t address_port(const struct address *address)
{
    return ntohs(address->storage.ss_family == AF_INET6 ? in6(address)->sin6_port
                                                        : in4(address)->sin_port);
}

void address_set_port(struct address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

void address_host(const struct address *address, char ret_text[ADDRESS_TEXT_MAX])
{
    char mapped[ADDRESS_TEXT_MAX];
    int rc = -1;

    if (address->storage.ss_family == AF_INET)
        rc = uv_ip4_name(in4(address), ret_text, ADDRESS_TEXT_MAX);
    else if (address->storage.ss_family == AF_INET6)
        rc = uv_ip6_name(in6(address), ret_text, ADDRESS_TEXT_MAX);
    if (rc != 0)
        text_copy(ret_text, ADDRESS_TEXT_MAX, "unknown");
    if (!text_begins(ret_text, "::ffff:") || strchr(ret_text, '.') == NULL)
        return;
    text_copy(mapped, sizeof(mapped), ret_text);
    text_copy(ret_text, ADDRESS_TEXT_MAX, mapped + strlen("::ffff:"));
}

void address_text(const struct address *address, char ret_text[ADDRESS_TEXT_MAX])
{
    char host[ADDRESS_TEXT_MAX];
    bool colons;

    address_host(address, host);
    colons = strchr(host, ':') != NULL;
    text_format(ret_text, ADDRESS_TEXT_MAX, "%s%.64s%s:%u", colons ? "[" : "", host,
                colons ? "]" : "", address_port(address));
}
