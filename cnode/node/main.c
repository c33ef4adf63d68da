/*
 * minotaur-node: a C node that hosts Minotaur's game sessions in a BEAM cluster.
 *
 * Everything happens in node.c; here the command line is read, secrets are kept out of core dumps,
 * and mistakes of the command line become one line and exit code 64 (EX_USAGE of sysexits).
 */
#include "base/error.h"
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

static int usage_error(const char *error)
{
    fprintf(stderr, "minotaur-node: %s\n", error);
    return EXIT_USAGE;
}

static int run(const struct config *config)
{
    static struct cookie cookie;
    char error[512];

    if (cookie_read(&cookie, config->cookie_file, error, sizeof error) != 0)
        return usage_error(error);
    int code = node_run(config, &cookie, &cn_minotaur_game);
    cookie_deinit(&cookie);
    return code;
}

int main(int argc, char **argv)
{
    struct config config;
    char error[512] = "out of memory";
    int code;

    if (sodium_init() < 0) {
        fprintf(stderr, "minotaur-node: no randomness to be had\n");
        return EXIT_FAILURE;
    }
    keep_secrets_out_of_dumps();
    if (config_read(&config, argc, argv, error, sizeof error) != 0) {
        code = usage_error(error);
    } else if (config.show_help) {
        printf("usage: minotaur-node --name NAME@HOST [options]\n\n%s", config_help());
        code = EXIT_SUCCESS;
    } else if (config.show_version) {
        printf("minotaur-node %s\n", NODE_VERSION);
        code = EXIT_SUCCESS;
    } else {
        code = run(&config);
    }
    config_deinit(&config);
    return code;
}
