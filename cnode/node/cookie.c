/*
 * The cookie.
 *
 * Trailing line ends are cut off, as OTP does. An empty or overlong cookie, one with control
 * characters, or a file that group or others can read is refused with a line that says what is
 * wrong and not what was read.
 */
#include "node/cookie.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(char *error, size_t error_size, const char *source, const char *why)
{
    snprintf(error, error_size, "%s: %s", source, why);
    return CN_E_INVALID;
}

static int check(struct cookie *cookie, size_t size, const char *source, char *error,
                 size_t error_size)
{
    while (size > 0 && (cookie->text[size - 1] == '\n' || cookie->text[size - 1] == '\r'))
        size--;
    cookie->text[size] = '\0';
    if (size == 0)
        return refuse(error, error_size, source, "holds no cookie");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)cookie->text[i] < 0x20 || cookie->text[i] == 0x7f)
            return refuse(error, error_size, source, "holds more than one line or odd characters");
    return 0;
}

/* Read at most the size of a cookie and its line end; *@ret_size is one more when the file is
 * longer. */
static int read_all(int fd, char *text, size_t *ret_size)
{
    size_t size = 0;

    while (size <= COOKIE_BYTES_MAX) {
        ssize_t got = read(fd, text + size, COOKIE_BYTES_MAX + 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return 0;
}

static int read_file(struct cookie *cookie, const char *file, char *error, size_t error_size)
{
    struct stat status;
    size_t size = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return refuse(error, error_size, file, strerror(errno));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return refuse(error, error_size, file, "is no regular file");
    }
    if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        close(fd);
        return refuse(error, error_size, file, "can be read by others: chmod 600 it");
    }
    int result = read_all(fd, cookie->text, &size);
    close(fd);
    if (result != 0)
        return refuse(error, error_size, file, strerror(-result));
    if (size > COOKIE_BYTES_MAX)
        return refuse(error, error_size, file, "is longer than 255 bytes");
    return check(cookie, size, file, error, error_size);
}

/* The environment block stays readable in /proc, so the value itself is wiped, not only its
 * name removed. */
static void wipe_variable(char *value)
{
    sodium_memzero(value, strlen(value));
    unsetenv("RELEASE_COOKIE");
}

static int take_variable(struct cookie *cookie, char *value, char *error, size_t error_size)
{
    size_t size = strlen(value);
    bool fits = size <= COOKIE_BYTES_MAX;

    if (fits)
        memcpy(cookie->text, value, size);
    wipe_variable(value);
    if (!fits)
        return refuse(error, error_size, "RELEASE_COOKIE", "is longer than 255 bytes");
    return check(cookie, size, "RELEASE_COOKIE", error, error_size);
}

int cookie_read(struct cookie *cookie, const char *file, char *error, size_t error_size)
{
    char path[4096];
    char *variable = getenv("RELEASE_COOKIE");
    const char *home = getenv("HOME");

    memset(cookie, 0, sizeof *cookie);
    sodium_mlock(cookie, sizeof *cookie);
    if (file && variable)
        wipe_variable(variable);
    if (file)
        return read_file(cookie, file, error, error_size);
    if (variable && *variable)
        return take_variable(cookie, variable, error, error_size);
    if (!home)
        return refuse(error, error_size, "--cookie-file", "no file given, and HOME is not set");
    snprintf(path, sizeof path, "%s/.erlang.cookie", home);
    return read_file(cookie, path, error, error_size);
}

void cookie_deinit(struct cookie *cookie)
{
    sodium_munlock(cookie, sizeof *cookie);
}
