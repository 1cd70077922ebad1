/* fuzz_decode.c - the decoder against its reference, on any bytes: an input is
 * a record (decode_agreement.h). One that they disagree on is printed, and the
 * process aborts. */
#include <stdlib.h>

#include "tests/fuzz/decode_agreement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct agreement agreement;
    struct text record = {(const char *)data, size};

    if (!agreement.whole)
        agreement_open(&agreement);
    const char *wrong = disagreement(&agreement, record);
    if (wrong) {
        fprintf(stderr, "fuzz_decode: %s:\n%.*s\n", wrong, TEXT_ARGS(record));
        abort();
    }
    return 0;
}
