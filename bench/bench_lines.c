/* bench_lines.c - what others need for the lines that callfold folds.
 *
 *     bench_lines FILE FIRST COUNT EVERY
 *
 * Of the COUNT lines from line FIRST (0 is the file's first) every EVERY-th
 * block of 1,000 is parsed by jansson alone, json_loadb of each line, and its
 * lines are hashed by SHA-256, as the input chain must. The lines are in memory
 * by then: neither reading nor finding them is in the figures.
 */
#include <err.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "bench/bench.h"
#include "events/text.h"

#define BLOCK 1000

struct figures {
    size_t lines, bytes;
    double json_ns, json_cpu_ns, hash_ns, hash_cpu_ns;
};

static struct text map_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0)
        err(EX_NOINPUT, "%s: cannot be read", path);
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        err(EX_NOINPUT, "%s: cannot be mapped", path);
    return (struct text){bytes, (size_t)status.st_size};
}

/* Takes the next line, without its newline, off the front of rest. */
static bool next_line(struct text *rest, struct text *line)
{
    const char *newline = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    if (newline == NULL)
        return false;
    *line = (struct text){rest->at, (size_t)(newline - rest->at)};
    rest->at += line->len + 1;
    rest->len -= line->len + 1;
    return true;
}

static size_t take_block(struct text *rest, struct text lines[BLOCK], size_t most)
{
    size_t count = 0;
    while (count < most && next_line(rest, &lines[count]))
        count++;
    return count;
}

static void parse(const struct text *lines, size_t count, struct figures *figures)
{
    double begin = now_ns(), cpu_begin = cpu_ns();
    for (size_t i = 0; i < count; i++) {
        json_t *root = json_loadb(lines[i].at, lines[i].len, 0, NULL);
        if (root == NULL)
            errx(EX_DATAERR, "no JSON: %.*s", TEXT_ARGS(lines[i]));
        json_decref(root);
    }
    figures->json_ns += now_ns() - begin;
    figures->json_cpu_ns += cpu_ns() - cpu_begin;
}

static void hash(const struct text *lines, size_t count, EVP_MD_CTX *sha, struct figures *figures)
{
    double begin = now_ns(), cpu_begin = cpu_ns();
    for (size_t i = 0; i < count; i++)
        EVP_DigestUpdate(sha, lines[i].at, lines[i].len);
    figures->hash_ns += now_ns() - begin;
    figures->hash_cpu_ns += cpu_ns() - cpu_begin;
}

static void measure(struct text rest, size_t first, size_t count, size_t every, struct figures *figures)
{
    static struct text lines[BLOCK];
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    struct text skipped;
    EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
    for (size_t i = 0; i < first; i++)
        next_line(&rest, &skipped);
    for (size_t block = 0, got; count > 0; block++, count -= got) {
        got = take_block(&rest, lines, count < BLOCK ? count : BLOCK);
        if (got == 0)
            errx(EX_DATAERR, "the file has fewer lines");
        if (block % every != 0)
            continue;
        parse(lines, got, figures);
        hash(lines, got, sha, figures);
        figures->lines += got;
        for (size_t i = 0; i < got; i++)
            figures->bytes += lines[i].len + 1;
    }
    EVP_MD_CTX_free(sha);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(EX_USAGE, "usage: bench_lines FILE FIRST COUNT EVERY");
    struct figures figures = {0};
    size_t every = strtoul(argv[4], NULL, 10);
    measure(map_file(argv[1]), strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), every > 0 ? every : 1, &figures);
    double lines = (double)figures.lines;
    if (figures.lines == 0)
        errx(EX_USAGE, "COUNT must be above zero");
    say_figure("lines", lines, "");
    say_figure("bytes", (double)figures.bytes / lines, "a line");
    say_figure("json_loadb", figures.json_ns / lines, "ns a line");
    say_figure("json_loadb, CPU", figures.json_cpu_ns / lines, "ns a line");
    say_figure("SHA-256", figures.hash_ns / lines, "ns a line");
    say_figure("SHA-256, CPU", figures.hash_cpu_ns / lines, "ns a line");
    return EX_OK;
}
