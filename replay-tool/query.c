/* query.c - see query.h. */
#include "replay-tool/query.h"

static void put_cell(const struct sql_statement *question, int column, enum column_kind kind, struct table *table)
{
    if (sql_is_null(question, column)) {
        table_blank(table);
        return;
    }
    switch (kind) {
    case COLUMN_AMOUNT: table_money(table, sql_integer_at(question, column)); break;
    case COLUMN_DURATION: table_duration(table, sql_integer_at(question, column)); break;
    case COLUMN_FLAG: table_flag(table, sql_integer_at(question, column) != 0); break;
    default: table_text(table, sql_text_at(question, column)); break;
    }
}

void query_rows(struct sql_statement *question, struct table *table, const struct table_column *columns, size_t count)
{
    while (sql_row(question)) {
        table_row(table, NULL);
        for (size_t i = 0; i < count; i++)
            put_cell(question, (int)i, columns[i].kind, table);
    }
}
