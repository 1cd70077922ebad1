/* bench_lines.c - what it takes to read the lines that callfold folds.
 *
 *     bench_lines FILE FIRST COUNT EVERY
 *
 * Of the COUNT lines from line FIRST (0 is the file's first) every EVERY-th
 * block of 1,000 is read by each reader in turn: jansson alone (json_loadb of
 * each line, and nothing done with it), the decoder, its scanner alone, its
 * reference on jansson; and it is hashed by SHA-256, as the input chain must.
 * The lines are in memory by then: neither reading the file nor finding its
 * lines is in the figures.
 */
#include <err.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "bench/bench.h"
#include "events/decode.h"

#define BLOCK 1000

struct tools {
    struct decoder *decoder;
    EVP_MD_CTX *sha;
};

static bool parse(struct tools *tools, struct text line)
{
    (void)tools;
    json_t *root = json_loadb(line.at, line.len, 0, NULL);
    json_decref(root);
    return root != NULL;
}

static bool decode(struct tools *tools, struct text line)
{
    struct event event;
    struct decode_error error;
    return event_decode(tools->decoder, line, &event, &error);
}

static bool scan(struct tools *tools, struct text line)
{
    struct event event;
    return event_scan(tools->decoder, line, &event);
}

static bool decode_reference(struct tools *tools, struct text line)
{
    struct event event;
    struct decode_error error;
    return event_decode_reference(tools->decoder, line, &event, &error);
}

static bool hash(struct tools *tools, struct text line)
{
    return EVP_DigestUpdate(tools->sha, line.at, line.len) == 1;
}

static const struct reader {
    const char *name;
    bool (*read)(struct tools *, struct text);
} readers[] = {
    {"json_loadb", parse}, {"event_decode", decode}, {"event_scan", scan}, {"event_decode_reference", decode_reference},
    {"SHA-256", hash},
};
#define READERS (sizeof readers / sizeof *readers)

struct figures {
    size_t lines, bytes;
    double wall_ns[READERS], cpu_ns[READERS];
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

static void read_block(struct tools *tools, size_t reader, const struct text *lines, size_t count,
                       struct figures *figures)
{
    double begin = now_ns(), cpu_begin = cpu_ns();
    for (size_t i = 0; i < count; i++)
        if (!readers[reader].read(tools, lines[i]))
            errx(EX_DATAERR, "%s refuses: %.*s", readers[reader].name, TEXT_ARGS(lines[i]));
    figures->wall_ns[reader] += now_ns() - begin;
    figures->cpu_ns[reader] += cpu_ns() - cpu_begin;
}

static void measure(struct tools *tools, struct text rest, size_t count, size_t every, struct figures *figures)
{
    static struct text lines[BLOCK];
    for (size_t block = 0; count > 0; block++) {
        size_t got = 0;
        while (got < BLOCK && got < count && next_line(&rest, &lines[got]))
            got++;
        if (got == 0)
            errx(EX_DATAERR, "the file has fewer lines");
        count -= got;
        if (block % every != 0)
            continue;
        for (size_t reader = 0; reader < READERS; reader++)
            read_block(tools, reader, lines, got, figures);
        figures->lines += got;
        for (size_t i = 0; i < got; i++)
            figures->bytes += lines[i].len + 1;
    }
}

static void say_figures(const struct figures *figures)
{
    double lines = (double)figures->lines;
    char name[64];
    say_figure("lines", lines, "");
    say_figure("bytes", (double)figures->bytes / lines, "a line");
    for (size_t reader = 0; reader < READERS; reader++) {
        say_figure(readers[reader].name, figures->wall_ns[reader] / lines, "ns a line");
        snprintf(name, sizeof name, "%s, CPU", readers[reader].name);
        say_figure(name, figures->cpu_ns[reader] / lines, "ns a line");
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(EX_USAGE, "usage: bench_lines FILE FIRST COUNT EVERY");
    size_t first = strtoul(argv[2], NULL, 10), count = strtoul(argv[3], NULL, 10), every = strtoul(argv[4], NULL, 10);
    if (count == 0 || every == 0)
        errx(EX_USAGE, "COUNT and EVERY must be above zero");
    struct tools tools = {decoder_new(), EVP_MD_CTX_new()};
    struct figures figures = {0};
    struct text rest = map_file(argv[1]), skipped;
    EVP_DigestInit_ex(tools.sha, EVP_sha256(), NULL);
    for (size_t i = 0; i < first; i++)
        next_line(&rest, &skipped);
    measure(&tools, rest, count, every, &figures);
    say_figures(&figures);
    decoder_free(tools.decoder);
    EVP_MD_CTX_free(tools.sha);
    return EX_OK;
}
