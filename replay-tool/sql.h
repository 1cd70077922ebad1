/* sql.h - SQLite, with its faults in one place.
 *
 * A database remembers the first thing that went wrong with it, and from then on
 * every call here does nothing: who fills it asks once, at the end.
 *
 *     struct sql *sql = sql_open(path, &error);
 *     struct sql_statement *insert = sql_prepare(sql, "INSERT INTO decks VALUES (?, ?)");
 *     sql_begin(insert);                   the values from left to right, then
 *     sql_text(insert, deck_id);
 *     sql_integer(insert, rates);
 *     sql_run(insert);
 *     ...
 *     while (sql_row(select)) ... sql_integer_at(select, 0) ...
 *     if (!sql_close(sql)) ...
 *
 * A database here is filled once, by one process, and thrown away if that does
 * not come to its end: nothing is journalled and nothing synced. The only file
 * that includes sqlite3.h is sql.c.
 */
#ifndef CALLFOLD_REPLAY_TOOL_SQL_H
#define CALLFOLD_REPLAY_TOOL_SQL_H

#include "snapshots/store.h"

struct sql;
struct sql_statement;

/* A new database in the file, which is empty or not there. NULL on error. error
 * is borrowed: it gets what goes wrong later, too. */
struct sql *sql_open(const char *path, struct store_error *error);
/* Everything is written from here on in one transaction, until sql_commit. */
void sql_commit(struct sql *sql);
/* False when anything went wrong since sql_open. NULL is let be, and true. */
bool sql_close(struct sql *sql);
bool sql_is_sound(const struct sql *sql);

/* Runs statements without values or rows. */
void sql_script(struct sql *sql, const char *script);
/* One statement, which lives as long as the database; text that SQLite does not
 * understand ends the process. */
struct sql_statement *sql_prepare(struct sql *sql, const char *text);

/* Its values, from left to right. Texts are borrowed until sql_run, or until
 * sql_row says false; an absent one is NULL. */
void sql_begin(struct sql_statement *statement);
void sql_text(struct sql_statement *statement, struct text text);
/* A text that may go away at once. */
void sql_copy(struct sql_statement *statement, struct text text);
void sql_string(struct sql_statement *statement, const char *string);
void sql_integer(struct sql_statement *statement, int64_t value);
void sql_null(struct sql_statement *statement);

/* Runs it to its end; how many rows it changed. */
int sql_run(struct sql_statement *statement);
/* The next row of what it gives; false after the last. */
bool sql_row(struct sql_statement *statement);
/* A column of that row, from 0; texts live until the next sql_row, NULL is
 * absent, and 0 as an integer. */
struct text sql_text_at(const struct sql_statement *statement, int column);
int64_t sql_integer_at(const struct sql_statement *statement, int column);
bool sql_is_null(const struct sql_statement *statement, int column);

#endif
