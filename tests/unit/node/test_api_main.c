/*
 * The program around a node: what the command line can say without a node being started, and how a
 * node that cannot start ends. Whole nodes are tested from the BEAM's side (erlang_harness).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cnode/node.h>

#include "unit/proc/world.h"

static int refuse(struct cn_node *node)
{
    ck_assert_ptr_nonnull(node);
    return CN_LIMIT;
}

static const struct cn_application application = {.name = "program", .start = refuse};
static char output[8192];
static FILE *captured;
static int saved;

/* Keep what is printed on @stream. */
static void capture(FILE *stream)
{
    fflush(stream);
    saved = dup(fileno(stream));
    captured = tmpfile();
    ck_assert_ptr_nonnull(captured);
    ck_assert_int_ge(dup2(fileno(captured), fileno(stream)), 0);
}

static void release(FILE *stream)
{
    fflush(stream);
    ck_assert_int_ge(dup2(saved, fileno(stream)), 0);
    close(saved);
    rewind(captured);
    output[fread(output, 1, sizeof output - 1, captured)] = '\0';
    fclose(captured);
}

static int run(FILE *stream, const char *first, const char *second, const char *cookie_file)
{
    char *argv[] = {(char *)"program", (char *)first, (char *)second, (char *)cookie_file, NULL};
    int argc = 1;

    while (argv[argc])
        argc++;
    capture(stream);
    int code = cn_node_main(&application, argc, argv);
    release(stream);
    return code;
}

static void nothing(void)
{
}

/* --help and --version speak of the program by its own name, and end well. */
START_TEST(help_and_version_are_the_programs)
{
    ck_assert_int_eq(run(stdout, "--help", NULL, NULL), 0);
    ck_assert_ptr_eq(strstr(output, "usage: program --name NAME@HOST"), output);
    ck_assert_int_eq(run(stdout, "--version", NULL, NULL), 0);
    ck_assert_ptr_eq(strstr(output, "program 0."), output);
}
END_TEST

/* Before anything is read the program has no core dumps, and its memory is nobody else's. */
START_TEST(secrets_stay_out_of_dumps)
{
    struct rlimit core;

    ck_assert_int_eq(run(stdout, "--version", NULL, NULL), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_uint_eq(core.rlim_cur, 0);
    ck_assert_uint_eq(core.rlim_max, 0);
#ifndef __SANITIZE_ADDRESS__
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
#endif
}
END_TEST

/* A mistake of the command line is one line and exit code 64, the cookie's included. */
START_TEST(mistakes_are_one_line)
{
    ck_assert_int_eq(run(stderr, "--no-such-thing", NULL, NULL), 64);
    ck_assert_str_eq(output, "program: --no-such-thing: unknown option (see --help)\n");
    ck_assert_int_eq(run(stderr, "--name=n@127.0.0.1", "--cookie-file=/nowhere/cookie", NULL), 64);
    ck_assert_ptr_eq(strstr(output, "program: "), output);
    ck_assert_ptr_eq(strchr(output, '\n'), output + strlen(output) - 1);
}
END_TEST

/* A node whose application refuses to start ends with 71 and says so. */
START_TEST(an_application_may_refuse)
{
    char file[] = "/tmp/test-api-main-XXXXXX";
    char flag[64];
    int fd = mkstemp(file);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "biscuit", 7), 7);
    close(fd);
    ck_assert_int_eq(chmod(file, 0600), 0);
    (void)snprintf(flag, sizeof flag, "--cookie-file=%s", file);
    ck_assert_int_eq(run(stderr, "--name=n@127.0.0.1", flag, "--listen=127.0.0.1:0"), 71);
    unlink(file);
    ck_assert_ptr_nonnull(strstr(output, "boot.failed: start of program: limit"));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, help_and_version_are_the_programs);
    tcase_add_test(tcase, secrets_stay_out_of_dumps);
    tcase_add_test(tcase, mistakes_are_one_line);
    tcase_add_test(tcase, an_application_may_refuse);
}

int main(void)
{
    return run_tests("api_main", add, nothing, nothing);
}
