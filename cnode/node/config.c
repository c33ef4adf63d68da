/*
 * Configuration from flags and environment.
 *
 * One table describes every option: its flag, its variable, whether it takes a value, and the
 * function that checks and stores it. The environment is read first and the command line after
 * it, through the same functions, so both know the same values and the same errors. `--connect`
 * replaces the variable's list on its first use.
 */
#include "node/config.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "dist/node_name.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option {
    const char *flag;     /* NULL: environment only */
    const char *variable; /* NULL: command line only */
    const char *value;    /* what the value is, for messages; NULL: the flag stands alone */
    int (*set)(struct config *config, const char *value);
};

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    int r = text_to_number(text, max, ret_number);

    return r == 0 && *ret_number < min ? CN_E_INVALID : r;
}

static int parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret_number)
{
    uint64_t number;
    int error = parse_number(text, min, max, &number);

    if (error == 0)
        *ret_number = (uint32_t)number;
    return error;
}

static int parse_port(const char *text, uint16_t *ret_port)
{
    uint64_t number;
    int error = parse_number(text, 0, UINT16_MAX, &number);

    if (error == 0)
        *ret_port = (uint16_t)number;
    return error;
}

/* A comma divides names in the environment, so none has one. */
static bool is_node_name(const char *text)
{
    return node_name_valid(text, strlen(text)) && !strchr(text, ',');
}

static int set_name(struct config *config, const char *value)
{
    if (!is_node_name(value))
        return CN_E_INVALID;
    config->name = value;
    return 0;
}

static int set_cookie_file(struct config *config, const char *value)
{
    if (!*value)
        return CN_E_INVALID;
    config->cookie_file = value;
    return 0;
}

static int add_connect(struct config *config, const char *value)
{
    if (!is_node_name(value) || config->connect_count == CONFIG_CONNECT_MAX)
        return CN_E_INVALID;
    config->connect[config->connect_count++] = value;
    config->connect[config->connect_count] = NULL;
    return 0;
}

static int set_connect_list(struct config *config, const char *value)
{
    char *rest;

    config->connect_text = mem_dup_text(value);
    if (!config->connect_text)
        return -ENOMEM;
    for (char *node = strtok_r(config->connect_text, ", ", &rest); node;
         node = strtok_r(NULL, ", ", &rest)) {
        int error = add_connect(config, node);
        if (error != 0)
            return error;
    }
    return 0;
}

static int set_connect_flag(struct config *config, const char *value)
{
    if (config->connect_text) {
        mem_free(config->connect_text);
        config->connect_text = NULL;
        config->connect_count = 0;
    }
    return add_connect(config, value);
}

static int copy_address(char ret_text[CONFIG_ADDRESS_MAX], const char *text, size_t size)
{
    struct address address;

    if (size >= CONFIG_ADDRESS_MAX)
        return CN_E_INVALID;
    memcpy(ret_text, text, size);
    ret_text[size] = '\0';
    return address_parse(ret_text, 0, &address);
}

/* ADDR, ADDR:PORT, [ADDR]:PORT; an address with several colons is IPv6 without a port. */
static int set_listen(struct config *config, const char *value)
{
    const char *start = value;
    const char *end = value + strlen(value);
    const char *colon = strrchr(value, ':');

    if (*value == '[') {
        start = value + 1;
        end = strchr(value, ']');
        if (!end || (end[1] && end[1] != ':'))
            return CN_E_INVALID;
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon && strchr(value, ':') == colon) {
        end = colon;
    } else {
        colon = NULL;
    }
    int error = copy_address(config->listen_address, start, (size_t)(end - start));
    return error == 0 && colon ? parse_port(colon + 1, &config->listen_port) : error;
}

static int set_hidden(struct config *config, const char *value)
{
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return CN_E_INVALID;
    config->hidden = strcmp(value, "true") == 0;
    return 0;
}

static int set_log_format(struct config *config, const char *value)
{
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
        return CN_E_INVALID;
    config->log_format = strcmp(value, "json") == 0 ? LOG_JSON : LOG_TEXT;
    return 0;
}

static int set_log_level(struct config *config, const char *value)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    for (int i = 0; i < 4; i++)
        if (strcmp(value, names[i]) == 0) {
            config->log_level = (enum log_level)i;
            return 0;
        }
    return CN_E_INVALID;
}

static int set_net_ticktime(struct config *config, const char *value)
{
    return parse_u32(value, 4, 86400, &config->net_ticktime_s);
}

static int set_epmd_port(struct config *config, const char *value)
{
    uint16_t port;
    int error = parse_port(value, &port);

    if (error != 0 || port == 0)
        return CN_E_INVALID;
    config->epmd_port = port;
    return 0;
}

/* epmd itself may be told a list of addresses in this variable: the first is asked. */
static int set_epmd_address(struct config *config, const char *value)
{
    int error = copy_address(config->epmd_text, value, strcspn(value, ","));

    if (error == 0)
        config->epmd_address = config->epmd_text;
    return error;
}

