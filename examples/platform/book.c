#include "examples/platform/book.h"

#include <sysexits.h>

#include "examples/platform/memory.h"

#define DIAL_TRIES 20

/* Where people call, by calling code: the corridors that fill telephone
 * companies' international routes. `digits` is the usual length of a number
 * there, calling code included (ITU-T E.164 national plans). */
static const struct popular {
    const char *code;
    unsigned weight, digits;
} populars[] = {
    {"+1", 6, 11},   {"+33", 10, 11}, {"+44", 10, 12}, {"+49", 8, 12},  {"+34", 7, 11},  {"+39", 6, 12},
    {"+52", 9, 12},  {"+91", 10, 12}, {"+63", 7, 12},  {"+212", 8, 12}, {"+213", 6, 12}, {"+216", 4, 11},
    {"+221", 4, 12}, {"+234", 5, 13}, {"+86", 6, 13},  {"+48", 5, 11},  {"+351", 5, 12}, {"+32", 5, 11},
    {"+41", 4, 11},  {"+55", 5, 13},  {"+84", 3, 11},  {"+880", 3, 13}, {"+92", 4, 12},  {"+31", 4, 11},
    {"+353", 4, 12}, {"+40", 3, 11},  {"+90", 4, 12},  {"+27", 3, 11},  {"+61", 4, 11},  {"+502", 3, 11},
};
#define POPULAR_COUNT (sizeof populars / sizeof *populars)
#define POPULAR_SHARE 1000 /* what the weight 1 of a country is divided among its rates */
#define OTHER_DIGITS  12

static const struct popular *popular_of(struct text prefix)
{
    const struct popular *found = NULL;
    for (size_t i = 0; i < POPULAR_COUNT; i++) {
        size_t len = strlen(populars[i].code);
        if (prefix.len >= len && memcmp(prefix.at, populars[i].code, len) == 0)
            found = &populars[i];
    }
    return found;
}

static enum book_want want_of(const struct deck_rate *rate)
{
    if (rate->status == RATE_BLOCKED)
        return WANT_BLOCKED;
    if (rate->domestic)
        return WANT_DOMESTIC;
    return rate->status == RATE_FREE ? WANT_FREE : WANT_INTERNATIONAL;
}

/* Main ranges of popular countries, with short prefixes, get the most of it. */
static uint64_t weight_of(const struct deck_rate *rate, enum book_want want)
{
    const struct popular *popular = popular_of(rate->prefix);
    if (want != WANT_INTERNATIONAL || !popular)
        return 1;
    size_t extra = rate->prefix.len - strlen(popular->code);
    return 1 + popular->weight * POPULAR_SHARE / (1 + 8 * extra * extra);
}

static void page_add(struct book_page *page, const struct deck_rate *rate, uint64_t weight)
{
    size_t capacity = page->capacity;
    uint64_t sum = page->count ? page->weights[page->count - 1] : 0;
    page->rates = grown(page->rates, page->count, &page->capacity, sizeof *page->rates);
    page->weights = grown(page->weights, page->count, &capacity, sizeof *page->weights);
    page->rates[page->count] = rate;
    page->weights[page->count++] = sum + weight;
}

int book_read(struct book *book, const char *path)
{
    static const struct deck_options as_in_the_file;
    int code = deck_read(&book->deck, path, &as_in_the_file);
    if (code != EX_OK)
        return code;
    book->pages = calloc(book->deck.origin_count + 1, sizeof *book->pages);
    if (!book->pages)
        err(EX_OSERR, "out of memory for %zu origins", book->deck.origin_count);
    for (size_t i = 0; i < book->deck.count; i++) {
        const struct deck_rate *rate = &book->deck.rates[i];
        enum book_want want = want_of(rate);
        page_add(&book->pages[deck_find_origin(&book->deck, rate->origin)][want], rate, weight_of(rate, want));
    }
    return EX_OK;
}

void book_free(struct book *book)
{
    for (size_t i = 0; i < book->deck.origin_count; i++)
        for (size_t want = 0; want < WANT_COUNT; want++) {
            free(book->pages[i][want].rates);
            free(book->pages[i][want].weights);
        }
    free(book->pages);
    deck_free(&book->deck);
}

const struct deck_rate *book_draw(const struct book *book, struct random *random, const char *origin,
                                  enum book_want want)
{
    /* An origin that the deck does not know has the empty last page. */
    const struct book_page *page = &book->pages[deck_find_origin(&book->deck, text_of(origin))][want];
    if (page->count == 0)
        return NULL;
    uint64_t drawn = random_below(random, page->weights[page->count - 1]);
    size_t low = 0, high = page->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (page->weights[middle] > drawn)
            high = middle;
        else
            low = middle + 1;
    }
    return page->rates[low];
}

void book_dial(const struct book *book, struct random *random, const struct deck_rate *rate, char number[PHONE_MAX + 1])
{
    const struct popular *popular = popular_of(rate->prefix);
    size_t len = 1 + (popular ? popular->digits : OTHER_DIGITS);
    size_t origin = deck_find_origin(&book->deck, rate->origin);
    if (len < rate->prefix.len + 3)
        len = rate->prefix.len + 3 < PHONE_MAX ? rate->prefix.len + 3 : PHONE_MAX;
    memcpy(number, rate->prefix.at, rate->prefix.len);
    number[len] = '\0';
    for (int i = 0; i < DIAL_TRIES; i++) {
        for (size_t at = rate->prefix.len; at < len; at++)
            number[at] = (char)('0' + random_below(random, 10));
        if (deck_match(&book->deck, origin, (struct text){number, len}) == rate)
            return;
    }
}
