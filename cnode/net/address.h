/*
 * Socket addresses: from text, to text, one type for IPv4 and IPv6.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

/** Bytes of the longest text that address_text and address_host write. */
#define ADDRESS_TEXT_MAX 80

/** An address of either family. */
struct address {
    struct sockaddr_storage storage;
};

/** Read "127.0.0.1" or "::1". Errors: CN_E_INVALID. */
int address_parse(const char *text, uint16_t port, struct address *ret_address);
/** Copy a socket address of either family. Errors: CN_E_INVALID for another family. */
int address_copy(const struct sockaddr *from, struct address *ret_address);
/** View it as the system calls want it. */
const struct sockaddr *address_sockaddr(const struct address *address);
/** Give the port. */
uint16_t address_port(const struct address *address);
/** Set the port. */
void address_set_port(struct address *address, uint16_t port);
/** Write the host alone: "127.0.0.1", "::1". */
void address_host(const struct address *address, char ret_text[ADDRESS_TEXT_MAX]);
/** Write host and port: "127.0.0.1:4369", "[::1]:4369". */
void address_text(const struct address *address, char ret_text[ADDRESS_TEXT_MAX]);

#endif
