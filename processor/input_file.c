/* input_file.c - see input_file.h. */
#include "processor/input_file.h"

#include <errno.h>
#include <stdio.h>

#include "terminal/message.h"

#define CHUNK 65536

const char *input_file_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* So much of it is no text, and may have no end. */
static bool ends_in_nothing(const struct buffer *buffer)
{
    if (buffer->len < CHUNK)
        return false;
    const char *last = buffer->at + buffer->len - CHUNK;
    return *last == '\0' && memcmp(last, last + 1, CHUNK - 1) == 0;
}

static bool read_all(FILE *file, struct buffer *buffer)
{
    size_t got;
    do {
        buffer_reserve(buffer, CHUNK);
        got = fread(buffer->at + buffer->len, 1, CHUNK, file);
        buffer->len += got;
    } while (got > 0 && buffer->len <= INPUT_FILE_MOST && !ends_in_nothing(buffer));
    return ferror(file) == 0;
}

static bool begins_with(const struct buffer *buffer, const char *mark)
{
    return buffer->len >= strlen(mark) && memcmp(buffer->at, mark, strlen(mark)) == 0;
}

/* EX_OK if the bytes are text of a length that can be dealt with. */
static int judge(const char *name, struct buffer *buffer)
{
    if (begins_with(buffer, "\xFF\xFE") || begins_with(buffer, "\xFE\xFF"))
        return message_fail(EX_DATAERR, "%s: UTF-16 text: save it as UTF-8", name);
    if (ends_in_nothing(buffer))
        return message_fail(EX_DATAERR, "%s: %d bytes of nothing but NULs: is this the right file?", name, CHUNK);
    if (buffer->len > INPUT_FILE_MOST)
        return message_fail(EX_DATAERR, "%s: longer than %zu MiB: split it, each part with the first line", name,
                            INPUT_FILE_MOST >> 20);
    return EX_OK;
}

int input_file_read(const char *path, struct buffer *buffer)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL)
        return message_fail(EX_IOERR, "%s: %s", path, strerror(errno));
    errno = 0;
    bool is_read = read_all(file, buffer);
    int reason = errno;
    if (file != stdin)
        fclose(file);
    if (!is_read)
        return message_fail(EX_IOERR, "%s: %s", input_file_name(path), strerror(reason));
    int code = judge(input_file_name(path), buffer);
    if (code != EX_OK)
        return code;
    if (begins_with(buffer, "\xEF\xBB\xBF"))
        memmove(buffer->at, buffer->at + 3, buffer->len -= 3);
    buffer_append(buffer, "", 1);
    buffer->len--;
    return EX_OK;
}
