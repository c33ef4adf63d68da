/*
 * Addresses: text in, text out. Log lines and the table of failures use these texts as a host's
 * name, so one host must have one text however it comes in.
 */
#include "support.h"

#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "net/address.h"

/* Both families are read and written, with and without the port. */
START_TEST(round_trip)
{
    struct address address;
    char text[ADDRESS_TEXT_MAX];

    ck_assert_int_eq(address_parse("127.0.0.1", 4369, &address), 0);
    address_text(&address, text);
    ck_assert_str_eq(text, "127.0.0.1:4369");
    address_host(&address, text);
    ck_assert_str_eq(text, "127.0.0.1");
    ck_assert_int_eq(address_parse("::1", 4369, &address), 0);
    address_text(&address, text);
    ck_assert_str_eq(text, "[::1]:4369");
    address_set_port(&address, 7);
    ck_assert_uint_eq(address_port(&address), 7);
    address_host(&address, text);
    ck_assert_str_eq(text, "::1");
}
END_TEST

/* An IPv4 host that came in through an IPv6 socket has its IPv4 name. */
START_TEST(mapped_addresses_are_shown_as_ipv4)
{
    struct address address;
    char text[ADDRESS_TEXT_MAX];

    ck_assert_int_eq(address_parse("::ffff:10.1.2.3", 80, &address), 0);
    address_text(&address, text);
    ck_assert_str_eq(text, "10.1.2.3:80");
}
END_TEST

/* Host names are not addresses, other families are not copied, an empty one is shown as unknown. */
START_TEST(what_is_no_address)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct address address;
    char text[ADDRESS_TEXT_MAX];

    ck_assert_int_eq(address_parse("localhost", 1, &address), CN_E_INVALID);
    ck_assert_int_eq(address_parse("", 1, &address), CN_E_INVALID);
    ck_assert_int_eq(address_parse("1.2.3.4.5", 1, &address), CN_E_INVALID);
    ck_assert_int_eq(address_copy((struct sockaddr *)&local, &address), CN_E_INVALID);
    memset(&address, 0, sizeof(address));
    address_host(&address, text);
    ck_assert_str_eq(text, "unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");

    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, mapped_addresses_are_shown_as_ipv4);
    tcase_add_test(tcase, what_is_no_address);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
