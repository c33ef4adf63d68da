/*
 * The failpoint of this process. Signals come from outside, by a shell, as those of an operator do.
 *
 * How it fails: a setting that means nothing is no failpoint; its test then waits in vain.
 */
#include "session/failpoint.h"

#include <stdlib.h>
#include <string.h>

/* Give the action that the environment sets for @point; NULL: none. */
static const char *action_of(const char *point)
{
    const char *setting = getenv("MINOTAUR_FAILPOINT");
    size_t length = strlen(point);

    if (setting == NULL || strncmp(setting, point, length) != 0 || setting[length] != '=')
        return NULL;
    return setting + length + 1;
}

bool failpoint(const char *point)
{
    const char *action = action_of(point);

    if (action == NULL)
        return false;
    if (strcmp(action, "kill") == 0 && system("kill -KILL $PPID") != 0)
        abort();
    if (strcmp(action, "stop") == 0 && system("kill -STOP $PPID") != 0)
        abort();
    return strcmp(action, "silent") == 0;
}

bool failpoint_refuses(const char *point)
{
    const char *action = action_of(point);

    return action != NULL && strcmp(action, "refuse") == 0;
}
