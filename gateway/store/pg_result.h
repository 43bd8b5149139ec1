/* Results: the rows of one answer, copied once from the connection's buffer into the asker's arena. */
#ifndef SHIMIN_PG_RESULT_H
#define SHIMIN_PG_RESULT_H

#include <shimin/pg.h>

struct pg_result {
    size_t rows;
    size_t columns;
    int64_t affected;
    bool rolled_back;  /* the tag was ROLLBACK */
    struct str *cells; /* row by row; at == NULL is NULL */
};

/* `messages` holds whole messages, among them `rows` DataRows; `tag` is what CommandComplete said. */
struct pg_result *pg_result_make(struct arena *arena, struct str messages, size_t rows, struct str tag);

#endif
