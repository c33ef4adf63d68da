/* What the command line and the environment may say, and how mistakes are told. */
#include "base/alloc.h"
#include "base/error.h"
#include "node/config.h"

#include <stdlib.h>
#include <string.h>
#include "unit/proc/world.h"

static struct config config;
static char error[256];

/* Read a command line of at most seven words after the program's name. */
static int read_words(const char *const *words)
{
    char *argv[9] = {(char *)"minotaur-node"};
    int argc = 1;

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    error[0] = '\0';
    return config_read(&config, argc, argv, error, sizeof error);
}

#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})

static void clear_environment(void)
{
    static const char *const names[] = {
        "MINOTAUR_NODE_NAME",        "MINOTAUR_NODE_CONNECT",
        "MINOTAUR_NODE_LISTEN",      "MINOTAUR_NODE_HIDDEN",
        "MINOTAUR_NODE_LOG_LEVEL",   "MINOTAUR_NODE_LOG_FORMAT",
        "MINOTAUR_NODE_COOKIE_FILE", "ERL_EPMD_PORT",
        "ERL_EPMD_ADDRESS",          "MINOTAUR_NODE_NET_TICKTIME",
        "MINOTAUR_ROUND_SECONDS",    "MINOTAUR_NODE_STDIN",
        "MINOTAUR_PUBSUB",           "MINOTAUR_NODE_STALL_MS",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static void teardown(void)
{
    config_deinit(&config);
}

/* A name alone is enough, the rest has OTP's defaults. */
START_TEST(name_alone_gives_defaults)
{
    ck_assert_int_eq(READ("--name", "c@host"), 0);
    ck_assert_str_eq(config.name, "c@host");
    ck_assert_str_eq(config.listen_address, "0.0.0.0");
    ck_assert_uint_eq(config.listen_port, 0);
    ck_assert_uint_eq(config.epmd_port, 4369);
    ck_assert_uint_eq(config.net_ticktime_s, 60);
    ck_assert_uint_eq(config.round_seconds, 60);
    ck_assert(!config.hidden && !config.stdin_lifeline);
    ck_assert_uint_eq(config.connect_count, 0);
}
END_TEST

/* Every flag is taken, with its value behind a space or a '='. */
START_TEST(every_flag_is_taken)
{
    ck_assert_int_eq(READ("--name=c@host", "--connect", "a@host", "--connect=b@host", "--hidden",
                          "--log-format=json", "--log-level=debug"),
                     0);
    ck_assert_uint_eq(config.connect_count, 2);
    ck_assert_str_eq(config.connect[0], "a@host");
    ck_assert_str_eq(config.connect[1], "b@host");
    ck_assert_ptr_null(config.connect[2]);
    ck_assert(config.hidden);
    ck_assert_int_eq(config.log_format, LOG_JSON);
    ck_assert_int_eq(config.log_level, LOG_DEBUG);
    config_deinit(&config);
    ck_assert_int_eq(READ("--name=c@host", "--net-ticktime=8", "--cookie-file=f"), 0);
    ck_assert_uint_eq(config.net_ticktime_s, 8);
    ck_assert_str_eq(config.cookie_file, "f");
}
END_TEST

/* A Phoenix.PubSub is named as in Elixir or as it is on the wire, by flag or variable. */
START_TEST(pubsub_is_a_module)
{
    static const char *const bad[] = {"--pubsub=", "--pubsub=Elixir.", "--pubsub=My App"};

    ck_assert_int_eq(READ("--name=c@host", "--pubsub", "MyApp.PubSub"), 0);
    ck_assert_str_eq(config.pubsub, "MyApp.PubSub");
    setenv("MINOTAUR_PUBSUB", "Elixir.Other", 1);
    ck_assert_int_eq(READ("--name=c@host"), 0);
    ck_assert_str_eq(config.pubsub, "Other");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(READ("--name=c@host", bad[i]), CN_E_INVALID);
        ck_assert_ptr_nonnull(strstr(error, "--pubsub: expected the name of a Phoenix.PubSub"));
    }
    ck_assert_ptr_nonnull(strstr(config_help(), "MINOTAUR_PUBSUB"));
}
END_TEST

/* Listening addresses may be IPv4 or IPv6, with or without a port. */
START_TEST(listen_takes_both_families)
{
    static const struct {
        const char *text, *address;
        uint16_t port;
    } good[] = {
        {"127.0.0.1", "127.0.0.1", 0},
        {"127.0.0.1:9000", "127.0.0.1", 9000},
        {"::1", "::1", 0},
        {"[::1]:9000", "::1", 9000},
        {"[::]", "::", 0},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(READ("--name=c@host", "--listen", good[i].text), 0);
        ck_assert_str_eq(config.listen_address, good[i].address);
        ck_assert_uint_eq(config.listen_port, good[i].port);
        config_deinit(&config);
    }
}
END_TEST

/* Each bad value is refused with one line that names its flag. */
START_TEST(bad_values_name_their_flag)
{
    static const char *const bad[][2] = {
        {"--name", "nohost"},
        {"--name", "a@b@c"},
        {"--name", "@host"},
        {"--name", "a\a@host"},
        {"--name", "two words@host"},
        {"--connect", "a@host,b@host"},
        {"--connect", "c@host"},
        {"--connect", "x"},
        {"--listen", "1.2.3.4:70000"},
        {"--listen", "[::1"},
        {"--listen", ""},
        {"--listen", "localhost"},
        {"--listen", "localhost:9000"},
        {"--log-format", "xml"},
        {"--log-level", "loud"},
        {"--net-ticktime", "3"},
        {"--net-ticktime", "-5"},
        {"--net-ticktime", "9x"},
        {"--net-ticktime", "99999999999999999999"},
        {"--cookie-file", ""},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(READ("--name=c@host", bad[i][0], bad[i][1]), CN_E_INVALID);
        ck_assert_ptr_nonnull(strstr(error, bad[i][0]));
        ck_assert_ptr_null(strchr(error, '\n'));
        config_deinit(&config);
    }
}
END_TEST

/* Unknown flags, missing values and a missing name are told too. */
START_TEST(missing_and_unknown_are_told)
{
    ck_assert_int_eq(READ("--nmae", "c@host"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "--nmae"));
    ck_assert_int_eq(READ("--name"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "--name"));
    ck_assert_int_eq(READ("--hidden"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "--name"));
    ck_assert_int_eq(READ("--name=c@host", "--hidden=yes"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "--hidden"));
}
END_TEST

/* Help and version need no name. */
START_TEST(help_and_version_need_no_name)
{
    ck_assert_int_eq(READ("--help"), 0);
    ck_assert(config.show_help);
    ck_assert_int_eq(READ("--version"), 0);
    ck_assert(config.show_version);
}
END_TEST

/* The environment says what the command line leaves out. */
START_TEST(environment_stands_behind_flags)
{
    setenv("MINOTAUR_NODE_NAME", "env@host", 1);
    setenv("MINOTAUR_NODE_CONNECT", "a@host,b@host", 1);
    setenv("ERL_EPMD_PORT", "5000", 1);
    setenv("MINOTAUR_NODE_HIDDEN", "true", 1);
    setenv("MINOTAUR_ROUND_SECONDS", "0", 1);
    setenv("MINOTAUR_NODE_STDIN", "lifeline", 1);
    setenv("MINOTAUR_NODE_STALL_MS", "700", 1);
    ck_assert_int_eq(READ("--log-level", "error"), 0);
    ck_assert_str_eq(config.name, "env@host");
    ck_assert_uint_eq(config.connect_count, 2);
    ck_assert_uint_eq(config.epmd_port, 5000);
    ck_assert_uint_eq(config.round_seconds, 0);
    ck_assert_uint_eq(config.stall_ms, 700);
    ck_assert(config.hidden && config.stdin_lifeline);
    config_deinit(&config);

    ck_assert_int_eq(READ("--name", "flag@host", "--connect", "z@host"), 0);
    ck_assert_str_eq(config.name, "flag@host");
    ck_assert_uint_eq(config.connect_count, 1);
    ck_assert_str_eq(config.connect[0], "z@host");
}
END_TEST

/* epmd's own variable may hold a list; a node asks the first of it. */
START_TEST(first_epmd_address_is_asked)
{
    setenv("ERL_EPMD_ADDRESS", "127.0.0.2,::1", 1);
    ck_assert_int_eq(READ("--name", "c@host"), 0);
    ck_assert_str_eq(config.epmd_address, "127.0.0.2");
    config_deinit(&config);
    setenv("ERL_EPMD_ADDRESS", "nowhere", 1);
    ck_assert_int_eq(READ("--name", "c@host"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "ERL_EPMD_ADDRESS"));
    unsetenv("ERL_EPMD_ADDRESS");
}
END_TEST

/* A bad variable is told by its own name. */
START_TEST(bad_variable_is_named)
{
    setenv("ERL_EPMD_PORT", "0", 1);
    ck_assert_int_eq(READ("--name", "c@host"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "ERL_EPMD_PORT"));
    unsetenv("ERL_EPMD_PORT");
    setenv("MINOTAUR_NODE_CONNECT", "a@host,b", 1);
    ck_assert_int_eq(READ("--name", "c@host"), CN_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error, "MINOTAUR_NODE_CONNECT"));
}
END_TEST

/* Without memory the answer is -ENOMEM and nothing is left behind. */
START_TEST(no_memory_is_passed_up)
{
    setenv("MINOTAUR_NODE_CONNECT", "a@host", 1);
    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_lt(READ("--name", "c@host"), 0);
    config_deinit(&config);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_alone_gives_defaults);
    tcase_add_test(tcase, every_flag_is_taken);
    tcase_add_test(tcase, pubsub_is_a_module);
    tcase_add_test(tcase, listen_takes_both_families);
    tcase_add_test(tcase, bad_values_name_their_flag);
    tcase_add_test(tcase, missing_and_unknown_are_told);
    tcase_add_test(tcase, help_and_version_need_no_name);
    tcase_add_test(tcase, environment_stands_behind_flags);
    tcase_add_test(tcase, first_epmd_address_is_asked);
    tcase_add_test(tcase, bad_variable_is_named);
    tcase_add_test(tcase, no_memory_is_passed_up);
}

int main(void)
{
    return run_tests("node/config", add, clear_environment, teardown);
}
