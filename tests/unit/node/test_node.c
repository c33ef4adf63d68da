/*
 * A node's life as a process of the operating system, with a real EPMD beside it. What it does for
 * a cluster is tested from BEAM nodes, in erlang_harness/test/cluster.
 */
#include "node/node.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct cookie cookie;
static struct config config;
static uint16_t epmd_port;
static pid_t epmd;

static int bound_socket(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Whether our EPMD answers a question, that for the names it knows. */
static bool epmd_answers(void)
{
    const uint8_t question[] = {0, 1, 'n'};
    uint8_t answer[4];
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(epmd_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool answers = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                   write(fd, question, sizeof question) == sizeof question &&
                   read(fd, answer, sizeof answer) == sizeof answer;

    close(fd);
    return answers;
}

/*
 * Start EPMD and wait for it: before its exec it still has Check's handler of SIGTERM, with which
 * teardown's kill would end this test's whole process group.
 */
static void start_epmd(void)
{
    char port[8];

    close(bound_socket(&epmd_port));
    snprintf(port, sizeof port, "%u", epmd_port);
    epmd = fork();
    if (epmd == 0) {
        execlp("epmd", "epmd", "-port", port, (char *)NULL);
        _exit(127);
    }
    while (!epmd_answers())
        ck_assert_int_eq(waitpid(epmd, NULL, WNOHANG), 0);
}

static void setup(void)
{
    start_epmd();
    snprintf(cookie.text, sizeof cookie.text, "secret");
    config = (struct config){
        .name = "unit@127.0.0.1",
        .listen_address = "127.0.0.1",
        .epmd_port = epmd_port,
        .log_level = LOG_ERROR,
        .net_ticktime_s = 60,
        .drain_seconds = 5,
    };
}

static void teardown(void)
{
    kill(epmd, SIGTERM);
    waitpid(epmd, NULL, 0);
}

static FILE *errors;      /* what it logs; NULL: as this program */
static const char *input; /* a file, its standard input; NULL: *@ret_in */

/* Run a node in a child; its standard output can be read from *@ret_out, its input is *@ret_in. */
static pid_t start_node(int *ret_in, FILE **ret_out)
{
    const struct cn_application application = {.name = "unit", .game = &cn_minotaur_game};
    int in[2], out[2];

    ck_assert_int_eq(pipe(in), 0);
    ck_assert_int_eq(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        if (errors != NULL)
            dup2(fileno(errors), STDERR_FILENO);
        if (input != NULL)
            dup2(open(input, O_RDONLY), STDIN_FILENO);
        close(in[1]);
        exit(node_run(&config, &cookie, &application));
    }
    close(in[0]);
    close(out[1]);
    *ret_in = in[1];
    *ret_out = fdopen(out[0], "r");
    return child;
}

static void expect_ready(FILE *out)
{
    char line[128];
    unsigned port = 0;
    int end = 0;

    ck_assert_ptr_nonnull(fgets(line, sizeof line, out));
    ck_assert_int_eq(sscanf(line, "ready unit@127.0.0.1 port=%u%n", &port, &end), 1);
    ck_assert_str_eq(line + end, "\n");
    ck_assert_uint_gt(port, 0);
}

static int exit_code(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A node says once that it is ready, and nothing else, and leaves with 0 on SIGTERM. */
START_TEST(ready_then_left_on_a_signal)
{
    FILE *out;
    int in;
    pid_t child = start_node(&in, &out);

    expect_ready(out);
    kill(child, SIGTERM);
    ck_assert_int_eq(exit_code(child), 0);
    ck_assert_int_eq(fgetc(out), EOF);
    fclose(out);
    close(in);
}
END_TEST

/* With the lifeline, a node leaves when its standard input ends. */
START_TEST(lifeline_ends_the_node)
{
    FILE *out;
    int in;

    config.stdin_lifeline = true;
    pid_t child = start_node(&in, &out);
    expect_ready(out);
    close(in);
    ck_assert_int_eq(exit_code(child), 0);
    fclose(out);
}
END_TEST

/* Run a node that cannot start: no ready line, exit code 71, and a line of log with @why. */
static void expect_failure(const char *why)
{
    FILE *out;
    char text[1024];
    int in;

    errors = tmpfile();
    ck_assert_ptr_nonnull(errors);
    pid_t child = start_node(&in, &out);
    ck_assert_int_eq(fgetc(out), EOF);
    ck_assert_int_eq(exit_code(child), 71);
    rewind(errors);
    text[fread(text, 1, sizeof text - 1, errors)] = '\0';
    ck_assert_msg(strstr(text, why) != NULL, "no \"%s\" in %s", why, text);
    fclose(errors);
    fclose(out);
    close(in);
}

/* A port that is taken is no node, and the log names the option. */
START_TEST(taken_port_is_told)
{
    int taken = bound_socket(&config.listen_port);
    char why[128];

    ck_assert_int_eq(listen(taken, 1), 0);
    (void)snprintf(why, sizeof why, "boot.failed: --listen 127.0.0.1, port %u: EADDRINUSE",
                   config.listen_port);
    expect_failure(why);
    close(taken);
}
END_TEST

/* Nor is a lifeline that cannot end. */
START_TEST(lifeline_that_is_none_is_told)
{
    config.stdin_lifeline = true;
    input = "/dev/null";
    expect_failure("boot.failed: MINOTAUR_NODE_STDIN=lifeline");
}
END_TEST

/* A node that EPMD has not answered yet can be told to leave. */
START_TEST(leaving_before_ready)
{
    FILE *out;
    int in;
    uint16_t nobody;
    int unused = bound_socket(&nobody); /* bound, not listening: refuses */

    config.epmd_port = nobody;
    config.stdin_lifeline = true;
    pid_t child = start_node(&in, &out);
    close(in);
    ck_assert_int_eq(exit_code(child), 0);
    ck_assert_int_eq(fgetc(out), EOF);
    fclose(out);
    close(unused);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node/node");
    TCase *tcase = tcase_create("life");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, ready_then_left_on_a_signal);
    tcase_add_test(tcase, lifeline_ends_the_node);
    tcase_add_test(tcase, taken_port_is_told);
    tcase_add_test(tcase, lifeline_that_is_none_is_told);
    tcase_add_test(tcase, leaving_before_ready);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
