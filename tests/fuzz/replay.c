/*
 * Gives a fuzz target all files of some folders: the corpus, and the inputs that once broke it.
 *
 * They are tried in a child process. When one of them ends it, that file has failed and another
 * child goes on behind it, so one old fault does not hide the next; leaks show at a child's end and
 * count against its last file. A child that needs more than a minute for one file is ended.
 *
 * usage: replay_TARGET FOLDER...; a folder that is not there is empty
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#include "base/assert.h"

#define FILE_SECONDS_MAX 60

static char **paths;
static size_t path_count;
static size_t *progress; /* shared with the child: files that it has begun */

static void add_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);

    paths = realloc(paths, (path_count + 1) * sizeof(*paths));
    cn_assert(path != NULL && paths != NULL);
    (void)snprintf(path, size, "%s/%s", folder, name);
    paths[path_count++] = path;
}

static void add_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            add_path(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* In memory of just its size, for a sanitizer to guard. */
static void try_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;

    cn_assert(file != NULL);
    cn_assert(fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    cn_assert(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    data = malloc(size > 0 ? (size_t)size : 1);
    cn_assert(data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
    (void)fclose(file);
    (void)alarm(FILE_SECONDS_MAX);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

/* Try files from @first on. Returns whether all of them passed; *progress tells how far it came. */
static bool try_from(size_t first)
{
    int status = 0;
    pid_t child = fork();

    cn_assert(child >= 0);
    if (child == 0) {
        for (*progress = first; *progress < path_count;) {
            const char *path = paths[*progress];

            ++*progress;
            try_file(path);
        }
        (void)alarm(FILE_SECONDS_MAX);
        exit(0);
    }
    cn_assert(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    size_t failed = 0;
    size_t next = 0;

    for (int i = 1; i < argc; i++)
        add_folder(argv[i]);
    progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                    0);
    cn_assert(progress != MAP_FAILED);
    while (next < path_count) {
        bool good = try_from(next);

        if (!good) {
            printf("failed: %s\n", paths[*progress - 1]);
            failed++;
        }
        next = *progress;
    }
    printf("%zu passed, %zu failed\n", path_count - failed, failed);
    for (size_t i = 0; i < path_count; i++)
        free(paths[i]);
    free(paths);
    return failed == 0 && path_count > 0 ? 0 : 1;
}
