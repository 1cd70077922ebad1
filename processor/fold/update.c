#include "processor/fold/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

#define ARENA_BLOCK 65536

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct arena_block *block = arena->first;
    if (!block || block->size - block->used < size) {
        size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        block = must_alloc(malloc(sizeof *block + room));
        *block = (struct arena_block){.next = arena->first, .size = room};
        arena->first = block;
    }
    void *at = block->bytes + block->used;
    block->used += size;
    return at;
}

void arena_reset(struct arena *arena)
{
    /* One step in a million wants much memory (a deck, a long call list): it
     * gives it back, so that the largest step does not set the size for ever. */
    while (arena->first && arena->first->next) {
        struct arena_block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    if (arena->first)
        arena->first->used = 0;
}

void arena_free(struct arena *arena)
{
    arena_reset(arena);
    free(arena->first);
}

struct output *emit(struct fold *fold, enum output_type type, struct text subject)
{
    if (fold->output_count == fold->output_capacity) {
        fold->output_capacity = fold->output_capacity ? fold->output_capacity * 2 : 16;
        fold->outputs = must_alloc(realloc(fold->outputs, fold->output_capacity * sizeof *fold->outputs));
    }
    struct output *output = &fold->outputs[fold->output_count];
    memset(output, 0, sizeof *output);
    output->type = type;
    output->n = (uint32_t)fold->output_count++;
    output->subject = subject;
    return output;
}

struct text text_copy(struct fold *fold, struct text text)
{
    char *at = arena_alloc(&fold->arena, text.len + 1);
    if (text.len > 0)
        memcpy(at, text.at, text.len);
    return (struct text){at, text.len};
}

static struct text format_list(struct fold *fold, const char *format, va_list arguments)
{
    char line[DETAIL_MAX * 2];
    int len = vsnprintf(line, sizeof line, format, arguments);
    size_t kept = len < (int)sizeof line ? (size_t)len : sizeof line - 1;
    return text_copy(fold, (struct text){line, kept});
}

struct text text_format(struct fold *fold, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct text text = format_list(fold, format, arguments);
    va_end(arguments);
    return text;
}

enum verdict reject(struct fold *fold, enum reject_reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fold->reject_reason = reason;
    fold->reject_detail = format_list(fold, format, arguments);
    va_end(arguments);
    return REJECTED;
}

void fact_number(struct fact *fact, int64_t number)
{
    memcpy(fact->bytes + fact->len, &number, sizeof number);
    fact->len += sizeof number;
}

void fact_text(struct fact *fact, struct text text)
{
    /* A length before the bytes, and another one for "absent", so that no two
     * facts spell the same bytes. */
    fact_number(fact, text_present(text) ? (int64_t)text.len : -1);
    if (text.len > 0)
        memcpy(fact->bytes + fact->len, text.at, text.len);
    fact->len += text.len;
}

struct contents fact_contents(const struct fact *fact)
{
    XXH128_hash_t hash = XXH3_128bits(fact->bytes, fact->len);
    return (struct contents){{hash.low64, hash.high64}};
}

bool contents_equal(struct contents a, struct contents b)
{
    return a.half[0] == b.half[0] && a.half[1] == b.half[1];
}
