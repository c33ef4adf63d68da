/* Where the cookie may come from, and that nothing else is left of it. */
#include "base/error.h"
#include "node/cookie.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "unit/proc/world.h"

static struct cookie cookie;
static char error[4200];
static char home[] = "/tmp/cookie-XXXXXX";
static char path[64];

static void write_file(const char *content, size_t size, mode_t mode)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, size), (ssize_t)size);
    close(fd);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void setup(void)
{
    memcpy(home + sizeof home - 7, "XXXXXX", 7);
    ck_assert_ptr_nonnull(mkdtemp(home));
    snprintf(path, sizeof path, "%s/.erlang.cookie", home);
    setenv("HOME", home, 1);
    unsetenv("RELEASE_COOKIE");
}

static void teardown(void)
{
    cookie_deinit(&cookie);
    unlink(path);
    rmdir(home);
}

/* The home directory's cookie is the last resort; its line end is cut. */
START_TEST(home_cookie_without_line_end)
{
    write_file("SECRET\n", 7, 0400);
    ck_assert_int_eq(cookie_read(&cookie, NULL, error, sizeof error), 0);
    ck_assert_str_eq(cookie.text, "SECRET");
}
END_TEST

/* The variable goes before the home directory, and its text is wiped from the environment. */
START_TEST(variable_is_wiped)
{
    write_file("FILE", 4, 0600);
    setenv("RELEASE_COOKIE", "VARIABLE", 1);
    const char *block = getenv("RELEASE_COOKIE");
    ck_assert_int_eq(cookie_read(&cookie, NULL, error, sizeof error), 0);
    ck_assert_str_eq(cookie.text, "VARIABLE");
    ck_assert_ptr_null(getenv("RELEASE_COOKIE"));
    ck_assert_int_eq(block[0], '\0');
}
END_TEST

/* A file given by name goes before everything; a variable beside it is wiped all the same. */
START_TEST(named_file_wins)
{
    write_file("NAMED", 5, 0600);
    setenv("RELEASE_COOKIE", "VARIABLE", 1);
    const char *block = getenv("RELEASE_COOKIE");
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), 0);
    ck_assert_str_eq(cookie.text, "NAMED");
    ck_assert_ptr_null(getenv("RELEASE_COOKIE"));
    ck_assert_int_eq(block[0], '\0');
}
END_TEST

/* What is missing, open to others, empty, too long or of several lines is refused, unshown. */
START_TEST(bad_cookies_are_refused)
{
    char long_cookie[300];

    memset(long_cookie, 'x', sizeof long_cookie);
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), CN_E_INVALID);
    write_file("SECRET", 6, 0640);
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "others"));
    write_file("\n", 1, 0600);
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), CN_E_INVALID);
    write_file(long_cookie, sizeof long_cookie, 0600);
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), CN_E_INVALID);
    write_file("SECRET\nMORE", 11, 0600);
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), CN_E_INVALID);
    ck_assert_ptr_null(strstr(error, "SECRET"));
    ck_assert_ptr_nonnull(strstr(error, path));
}
END_TEST

/* A cookie of the longest size is taken. */
START_TEST(longest_cookie_is_taken)
{
    char text[COOKIE_BYTES_MAX];

    memset(text, 'c', sizeof text);
    write_file(text, sizeof text, 0600);
    ck_assert_int_eq(cookie_read(&cookie, path, error, sizeof error), 0);
    ck_assert_uint_eq(strlen(cookie.text), COOKIE_BYTES_MAX);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, home_cookie_without_line_end);
    tcase_add_test(tcase, variable_is_wiped);
    tcase_add_test(tcase, named_file_wins);
    tcase_add_test(tcase, bad_cookies_are_refused);
    tcase_add_test(tcase, longest_cookie_is_taken);
}

int main(void)
{
    return run_tests("node/cookie", add, setup, teardown);
}
