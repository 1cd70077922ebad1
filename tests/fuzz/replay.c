/* replay.c - a fuzz target's main() where there is no libFuzzer.
 *
 *     replay_NAME FILE|DIRECTORY...
 *
 * Runs the target once on every file named and every file in a directory
 * named: a file is an input, but of a file NAME.jsonl every line is one. The
 * target aborts at the first that it finds fault with.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs; /* run so far */

static void die(const char *path, const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", path, what);
    exit(74);
}

/* The copy has the input's very size, so that a sanitizer sees a read behind it. */
static void run_copy(const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        die("input", "out of memory");
    memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    inputs++;
}

static void replay_lines(FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;

    while ((len = getline(&line, &capacity, file)) >= 0)
        run_copy(line, (size_t)len - (len > 0 && line[len - 1] == '\n'));
    free(line);
}

static void replay_whole(FILE *file, size_t size, const char *path)
{
    char *bytes = malloc(size + 1);

    if (!bytes || fread(bytes, 1, size, file) != size)
        die(path, "cannot be read");
    run_copy(bytes, size);
    free(bytes);
}

static void replay_file(const char *path, const struct stat *info)
{
    FILE *file = fopen(path, "rb");
    const char *ending = strrchr(path, '.');

    if (!file)
        die(path, "cannot be opened");
    if (ending && strcmp(ending, ".jsonl") == 0)
        replay_lines(file);
    else
        replay_whole(file, (size_t)info->st_size, path);
    fclose(file);
}

/* A file, or the files of a directory. */
static void replay(const char *path)
{
    struct stat info;
    struct dirent **names;
    char below[4096];

    if (stat(path, &info) != 0)
        die(path, "is not there");
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path, &info);
        return;
    }
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && stat(below, &info) == 0 && S_ISREG(info.st_mode))
            replay_file(below, &info);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (inputs == 0) {
        fprintf(stderr, "usage: %s FILE|DIRECTORY...    with at least one input in them\n", argv[0]);
        return 64;
    }
    printf("%zu passed, 0 failed\n", inputs);
    return 0;
}