static int set_stall_ms(struct config *config, const char *value)
{
    return parse_u32(value, 100, 3600000, &config->stall_ms);
}

static int set_round_seconds(struct config *config, const char *value)
{
    return parse_u32(value, 0, 31536000, &config->round_seconds);
}

static int set_drain_seconds(struct config *config, const char *value)
{
    return parse_u32(value, 1, 86400, &config->drain_seconds);
}

static int set_drain_bytes(struct config *config, const char *value)
{
    return parse_u32(value, 1, UINT32_MAX, &config->drain_bytes_per_second);
}

static int set_names_wait_ms(struct config *config, const char *value)
{
    return parse_u32(value, 1, 60000, &config->names_wait_ms);
}

static int set_app_version(struct config *config, const char *value)
{
    if (!*value)
        return CN_E_INVALID;
    config->app_version = value;
    return 0;
}

static int set_capacity(struct config *config, const char *value)
{
    return parse_u32(value, 1, 100000000, &config->capacity);
}

/* What an Elixir module's name is made of, with or without the prefix that is not shown. */
static int set_pubsub(struct config *config, const char *value)
{
    size_t size = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");

    if (strncmp(value, "Elixir.", 7) == 0) {
        value += 7;
        size -= 7;
    }
    if (size == 0 || value[size] != '\0' || size > CONFIG_PUBSUB_MAX)
        return CN_E_INVALID;
    config->pubsub = value;
    return 0;
}

static int set_stdin(struct config *config, const char *value)
{
    if (strcmp(value, "lifeline") != 0)
        return CN_E_INVALID;
    config->stdin_lifeline = true;
    return 0;
}

static int set_version(struct config *config, const char *value)
{
    config->show_version = value != NULL;
    return 0;
}

static int set_help(struct config *config, const char *value)
{
    config->show_help = value != NULL;
    return 0;
}

static const struct option options[] = {
    {"--name", "MINOTAUR_NODE_NAME", "NAME@HOST", set_name},
    {"--cookie-file", "MINOTAUR_NODE_COOKIE_FILE", "a file name", set_cookie_file},
    {NULL, "MINOTAUR_NODE_CONNECT", "node names divided by commas", set_connect_list},
    {"--connect", NULL, "NAME@HOST, at most 64 times", set_connect_flag},
    {"--listen", "MINOTAUR_NODE_LISTEN", "ADDR[:PORT]", set_listen},
    {"--hidden", NULL, NULL, set_hidden},
    {NULL, "MINOTAUR_NODE_HIDDEN", "true or false", set_hidden},
    {"--log-format", "MINOTAUR_NODE_LOG_FORMAT", "text or json", set_log_format},
    {"--log-level", "MINOTAUR_NODE_LOG_LEVEL", "debug, info, warning or error", set_log_level},
    {"--net-ticktime", "MINOTAUR_NODE_NET_TICKTIME", "seconds, 4 to 86400", set_net_ticktime},
    {"--pubsub", "MINOTAUR_PUBSUB", "the name of a Phoenix.PubSub", set_pubsub},
    {"--version", NULL, NULL, set_version},
    {"--help", NULL, NULL, set_help},
    {NULL, "ERL_EPMD_PORT", "a port, 1 to 65535", set_epmd_port},
    {NULL, "ERL_EPMD_ADDRESS", "an IP address", set_epmd_address},
    {NULL, "MINOTAUR_NODE_STALL_MS", "milliseconds, 100 to 3600000", set_stall_ms},
    {NULL, "MINOTAUR_ROUND_SECONDS", "seconds, 0 (no timer) to 31536000", set_round_seconds},
    {NULL, "MINOTAUR_DRAIN_SECONDS", "seconds, 1 to 86400", set_drain_seconds},
    {NULL, "MINOTAUR_DRAIN_BYTES_PER_SECOND", "bytes, 1 to 4294967295", set_drain_bytes},
    {NULL, "MINOTAUR_NAMES_WAIT_MS", "milliseconds, 1 to 60000", set_names_wait_ms},
    {NULL, "MINOTAUR_APP_VERSION", "a version, as 1.12.3", set_app_version},
    {NULL, "MINOTAUR_CAPACITY", "a number of sessions, 1 to 100000000", set_capacity},
    {NULL, "MINOTAUR_NODE_STDIN", "lifeline", set_stdin},
};

#define OPTIONS (sizeof options / sizeof *options)

static int apply(struct config *config, const struct option *option, const char *shown,
                 const char *value, char *error, size_t error_size)
{
    int result = option->set(config, value);

    if (result > 0)
        snprintf(error, error_size, "%s: expected %s, not \"%s\"", shown, option->value, value);
    return result;
}

