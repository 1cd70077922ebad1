/* audit.h - what must hold of every output whatever a table says: envelope and
 * ids, the ledger's sums and chain, balances, call records against entries,
 * rejects against their record, attestations against all of it.
 *
 * It knows outputs only by their bytes and recomputes what it can with
 * libcrypto, as an auditor without callfold's code would.
 */
#ifndef CALLFOLD_TESTS_TABLES_AUDIT_H
#define CALLFOLD_TESTS_TABLES_AUDIT_H

#include <jansson.h>

#include "processor/fold/fold.h"

struct audit;

struct audit *audit_new(uint32_t partition);
void audit_free(struct audit *audit);

/* One record and the outputs it caused, in order. event_time_ms: the event's
 * time, or NULL when it could not be read. False, with the fault on stderr
 * after `place`. */
bool audit_step(struct audit *audit, const struct fold_record *record, const int64_t *event_time_ms,
                const json_t *outputs, const char digest[DIGEST_HEX], const char *place);

/* At the end of a history: each call's entries add up to its record. */
bool audit_end(struct audit *audit, const char *place);

#endif
