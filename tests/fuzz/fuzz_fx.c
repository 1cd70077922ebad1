/* fuzz_fx.c - any bytes as a file of exchange rates: a table whose every rate is
 * above zero, or lines that name the file and what is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/currency.h"
#include "processor/fx_file.h"
#include "tests/fuzz/hear.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_fx: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fx_record *table;
    char beginning[96];
    const char *path = file_of_bytes(data, size);

    snprintf(beginning, sizeof beginning, "callfold: %s:", path);
    hear_begin();
    int code = fx_read(&table, path);
    size_t lines = hear_end(beginning);
    require(code == EX_OK || code == EX_DATAERR, "another exit code");
    require((code == EX_OK) == (lines == 0), "a fault without a word, or words without a fault");
    require((code == EX_OK) == (table != NULL), "no table, or one of a faulty file");
    for (size_t i = 0; table && i < table->count; i++)
        require(table->rates[i].micros > 0 && currency_known(table->rates[i].currency), "a rate that is none");
    free(table);
    return 0;
}
