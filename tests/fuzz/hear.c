/* hear.c - see hear.h. */
#include "tests/fuzz/hear.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_LONG 1200 /* bytes */

static FILE *terminal, *heard, *output, *nowhere;
static char *said;
static size_t said_len;

void hear_begin(void)
{
    heard = open_memstream(&said, &said_len);
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    if (!heard || !nowhere)
        abort();
    terminal = stderr;
    output = stdout;
    stderr = heard;
    stdout = nowhere;
}

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "hear: %s:\n%.*s\n", what, (int)said_len, said);
    abort();
}

size_t hear_end(const char *beginning)
{
    size_t lines = 0;

    fclose(heard);
    stderr = terminal;
    stdout = output;
    require(said_len == 0 || said[said_len - 1] == '\n', "half a line was said");
    for (const char *at = said, *end; at < said + said_len; at = end + 1, lines++) {
        end = memchr(at, '\n', said_len - (size_t)(at - said));
        require(strncmp(at, beginning, strlen(beginning)) == 0 || strncmp(at, "Try: ", 5) == 0,
                "a line that does not say who speaks, or of what");
        require(end - at <= LINE_LONG, "an endless line");
        for (const char *c = at; c < end; c++)
            require(!iscntrl((unsigned char)*c), "a byte that a terminal obeys");
    }
    free(said);
    return lines;
}

const char *file_of_bytes(const void *bytes, size_t len)
{
    static char path[64];
    static int file = -1;

    if (file >= 0)
        close(file);
    file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || fchmod(file, S_IRUSR | S_IWUSR) != 0 || write(file, bytes, len) != (ssize_t)len)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return path;
}
