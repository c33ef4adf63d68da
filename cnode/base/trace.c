/*
 * The one trace hook of the process.
 *
 * It is set before any thread starts and stays; a line is formatted on the stack and cut at
 * TRACE_LINE_MAX, so tracing can fail in no way that its caller would have to handle.
 */
#include "base/trace.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum trace_level trace_wanted = TRACE_OFF;

static trace_hook hook_function;
static void *hook_context;

void trace_set_hook(trace_hook hook, void *context, enum trace_level level)
{
    hook_function = hook;
    hook_context = context;
    trace_wanted = hook != NULL ? level : TRACE_OFF;
}

void trace_line(enum trace_level level, const char *layer, const char *format, ...)
{
    char line[TRACE_LINE_MAX];
    va_list arguments;

    if (hook_function == NULL)
        return;
    va_start(arguments, format);
    if (vsnprintf(line, sizeof(line), format, arguments) < 0)
        line[0] = '\0';
    va_end(arguments);
    hook_function(hook_context, level, layer, line);
}
