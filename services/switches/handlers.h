/* What the files of this module share. */
#ifndef SWITCHES_HANDLERS_H
#define SWITCHES_HANDLERS_H

#include <shimin/actor.h>
#include <shimin/pg.h>
#include <shimin/request.h>

void preview_switch(struct request *request);
void list_settings(struct request *request);
void read_setting(struct request *request);
void set_setting(struct request *request);
void undo_setting(struct request *request);
void list_proposals(struct request *request);
void read_proposal(struct request *request);
void confirm_proposal(struct request *request);
void refuse_proposal(struct request *request);

/* The bounds of who asks, as the database's functions take them. */
struct str change_bounds(struct request *request);
/* The id in the path as a number; 0, which no row has, for what is none. */
int64_t change_id(struct request *request);
/* Runs a statement that gives one JSON text and parses that. NULL after replying: the store's problem, or that of its fault. */
const struct json *change_ask(struct request *request, const struct pg_statement *statement, const struct pg_value *values,
                              size_t count) MUST_CHECK;
/* 201, or 200 for a decision, with the answer and who has taken it up; 202 where it waits for a second person. */
void change_reply(struct request *request, const struct json *answer, bool decided);
/* A page: {items, next_cursor}. `row` is the items as text and the id of the last one where more follow. */
void change_reply_page(struct request *request, const char *purpose, const struct pg_result *row);
/* The id that the cursor names as a value, or NULL without one. false after replying that it is invalid. */
MUST_CHECK bool change_page_start(struct request *request, const char *purpose, struct pg_value *before);
int64_t change_page_limit(struct request *request);
void change_reply_away(struct request *request);

#endif
