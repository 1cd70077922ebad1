/* decode_agreement.h - what must hold of the decoder for any bytes whatever.
 *
 * jansson is the reference. The scanner may refuse what it likes, but what it
 * takes the reference takes, as the same event; event_decode and the reference
 * never differ. A rejection says something that can be written down; an event
 * that is taken can be written by event_encode and read again as itself. Two
 * events are the same when event_encode writes the same bytes. What is taken has
 * no fault of JSON; of what is malformed the detail gives the byte, but for a key
 * given twice and a number too large, which are not faults of the grammar.
 *
 * Used by the unit test of the scanner and by the fuzz target.
 */
#ifndef CALLFOLD_TESTS_DECODE_AGREEMENT_H
#define CALLFOLD_TESTS_DECODE_AGREEMENT_H

#include <jansson.h>
#include <stdio.h>

#include "events/decode.h"
#include "events/encode.h"
#include "events/json_fault.h"
#include "events/phone.h"

/* One of each reader's own, so that none borrows from another. */
struct agreement {
    struct decoder *whole, *reference, *again;
    struct buffer expected, found;
    size_t scanned, taken, rejected; /* how many records went which way */
};

static inline void agreement_open(struct agreement *a)
{
    *a = (struct agreement){.whole = decoder_new(), .reference = decoder_new(), .again = decoder_new()};
}

static inline void agreement_close(struct agreement *a)
{
    decoder_free(a->whole);
    decoder_free(a->reference);
    decoder_free(a->again);
    buffer_free(&a->expected);
    buffer_free(&a->found);
}

static inline bool same_as_expected(struct agreement *a, const struct event *event)
{
    a->found.len = 0;
    event_encode(&a->found, event, TEXT_LIT("id"), TEXT_LIT("source"));
    return text_equal((struct text){a->found.at, a->found.len}, (struct text){a->expected.at, a->expected.len});
}

static inline const char *check_rejection(const struct decode_error *expected, const struct decode_error *found)
{
    json_t *detail = json_string(found->detail); /* NULL unless it is UTF-8 */

    json_decref(detail);
    if (!detail || !*found->detail)
        return "no detail, or none in UTF-8";
    if (found->reason != expected->reason || strcmp(found->detail, expected->detail) != 0)
        return "event_decode rejects for another reason than the reference";
    if (!text_equal(found->subject, expected->subject))
        return "event_decode names another subject than the reference";
    if (text_present(found->subject) && (found->reason == REJECT_MALFORMED || !id_is_valid(found->subject)))
        return "the subject of a rejection is none";
    return NULL;
}

/* jansson and json_fault agree on what JSON is. */
static inline const char *check_fault(struct text record, bool taken, const struct decode_error *error)
{
    const char *what;
    size_t at;

    if (!taken && error->reason == REJECT_MALFORMED)
        return strcmp(error->detail, "invalid JSON") == 0 ? "json_fault finds no fault with what jansson rejects"
                                                          : NULL;
    return json_fault(record, &what, &at) ? "json_fault finds fault with what jansson takes" : NULL;
}

/* By a scanner that has seen nothing yet, and again by the same one, which then
 * expects the members as they come; NULL when both or neither take it. */
static inline const char *scan_twice(struct text record, bool *taken, struct event *first, struct event *again)
{
    struct decoder *decoder = decoder_new();
    bool taken_again;

    *taken = event_scan(decoder, record, first);
    taken_again = event_scan(decoder, record, again);
    decoder_free(decoder);
    return *taken == taken_again ? NULL : "the scanner takes it or not by what it has seen before";
}

/* What is wrong, or NULL. */
static inline const char *disagreement(struct agreement *a, struct text record)
{
    struct event scanned, again, whole, reference;
    struct decode_error whole_error, reference_error;
    bool scan;
    const char *wrong = scan_twice(record, &scan, &scanned, &again);
    bool expected = event_decode_reference(a->reference, record, &reference, &reference_error);

    a->scanned += scan;
    a->taken += expected;
    a->rejected += !expected;
    if (!wrong)
        wrong = check_fault(record, expected, &reference_error);
    if (wrong)
        return wrong;
    if (scan && !expected)
        return "the scanner takes what the reference rejects";
    if (event_decode(a->whole, record, &whole, &whole_error) != expected)
        return "event_decode and the reference differ in taking it";
    if (!expected)
        return check_rejection(&reference_error, &whole_error);

    a->expected.len = 0;
    event_encode(&a->expected, &reference, TEXT_LIT("id"), TEXT_LIT("source"));
    if (scan && !(same_as_expected(a, &scanned) && same_as_expected(a, &again)))
        return "the scanner sees another event than the reference";
    if (!same_as_expected(a, &whole))
        return "event_decode sees another event than the reference";
    struct text written = {a->expected.at, a->expected.len};
    if (written.len <= RECORD_MAX && !event_decode_reference(a->again, written, &reference, &reference_error))
        return "what event_encode writes is rejected";
    return written.len > RECORD_MAX || same_as_expected(a, &reference) ? NULL
                                                                       : "what event_encode writes is another event";
}

#endif
