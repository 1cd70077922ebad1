/* sql.c - see sql.h. */
#include "replay-tool/sql.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <sqlite3.h>

#include "replay-tool/interrupt.h"
#include "snapshots/files.h"

/* No other process looks at the file meanwhile; what is sorted beyond the cache
 * goes to files in $TMPDIR. */
#define SETTINGS                                                                                                \
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536;" \
    "PRAGMA foreign_keys=OFF; BEGIN"

#define STEPS_BETWEEN_CHECKS 1000000 /* of SQLite's machine: some milliseconds */

struct sql_statement {
    struct sql *sql;
    sqlite3_stmt *prepared;
    int next; /* value to be bound */
    struct sql_statement *other;
};

struct sql {
    sqlite3 *db;
    char *path;
    bool is_broken;
    struct store_error *error;
    struct sql_statement *statements;
};

/* The disk's faults are the operator's; any other is ours. */
static void note(struct sql *sql)
{
    if (sql->is_broken)
        return;
    sql->is_broken = true;
    if (sqlite3_extended_errcode(sql->db) == SQLITE_CONSTRAINT_DATATYPE) {
        fail_with(sql->error, EX_DATAERR,
                  "a sum of amounts is beyond 9223372036854.775807, the most that 64-bit micros hold: export a range "
                  "that begins earlier, or one --account");
        return;
    }
    switch (sqlite3_errcode(sql->db) & 0xff) {
    case SQLITE_NOMEM: abort();
    case SQLITE_INTERRUPT: interrupt_check(sql->error); break;
    case SQLITE_FULL: fail_with_errno(sql->error, ENOSPC, "write", sql->path); break;
    case SQLITE_CANTOPEN: fail_with_errno(sql->error, sqlite3_system_errno(sql->db), "make", sql->path); break;
    case SQLITE_IOERR: /* after a failed commit SQLite no longer knows why */
        fail_with(sql->error, EX_IOERR,
                  "cannot write %s: the disk is full or failed, or a limit on file sizes (ulimit -f) was met; make "
                  "room, or see the system's log, and run the same command again: nothing is lost",
                  sql->path);
        break;
    default:
        fail_with(sql->error, EX_SOFTWARE, "%s: %s; keep the events and report this", sql->path,
                  sqlite3_errmsg(sql->db));
    }
}

static int is_interrupted(void *context)
{
    struct store_error ignored;
    (void)context;
    return interrupt_check(&ignored);
}

struct sql *sql_open(const char *path, struct store_error *error)
{
    struct sql *sql = calloc(1, sizeof *sql);
    if (sql == NULL)
        abort();
    *sql = (struct sql){.path = strdup(path), .error = error};
    if (sql->path == NULL)
        abort();
    if (sqlite3_open_v2(path, &sql->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        note(sql);
    sqlite3_progress_handler(sql->db, STEPS_BETWEEN_CHECKS, is_interrupted, NULL);
    sql_script(sql, SETTINGS);
    if (!sql->is_broken)
        return sql;
    sql_close(sql);
    return NULL;
}

void sql_commit(struct sql *sql)
{
    sql_script(sql, "COMMIT");
}

bool sql_close(struct sql *sql)
{
    if (sql == NULL)
        return true;
    for (struct sql_statement *at = sql->statements, *other; at != NULL; at = other) {
        other = at->other;
        sqlite3_finalize(at->prepared);
        free(at);
    }
    if (sqlite3_close(sql->db) != SQLITE_OK)
        note(sql);
    bool is_sound = !sql->is_broken;
    free(sql->path);
    free(sql);
    return is_sound;
}

bool sql_is_sound(const struct sql *sql)
{
    return !sql->is_broken;
}

void sql_script(struct sql *sql, const char *script)
{
    if (!sql->is_broken && sqlite3_exec(sql->db, script, NULL, NULL, NULL) != SQLITE_OK)
        note(sql);
}

struct sql_statement *sql_prepare(struct sql *sql, const char *text)
{
    struct sql_statement *statement = calloc(1, sizeof *statement);
    if (statement == NULL)
        abort();
    *statement = (struct sql_statement){.sql = sql, .other = sql->statements};
    sql->statements = statement;
    if (!sql->is_broken &&
        sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement->prepared, NULL) != SQLITE_OK)
        note(sql);
    return statement;
}

void sql_begin(struct sql_statement *statement)
{
    statement->next = 1;
    sqlite3_reset(statement->prepared);
}

static void bind(struct sql_statement *statement, struct text text, sqlite3_destructor_type keeping)
{
    if (text_present(text))
        sqlite3_bind_text64(statement->prepared, statement->next++, text.at, text.len, keeping, SQLITE_UTF8);
    else
        sql_null(statement);
}

void sql_text(struct sql_statement *statement, struct text text)
{
    bind(statement, text, SQLITE_STATIC);
}

void sql_copy(struct sql_statement *statement, struct text text)
{
    bind(statement, text, SQLITE_TRANSIENT);
}

void sql_string(struct sql_statement *statement, const char *string)
{
    sql_text(statement, text_of(string));
}

void sql_integer(struct sql_statement *statement, int64_t value)
{
    sqlite3_bind_int64(statement->prepared, statement->next++, value);
}

void sql_null(struct sql_statement *statement)
{
    sqlite3_bind_null(statement->prepared, statement->next++);
}

int sql_run(struct sql_statement *statement)
{
    struct sql *sql = statement->sql;
    if (sql->is_broken)
        return 0;
    int answer = sqlite3_step(statement->prepared);
    if (answer != SQLITE_DONE)
        note(sql);
    sqlite3_reset(statement->prepared);
    return answer == SQLITE_DONE ? sqlite3_changes(sql->db) : 0;
}

bool sql_row(struct sql_statement *statement)
{
    struct sql *sql = statement->sql;
    if (sql->is_broken)
        return false;
    int answer = sqlite3_step(statement->prepared);
    if (answer == SQLITE_ROW)
        return true;
    if (answer != SQLITE_DONE)
        note(sql);
    sqlite3_reset(statement->prepared);
    return false;
}

struct text sql_text_at(const struct sql_statement *statement, int column)
{
    const unsigned char *at = sqlite3_column_text(statement->prepared, column);
    return (struct text){(const char *)at, (size_t)sqlite3_column_bytes(statement->prepared, column)};
}

int64_t sql_integer_at(const struct sql_statement *statement, int column)
{
    return sqlite3_column_int64(statement->prepared, column);
}

bool sql_is_null(const struct sql_statement *statement, int column)
{
    return sqlite3_column_type(statement->prepared, column) == SQLITE_NULL;
}
