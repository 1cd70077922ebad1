/* text.h - a borrowed run of bytes.
 *
 * Events, outputs and records all point into memory that somebody else owns:
 * a line of the log, a decoder's arena, a record of the state. A struct text
 * is that pointer with its length; it is never NUL-terminated by contract and
 * never freed through this type. An absent text has at == NULL; an empty one
 * has len == 0 and at != NULL.
 */
#ifndef CALLFOLD_EVENTS_TEXT_H
#define CALLFOLD_EVENTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *at;
    size_t len;
};

#define TEXT_NONE ((struct text){NULL, 0})
/* A text of a string literal. */
#define TEXT_LIT(literal) ((struct text){"" literal, sizeof(literal) - 1})

static inline struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

static inline bool text_present(struct text t)
{
    return t.at != NULL;
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Order by bytes, a text before those it begins; absent is empty. Below, at or
 * above zero as in strcmp. */
static inline int text_compare(struct text a, struct text b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.at, b.at, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* printf("%.*s", TEXT_ARGS(t)) */
#define TEXT_ARGS(t) (int)(t).len, (t).at ? (t).at : ""

#endif
