/* Bills: asking a department for those of an account, and keeping what it said. */
#include "bill.h"

#include "payments_queries.h"

#include <shimin/log.h>
#include <shimin/personal.h>
#include <shimin/request.h>

/* The columns of a bill that a service's mapping may fill, with the type that Postgres reads them as. */
static const struct column {
    const char *name;
    enum json_type type;
} columns[] = {
    {"number", JSON_STRING},        {"amount_fen", JSON_INTEGER}, {"period", JSON_STRING},    {"due_on", JSON_STRING},
    {"payable_until", JSON_STRING}, {"paid", JSON_BOOLEAN},       {"in_parts", JSON_BOOLEAN},
};

static const struct json *fields_of(const struct service *service)
{
    return json_get(json_get(service->definition, "operation"), "fields");
}

static const struct json *member(const struct json *fields, const struct json *item, const char *name)
{
    struct str pointer = json_get_string(fields, name, STR_NONE);
    return pointer.at ? json_at(item, pointer) : NULL;
}

const struct problem *bills_ask(const struct bill_question *question, struct department_answer *answer)
{
    struct json *values = json_make_object(question->arena);
    json_set(question->arena, values, STR("account_number"), json_make_string(question->arena, question->account_number));
    const struct problem *problem = department_ask(&(struct department_question){.arena = question->arena,
                                                                                 .snapshot = question->snapshot,
                                                                                 .service = question->service,
                                                                                 .citizen = question->citizen,
                                                                                 .request = question->request,
                                                                                 .values = values},
                                                   answer);
    if (!problem)
        footprint_record(question->citizen, question->service, STR("citizen"), STR("own_bills"),
                         request_trace_id(question->request));
    return problem;
}

/* The items of an answer: an array, or one object. */
static size_t items_of(const struct department_answer *answer, const struct json **first)
{
    *first = answer->items;
    if (!answer->items)
        return 0;
    if (answer->items->type != JSON_ARRAY)
        return 1;
    *first = answer->items->items;
    return answer->items->count;
}

struct str bills_holder(const struct service *service, const struct department_answer *answer)
{
    const struct json *item;
    const struct json *holder = items_of(answer, &item) ? member(fields_of(service), item, "holder") : NULL;
    return holder && holder->type == JSON_STRING ? holder->string : STR("");
}

static bool is_bill(const struct json *fields, const struct json *item)
{
    const struct json *number = member(fields, item, "number"), *amount = member(fields, item, "amount_fen");
    return number && number->type == JSON_STRING && number->string.len && amount && amount->type == JSON_INTEGER &&
           amount->integer > 0 && amount->integer <= INT64_C(100000000000);
}

static void write_bill(struct json_out *out, struct arena *arena, const struct json *fields, const struct json *item)
{
    json_object(out);
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        const struct json *value = member(fields, item, columns[i].name);
        if (value && value->type == columns[i].type)
            json_field_raw(out, columns[i].name, json_text(arena, value));
    }
    json_end(out);
}

enum pg_status bills_keep(struct arena *arena, const struct service *service, struct str blind,
                          const struct department_answer *answer)
{
    const struct json *fields = fields_of(service), *items;
    size_t count = items_of(answer, &items), left_out = 0;
    struct text text = text_open(arena, 1024);
    struct json_out out = json_write(&text);
    json_array(&out);
    for (size_t i = 0; i < count; i++)
        if (is_bill(fields, &items[i]))
            write_bill(&out, arena, fields, &items[i]);
        else
            left_out++;
    json_end_all(&out);
    if (left_out)
        log_warning("service %.*s: %zu items of the department's answer are no bills", STR_ARG(service->slug), left_out);
    return pg_query(arena, &sql_keep_bills,
                    PG_ARGS(pg_text(service->department->slug), pg_text(service->slug), pg_bytes(blind),
                            pg_text(text_str(&text)), pg_time(answer->as_of)),
                    NULL);
}

struct str bill_account_index(struct arena *arena, const struct service *service, struct str number)
{
    return personal_index(arena, "bill_account.number",
                          str_printf(arena, "%.*s/%.*s", STR_ARG(service->department->slug), STR_ARG(number)));
}
