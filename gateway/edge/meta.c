/* What the API says of itself. */
#include "edge/meta.h"

#include <stdio.h>

MODULE_CONTRACT(meta);

static struct str published;
static char published_tag[17];

void meta_open(struct str document)
{
    published = document;
    snprintf(published_tag, sizeof published_tag, "%016llx", (unsigned long long)str_hash(document));
}

static void read_contract(struct request *request)
{
    reply_etag(request, str_of(published_tag));
    reply_cache(request, "public, max-age=60");
    reply_bytes(request, 200, "application/json", published);
}

static void write_problem_type(struct json_out *out, enum problem_type type)
{
    struct bilingual title = problem_title(type);
    json_object(out);
    json_field(out, "code", problem_slug(type));
    json_field_i64(out, "status", problem_status(type));
    json_key(out, "title");
    json_object(out);
    json_field(out, "zh", title.zh);
    json_field(out, "en", title.en);
    json_end(out);
    json_end(out);
}

static void list_problem_types(struct request *request)
{
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (int type = 0; type < PROBLEM_TYPES; type++)
        write_problem_type(out, (enum problem_type)type);
}

static void read_problem_type(struct request *request)
{
    struct str code = request_string(request, "code");
    int type = 0;
    while (type < PROBLEM_TYPES && !str_equal(code, problem_slug((enum problem_type)type)))
        type++;
    if (type == PROBLEM_TYPES)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这种错误类型", "There is no such type of problem"));
    else
        write_problem_type(reply_json(request, 200), (enum problem_type)type);
}

const struct module meta_module = {
    .name = "meta",
    .contract = meta_contract,
    .contract_size = &meta_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"readContract", read_contract},
            {"listProblemTypes", list_problem_types},
            {"readProblemType", read_problem_type},
            {0},
        },
};
