/*
 * A program on the public API: its command line, its secrets, its node.
 *
 * Everything happens in node.c; here the command line is read, secrets are kept out of core dumps,
 * and mistakes of the command line become one line and exit code 64 (EX_USAGE of sysexits).
 */
#include "node/config.h"
#include "node/cookie.h"
#include "node/node.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define EXIT_USAGE 64

static void keep_secrets_out_of_dumps(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* the leak checker must be able to trace the process */
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int usage_error(const struct cn_application *application, const char *error)
{
    fprintf(stderr, "%s: %s\n", application->name, error);
    return EXIT_USAGE;
}

static int run(const struct cn_application *application, const struct config *config)
{
    static struct cookie cookie;
    char error[512];

    if (cookie_read(&cookie, config->cookie_file, error, sizeof error) != 0)
        return usage_error(application, error);
    int code = node_run(config, &cookie, application);
    cookie_deinit(&cookie);
    return code;
}

int cn_node_main(const struct cn_application *application, int argc, char **argv)
{
    struct config config;
    char error[512] = "out of memory";
    int code = EXIT_SUCCESS;

    /* seeded by the kernel, without a call of it for each id and code of a session */
    (void)randombytes_set_implementation(&randombytes_internal_implementation);
    if (sodium_init() < 0) {
        fprintf(stderr, "%s: no randomness to be had\n", application->name);
        return EXIT_CANNOT_START;
    }
    keep_secrets_out_of_dumps();
    if (config_read(&config, argc, argv, error, sizeof error) != 0)
        code = usage_error(application, error);
    else if (config.show_help)
        printf("usage: %s --name NAME@HOST [options]\n\n%s", application->name, config_help());
    else if (config.show_version)
        printf("%s %s\n", application->name, NODE_VERSION);
    else
        code = run(application, &config);
    config_deinit(&config);
    return code;
}
