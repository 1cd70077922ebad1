/* fuzz_decode.c - the decoder against its reference, on any bytes.
 *
 * With libFuzzer:   clang -fsanitize=fuzzer,address,undefined ... -o fuzz_decode
 *                   ./fuzz_decode tests/fuzz/corpus_decode
 * As a replayer:    compiled with -DREPLAY, it runs every file named, and every
 *                   file in a directory named, once: a file is a record, but of
 *                   a file NAME.jsonl every line is one.
 *
 * A record that disagrees is printed, and the process aborts.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/decode_agreement.h"

static struct agreement agreement;

static void check(struct text record)
{
    if (!agreement.whole)
        agreement_open(&agreement);
    const char *wrong = disagreement(&agreement, record);
    if (wrong) {
        fprintf(stderr, "fuzz_decode: %s:\n%.*s\n", wrong, TEXT_ARGS(record));
        abort();
    }
}

#ifndef REPLAY

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check((struct text){(const char *)data, size});
    return 0;
}

#else

static void die(const char *path, const char *what)
{
    fprintf(stderr, "fuzz_decode: %s: %s\n", path, what);
    exit(74);
}

/* The copy has the record's very size, so that a sanitizer sees a read behind it. */
static void check_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);

    if (!copy)
        die("record", "out of memory");
    memcpy(copy, bytes, len);
    check((struct text){copy, len});
    free(copy);
}

static void replay_lines(FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;

    while ((len = getline(&line, &capacity, file)) >= 0)
        check_copy(line, (size_t)len - (len > 0 && line[len - 1] == '\n'));
    free(line);
}

static void replay_record(FILE *file, size_t size, const char *path)
{
    char *bytes = malloc(size + 1);

    if (!bytes || fread(bytes, 1, size, file) != size)
        die(path, "cannot be read");
    check_copy(bytes, size);
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
        replay_record(file, (size_t)info->st_size, path);
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
    if (agreement.taken + agreement.rejected == 0) {
        fprintf(stderr, "usage: %s FILE|DIRECTORY...    with at least one record in them\n", argv[0]);
        return 64;
    }
    printf("fuzz_decode: scanner and jansson agree on %zu events (%zu taken by the scanner) and %zu rejects\n"
           "%zu passed, 0 failed\n",
           agreement.taken, agreement.scanned, agreement.rejected, agreement.taken + agreement.rejected);
    agreement_close(&agreement);
    return 0;
}

#endif
