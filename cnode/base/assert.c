/*
 * How a failed assertion ends the process.
 *
 * The line is written in one piece with write's own buffer on the stack: the heap may be what is
 * broken. abort() then raises SIGABRT, so that a debugger or the harness sees the stack.
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void assert_failed(const char *file, int line, const char *text)
{
    char message[512];
    int size = snprintf(message, sizeof(message), "%s:%d: assertion failed: %s\n", file, line,
                        text);

    if (size > (int)sizeof(message) - 1)
        size = (int)sizeof(message) - 1;
    if (size > 0 && write(STDERR_FILENO, message, (size_t)size) < 0)
        abort();
    abort();
}
