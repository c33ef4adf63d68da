/*
 * The command line and the environment, in any words.
 *
 * The input is a row of words that end in a newline: those of the form VARIABLE=VALUE, with one of
 * our variables, are the environment, the others are arguments. What is taken keeps the promises of
 * config.h; what is refused is refused with a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "base/error.h"
#include "dist/node_name.h"
#include "node/config.h"

#define WORDS_MAX 80
#define BYTES_MAX 2048

static const char *const variables[] = {
    "MINOTAUR_NODE_NAME",
    "MINOTAUR_NODE_CONNECT",
    "MINOTAUR_NODE_LISTEN",
    "MINOTAUR_NODE_HIDDEN",
    "MINOTAUR_NODE_LOG_LEVEL",
    "MINOTAUR_NODE_LOG_FORMAT",
    "MINOTAUR_NODE_COOKIE_FILE",
    "MINOTAUR_NODE_NET_TICKTIME",
    "MINOTAUR_NODE_STDIN",
    "MINOTAUR_ROUND_SECONDS",
    "MINOTAUR_DRAIN_SECONDS",
    "MINOTAUR_CAPACITY",
    "ERL_EPMD_PORT",
    "ERL_EPMD_ADDRESS",
};
#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

static void clear_environment(void)
{
    for (size_t i = 0; i < VARIABLES; i++)
        cn_assert(unsetenv(variables[i]) == 0);
}

/* Tell whether @word sets one of our variables, and set it. */
static bool set_variable(const char *word)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        size_t size = strlen(variables[i]);

        if (strncmp(word, variables[i], size) == 0 && word[size] == '=') {
            cn_assert(setenv(variables[i], word + size + 1, 1) == 0);
            return true;
        }
    }
    return false;
}

static bool is_node(const char *name)
{
    return node_name_valid(name, strlen(name));
}

static void check_taken(const struct config *config)
{
    if (config->show_help || config->show_version)
        return;
    cn_assert(config->name != NULL && is_node(config->name));
    cn_assert(config->connect_count <= CONFIG_CONNECT_MAX);
    cn_assert(config->connect[config->connect_count] == NULL);
    for (uint32_t i = 0; i < config->connect_count; i++)
        cn_assert(is_node(config->connect[i]));
    cn_assert(config->net_ticktime_s >= 4 && config->net_ticktime_s <= 86400);
    cn_assert(config->epmd_port != 0);
    cn_assert(strnlen(config->listen_address, sizeof(config->listen_address)) <
              sizeof(config->listen_address));
}

static void read_words(int argc, char **argv)
{
    struct config config;
    char error[200];
    int r;

    memset(error, 0, sizeof(error));
    r = config_read(&config, argc, argv, error, sizeof(error));
    cn_assert(r == 0 || r == CN_E_INVALID);
    cn_assert(strnlen(error, sizeof(error)) < sizeof(error));
    cn_assert((r == 0) == (error[0] == '\0'));
    if (r == 0)
        check_taken(&config);
    config_deinit(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "minotaur-node";
    char words[BYTES_MAX + 1];
    char *argv[WORDS_MAX + 2] = {program};
    char *rest = words;
    int argc = 1;

    size = size < BYTES_MAX ? size : BYTES_MAX;
    if (size > 0)
        memcpy(words, data, size);
    words[size] = '\0';
    clear_environment();
    while (rest != NULL && argc <= WORDS_MAX) {
        char *word = strsep(&rest, "\n");

        if (word[0] != '\0' && !set_variable(word))
            argv[argc++] = word;
    }
    read_words(argc, argv);
    clear_environment();
    return 0;
}
