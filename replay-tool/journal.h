/* journal.h - the ledger as a journal of hledger (plain text accounting).
 *
 * One transaction an entry, in order of the day that the money belongs to; what
 * was posted before the range is one transaction at its head. Every commodity and
 * account is declared, and each customer's balance asserted after each of its
 * entries, so that `hledger check --strict` tells if anything is changed. Tags lead
 * back: partition-offset, entry, reference.
 *
 * hledger ends an account's name at two blanks and a comment begins with a
 * semicolon: in names, all that would be taken for something else (control
 * characters, % : ; characters that show as a blank or as nothing, all but single
 * blanks between words) is written as %XX, byte by byte, as the ledger's line has it.
 */
#ifndef CALLFOLD_REPLAY_TOOL_JOURNAL_H
#define CALLFOLD_REPLAY_TOOL_JOURNAL_H

#include <stdio.h>

#include "replay-tool/books.h"

/* Writes the books that have come to their end; what fails is told by sql_is_sound and by out. */
void journal_write(const struct books *books, const struct range *range, FILE *out);

#endif