static int read_environment(struct config *config, char *error, size_t error_size)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const char *value = options[i].variable ? getenv(options[i].variable) : NULL;
        if (!value || !*value)
            continue;
        int result = apply(config, &options[i], options[i].variable, value, error, error_size);
        if (result != 0)
            return result;
    }
    return 0;
}

/* Match "--flag" or "--flag=value"; *@ret_value is what follows the '=', or NULL. */
static const struct option *find_flag(const char *argument, const char **ret_value)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        size_t length = options[i].flag ? strlen(options[i].flag) : 0;
        if (length == 0 || strncmp(argument, options[i].flag, length) != 0)
            continue;
        if (argument[length] != '\0' && argument[length] != '=')
            continue;
        *ret_value = argument[length] == '=' ? argument + length + 1 : NULL;
        return &options[i];
    }
    return NULL;
}

static int read_flag(struct config *config, int argc, char **argv, int *at, char *error,
                     size_t error_size)
{
    const char *argument = argv[*at];
    const char *value;
    const struct option *option = find_flag(argument, &value);

    if (!option) {
        snprintf(error, error_size, "%s: unknown option (see --help)", argument);
        return CN_E_INVALID;
    }
    if (!option->value) {
        if (!value)
            return option->set(config, "true");
        snprintf(error, error_size, "%s: takes no value", option->flag);
        return CN_E_INVALID;
    }
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value) {
        snprintf(error, error_size, "%s: needs %s", option->flag, option->value);
        return CN_E_INVALID;
    }
    return apply(config, option, option->flag, value, error, error_size);
}

static int check_whole(const struct config *config, char *error, size_t error_size)
{
    if (!config->name) {
        snprintf(error, error_size, "--name: needs NAME@HOST (or MINOTAUR_NODE_NAME)");
        return CN_E_INVALID;
    }
    for (uint32_t i = 0; i < config->connect_count; i++) {
        if (strcmp(config->connect[i], config->name) != 0)
            continue;
        snprintf(error, error_size, "--connect: %s is this node itself", config->name);
        return CN_E_INVALID;
    }
    return 0;
}

int config_read(struct config *config, int argc, char **argv, char *error, size_t error_size)
{
    *config = (struct config){
        .listen_address = "0.0.0.0",
        .epmd_port = 4369,
        .log_level = LOG_INFO,
        .net_ticktime_s = 60,
        .stall_ms = 5000,
        .round_seconds = 60,
        .drain_seconds = 30,
        .names_wait_ms = 4,
    };
    int result = read_environment(config, error, error_size);
    for (int at = 1; at < argc && result == 0; at++)
        result = read_flag(config, argc, argv, &at, error, error_size);
    if (result != 0 || config->show_help || config->show_version)
        return result;
    return check_whole(config, error, error_size);
}

void config_deinit(struct config *config)
{
    mem_free(config->connect_text);
    config->connect_text = NULL;
}

const char *config_help(void)
{
    return "  --name NAME@HOST          the node's name, long or short (MINOTAUR_NODE_NAME)\n"
           "  --cookie-file FILE        else $RELEASE_COOKIE, else ~/.erlang.cookie\n"
           "                            (MINOTAUR_NODE_COOKIE_FILE)\n"
           "  --connect NODE            stay connected with NODE; may be repeated\n"
           "                            (MINOTAUR_NODE_CONNECT: nodes divided by commas)\n"
           "  --listen ADDR[:PORT]      default 0.0.0.0:0, any port (MINOTAUR_NODE_LISTEN)\n"
           "  --hidden                  join as a hidden node (MINOTAUR_NODE_HIDDEN=true)\n"
           "  --log-format text|json    default text (MINOTAUR_NODE_LOG_FORMAT)\n"
           "  --log-level LEVEL         debug, info, warning or error; default info\n"
           "                            (MINOTAUR_NODE_LOG_LEVEL)\n"
           "  --net-ticktime SECONDS    default 60 (MINOTAUR_NODE_NET_TICKTIME)\n"
           "  --pubsub NAME             tell this Phoenix.PubSub of sessions too\n"
           "                            (MINOTAUR_PUBSUB)\n"
           "  --version, --help\n"
           "\n"
           "Also from the environment: ERL_EPMD_PORT, ERL_EPMD_ADDRESS,\n"
           "MINOTAUR_ROUND_SECONDS (60; 0: no timer), MINOTAUR_DRAIN_SECONDS (30),\n"
           "MINOTAUR_DRAIN_BYTES_PER_SECOND (of states that move; no bound),\n"
           "MINOTAUR_CAPACITY (most sessions; 1000000),\n"
           "MINOTAUR_APP_VERSION (of the deploy; that of this program),\n"
           "MINOTAUR_NAMES_WAIT_MS (a moving session waits for its names; 4),\n"
           "MINOTAUR_NODE_STALL_MS (standing still for longer, it leaves the cluster; 5000),\n"
           "MINOTAUR_NODE_STDIN=lifeline (end when standard input ends).\n";
}
